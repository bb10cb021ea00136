"""Set-up: what it refuses and how it says so, on machines made of a few links."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("sh", "make", "date", "dirname", "cat", "cksum", "rm", "awk")


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A copy of what set-up reads, without an environment."""
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    for name in (
        "Makefile",
        "requirements.lock",
        "scripts/setup.sh",
        "scripts/openmp.py",
        "scripts/gpu_code.py",
        "scripts/kernel.py",
        "core/predict/kernel.c",
        "core/predict/kernel_steps.h",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def machine(tmp_path) -> Path:
    """A folder for PATH that holds the basic tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    return folder


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def run(checkout: Path, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-s", *words],
        cwd=checkout,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_machine_without_python_is_told_what_to_install(checkout, machine):
    ran = run(checkout, machine, "setup")
    assert ran.returncode != 0
    assert "no Python 3.11, 3.12 or 3.13 on PATH: install one" in ran.stderr


def test_a_shim_that_does_not_run_is_passed_over(checkout, machine):
    script(machine / "python3.13", "echo 'command not found' >&2; exit 127")
    assert "no Python 3.11, 3.12 or 3.13 on PATH" in run(checkout, machine, "setup").stderr


def test_an_older_python_is_no_python(checkout, machine):
    script(machine / "python3", "echo 3.10")
    assert "no Python 3.11, 3.12 or 3.13 on PATH" in run(checkout, machine, "setup").stderr


def test_a_python_without_venv_is_told_how_to_get_it(checkout, machine):
    script(machine / "python3.12", 'case "$*" in *ensurepip*) exit 1;; *) echo 3.12;; esac')
    ran = run(checkout, machine, "setup")
    assert "Python 3.12 has no venv: install python3-venv" in ran.stderr
    assert ran.stderr.count("make setup: ") == 1


def test_the_newest_python_that_works_is_taken(checkout, machine):
    script(machine / "python3.13", 'case "$*" in *ensurepip*) exit 1;; *) echo 3.13;; esac')
    script(machine / "python3.12", "echo 3.12")
    script(machine / "python3.11", "echo 3.11")
    assert f"Making .venv with {machine}/python3.12" in run(checkout, machine, "setup").stderr


def environment(checkout: Path, pip: str = "exit 0", uv: str = "exit 0") -> None:
    """An environment whose pip and uv do as told."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    words = 'case "$*" in'
    words += f" *'pip install'*) {pip};; *'uv pip sync'*) {uv};; *index-url*) echo http://mirror/simple;;"
    words += " *global.cert*) echo /my/certificates.pem;; esac"
    script(checkout / ".venv" / "bin" / "python", words)


def test_an_index_that_cannot_be_reached_is_named(checkout, machine):
    environment(checkout, pip="exit 1")
    assert "is a package index reachable" in run(checkout, machine, "setup").stderr


def test_uv_gets_pips_index_and_certificates(checkout, machine):
    environment(checkout, uv='echo "$UV_DEFAULT_INDEX $SSL_CERT_FILE $UV_LINK_MODE" >&2')
    assert "http://mirror/simple /my/certificates.pem copy" in run(checkout, machine, "setup").stderr


def test_a_failed_installation_is_tried_again_the_next_time(checkout, machine):
    environment(checkout, uv="exit 1")
    assert "uv could not install requirements.lock" in run(checkout, machine, "setup").stderr
    assert run(checkout, machine, "setup").returncode != 0


def test_set_up_says_how_long_it_took_and_has_nothing_to_do_afterwards(checkout, machine):
    environment(checkout)
    first = run(checkout, machine, "setup")
    assert first.returncode == 0, first.stderr
    assert "Set up in " in first.stderr
    start = time.perf_counter()
    again = run(checkout, machine, "setup")
    assert (again.returncode, again.stderr) == (0, "")
    assert time.perf_counter() - start < 1


def test_another_lock_sets_up_anew(checkout, machine):
    environment(checkout)
    run(checkout, machine, "setup")
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert "Set up in " in run(checkout, machine, "setup").stderr


def test_make_alone_lists_the_verbs(checkout, machine):
    listed = run(checkout, machine).stdout
    for verb in ("setup", "demo", "test", "full", "deep", "chaos", "perf", "peers", "lint", "lock", "clean"):
        assert f"make {verb} " in listed


def test_the_lock_belongs_to_the_requirements():
    """Every direct dependency is in the lock, with hashes; `make lock` brings them together again."""
    names = [line.split(">")[0].split("=")[0].split(" ")[0].strip().lower() for line in wanted()]
    locked = {
        line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "requirements.lock").open() if "==" in line
    }
    assert [name for name in names if name.replace("_", "-") not in locked] == []


def wanted() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize(
    "name", ["streamlit", "azure-ai-ml", "azure-identity", "pandas", "plotly", "pytest-benchmark", "schemathesis"]
)
def test_what_was_asked_for_is_a_direct_dependency(name):
    assert any(line.split(">")[0] == name for line in wanted())


def test_ci_runs_the_commands_of_the_readme():
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert ".ci/run" in (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
