"""Which two commits are compared, and their files, each in a folder of its own."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

AGE_S = 4 * 3600
"""Work of one sitting should be judged as a whole, not against its own last step."""
REQUIREMENTS = "requirements.lock"
ANCHOR = "perf/anchor"
"""Where there is no release tag: a file whose first word is the commit that stands for one."""
NO_ANCHOR = "none"


class RevisionUnknown(Exception):
    """Nothing can be compared, and why: wrong use."""


class NoHistory(Exception):
    """There is no earlier commit to compare with."""


@dataclass(frozen=True, slots=True)
class Revisions:
    """Two commits of one repository, by their full hashes."""

    repository: Path
    base: str
    head: str
    why: str
    """How the base was chosen, in words."""

    @property
    def same_requirements(self) -> bool:
        """Whether both can run in one environment."""
        return self._blob(self.base) == self._blob(self.head)

    def _blob(self, commit: str) -> str:
        return git(self.repository, "rev-parse", "--verify", "--quiet", f"{commit}:{REQUIREMENTS}", missing="") or ""


def choose(repository: Path, base: str, head: str, environment: Mapping[str, str]) -> Revisions:
    """The commits that the words, the environment or the history name.

    Raises RevisionUnknown (no such commit, or both are the same) and NoHistory.
    """
    newest = commit_of(repository, head or "HEAD")
    asked, why = (base, "--base") if base else (environment.get("PERF_BASE", ""), "PERF_BASE")
    if asked:
        oldest = commit_of(repository, asked)
    else:
        oldest, why = _by_history(repository, newest)
    if oldest == newest:
        raise RevisionUnknown(f"Base and head are the same commit, {newest[:12]}: name another with --base")
    return Revisions(repository, oldest, newest, why)


def anchor(revisions: Revisions, named: str, environment: Mapping[str, str]) -> Revisions:
    """The head and the release that it must not drift away from, a little every sitting.

    It is the one that is named, else $PERF_ANCHOR, else the newest tag `v...` before the head, else the commit that the
    head's file `perf/anchor` names. Raises RevisionUnknown for one that is named and not there, NoHistory where there
    is nothing to compare with.
    """
    repository, head = revisions.repository, revisions.head
    asked, why = (named, "--anchor") if named else (environment.get("PERF_ANCHOR", ""), "PERF_ANCHOR")
    if asked == NO_ANCHOR:
        raise NoHistory("none is wanted")
    found, why = (commit_of(repository, asked), why) if asked else _release(repository, head)
    if found in (revisions.base, head):
        raise NoHistory(f"it is the {'base' if found == revisions.base else 'head'}, {found[:12]}")
    return Revisions(repository, found, head, why)


def _release(repository: Path, head: str) -> tuple[str, str]:
    """The newest release before the head, and how it was found."""
    words = ("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", f"{head}~1")
    if tag := git(repository, *words, missing=""):
        return commit_of(repository, tag), f"release {tag}"
    named = (git(repository, "show", f"{head}:{ANCHOR}", missing="") or "").split()
    if not named:
        raise NoHistory(f"there is no release tag, and no file {ANCHOR}")
    try:
        return commit_of(repository, named[0]), ANCHOR
    except RevisionUnknown as e:
        raise NoHistory(f"{ANCHOR} names {named[0][:12]}, which this clone does not know") from e


def commit_of(repository: Path, revision: str) -> str:
    """The full hash of a revision. Raises RevisionUnknown, NoHistory where nothing is under git at all."""
    if shutil.which("git") is None:
        raise NoHistory("git is not installed")
    if git(repository, "rev-parse", "--git-dir", missing=None) is None:
        raise NoHistory(f"{repository} is not a git checkout")
    if git(repository, "rev-parse", "--verify", "--quiet", "HEAD", missing=None) is None:
        raise NoHistory("Nothing was committed yet")
    found = git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", missing=None)
    if found is None:
        raise RevisionUnknown(f"There is no commit '{revision}' here; in a shallow clone fetch the history first")
    return found


def _by_history(repository: Path, head: str) -> tuple[str, str]:
    for branch in _default_branches(repository):
        fork = git(repository, "merge-base", branch, head, missing=None)
        if fork is not None and fork != head:
            return fork, f"where it left {branch.removeprefix('refs/').removeprefix('remotes/').removeprefix('heads/')}"
    made = int(git(repository, "show", "--no-patch", "--format=%ct", head) or 0)
    before = f"--before={made - AGE_S}"
    if older := git(repository, "rev-list", "--first-parent", "--max-count=1", before, head, missing=""):
        return older, "the newest that is four hours older"
    if parent := git(repository, "rev-parse", "--verify", "--quiet", f"{head}~1", missing=""):
        return parent, "the commit before"
    raise NoHistory("This is the only commit that this clone knows; there is nothing to compare it with")


def _default_branches(repository: Path) -> list[str]:
    """The default branch, as far as this clone knows it: the remote's own word first, then the usual names."""
    named = git(repository, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD", missing=None)
    usual = [f"refs/{place}/{name}" for place in ("remotes/origin", "heads") for name in ("main", "master")]
    candidates = [named] if named else usual
    return [b for b in candidates if git(repository, "rev-parse", "--verify", "--quiet", b, missing=None) is not None]


def check_out(repository: Path, commit: str, folder: Path) -> Path:
    """The commit's files in an empty folder, but for its benchmarks: both sides run ours."""
    packed = subprocess.run(
        ["git", "-C", str(repository), "archive", "--format=tar", commit], check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as files:
        wanted = [file for file in files.getmembers() if file.name.partition("/")[0] != "perf"]
        files.extractall(folder, wanted, filter="data")
    compiled = [sys.executable, "-m", "compileall", "-q", "-j", "2", str(folder / "core")]
    subprocess.run(compiled, check=False, capture_output=True)
    return folder


def own_environment(folder: Path) -> Path:
    """The interpreter of an environment that a checkout's own set-up makes. Raises CalledProcessError."""
    log = folder / "setup.log"
    with log.open("wb") as out:
        subprocess.run(["sh", "scripts/setup.sh"], cwd=folder, check=True, stdout=out, stderr=out)
    return folder / ".venv" / "bin" / "python"


def git(repository: Path, *words: str, missing: str | None = "") -> str | None:
    """What git prints, without the end of line; `missing` where it fails.

    Whoever names a repository trusts it, so another owner's, as in a container, is no reason to refuse.
    """
    trusted = ["git", "-c", f"safe.directory={repository.resolve()}", "-C", str(repository)]
    done = subprocess.run(
        [*trusted, *words], check=False, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    )
    return done.stdout.strip() if done.returncode == 0 else missing
