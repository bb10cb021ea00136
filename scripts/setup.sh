#!/bin/sh
# Makes .venv exactly what requirements.lock says. Safe to run again at any time, as root or not.
set -eu
cd "$(dirname "$0")/.."
started=$(date +%s)
stamp=.venv/setup.stamp

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "make setup: $*"
    exit 1
}

# An interpreter counts when it runs (a version manager's shims may not) and can make environments: Debian ships
# `venv` without `ensurepip` until python3-venv is installed.
interpreter() {
    for version in 3.13 3.12 3.11; do
        for name in "python$version" python3; do
            old_ifs=$IFS
            IFS=:
            for folder in $PATH; do
                [ -x "$folder/$name" ] || continue
                found=$("$folder/$name" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
                [ "$found" = "$version" ] || continue
                without_venv=$version
                "$folder/$name" -c 'import venv, ensurepip' >/dev/null 2>&1 || continue
                IFS=$old_ifs
                printf '%s\n' "$folder/$name"
                return
            done
            IFS=$old_ifs
        done
    done
    [ -z "${without_venv:-}" ] || fail "Python $without_venv has no venv: install python3-venv (apt-get install python3-venv)."
    fail "no Python 3.11, 3.12 or 3.13 on PATH: install one (Debian: apt-get install python3 python3-venv)."
}

# uv reads neither pip's configuration nor its environment; without these, a machine behind a mirror would have no index.
pip_setting() { .venv/bin/python -m pip config get "$1" 2>/dev/null || true; }
give_uv_pips_index() {
    index=${PIP_INDEX_URL:-$(pip_setting global.index-url)}
    certificates=${PIP_CERT:-$(pip_setting global.cert)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    [ -z "$certificates" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$certificates}"
}

wanted=$(cat requirements.lock scripts/setup.sh scripts/openmp.py scripts/gpu_code.py scripts/kernel.py \
    core/predict/kernel.c core/predict/kernel_steps.h | cksum)
if [ "$(cat $stamp 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c pass 2>/dev/null; then
    exit 0
fi

if ! .venv/bin/python -c 'import sys, pip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    python=$(interpreter)
    say "Making .venv with $python"
    "$python" -m venv --clear .venv || fail "$python could not make .venv (its words are above)."
fi
rm -f $stamp

export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet 'uv>=0.9,<1' ||
    fail "pip could not install uv: is a package index reachable (pip's words are above)?"
give_uv_pips_index
# Copies, since what openmp.py and gpu_code.py change would otherwise change inside uv's cache too.
say "Installing requirements.lock"
UV_LINK_MODE=copy .venv/bin/python -m uv pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock ||
    fail "uv could not install requirements.lock (its words are above)."
.venv/bin/python scripts/openmp.py
.venv/bin/python scripts/gpu_code.py
.venv/bin/python scripts/kernel.py

# Everything starts 2.5 to 3.5 times slower without .pyc files, and PYTHONDONTWRITEBYTECODE=1 (common in images) leaves
# none. Nobody imports the packages' own tests, nor what else is left out here, which is a fifth of all that is installed.
# A package may ship a template that is no Python; compileall reports it and goes on, so its status says nothing.
never='/(tests|sqlalchemy|alembic|altair|pip|setuptools|pkg_resources|mypy|mypyc|aio|async_api|pygments/lexers)/'
.venv/bin/python -W ignore -m compileall -q -j0 -x "$never" .venv/lib core >/dev/null || true

printf '%s' "$wanted" >$stamp
say "Set up in $(($(date +%s) - started)) s"
