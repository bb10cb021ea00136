"""Which commit the gate compares with, in small repositories of every shape."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from perf.gate.__main__ import main
from perf.gate.revisions import NoHistory, Revisions, RevisionUnknown, anchor, check_out, choose

HOUR_S = 3600
START_S = 1_700_000_000
Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in an empty repository whose branch is `main`."""

    def run(*words: str, at_h: float = 0.0) -> str:
        when = f"{START_S + round(at_h * HOUR_S)} +0000"
        who = {f"GIT_{role}_{what}": "x" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), **who}
        environment |= {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *words], check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


def commit(git: Git, name: str, at_h: float) -> str:
    git("commit", "--quiet", "--allow-empty", "-m", name, at_h=at_h)
    return git("rev-parse", "HEAD")


def chosen(tmp_path: Path, base: str = "", head: str = "", **environment: str) -> Revisions:
    return choose(tmp_path, base, head, environment)


def test_the_base_that_is_named_comes_before_every_other(git: Git, tmp_path: Path):
    first, second, _ = (commit(git, name, hours) for name, hours in (("a", 0), ("b", 5), ("c", 10)))
    assert chosen(tmp_path, base=second[:8], PERF_BASE=first).base == second
    assert chosen(tmp_path, PERF_BASE=first).base == first


def test_a_branch_is_compared_with_where_it_left_the_default_branch(git: Git, tmp_path: Path):
    fork = commit(git, "fork", 0)
    git("checkout", "--quiet", "-b", "work")
    commit(git, "one", 10)
    commit(git, "two", 20)
    git("checkout", "--quiet", "main")
    commit(git, "elsewhere", 21)
    git("checkout", "--quiet", "work")
    assert (made := chosen(tmp_path)).base == fork
    assert made.why == "where it left main"


def test_the_default_branch_is_the_remotes_own_where_it_says_so(git: Git, tmp_path: Path):
    fork = commit(git, "fork", 0)
    git("update-ref", "refs/remotes/origin/trunk", fork)
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    commit(git, "later", 1)
    assert chosen(tmp_path).base == fork


def test_on_the_default_branch_it_is_the_newest_commit_four_hours_older(git: Git, tmp_path: Path):
    commit(git, "old", 0)
    wanted = commit(git, "a sitting before", 5)
    commit(git, "this sitting", 6)
    commit(git, "its end", 9)
    assert chosen(tmp_path).base == wanted


def test_of_a_merge_only_the_first_parents_count(git: Git, tmp_path: Path):
    wanted = commit(git, "start", 0)
    git("checkout", "--quiet", "-b", "side")
    commit(git, "on the side", 2)
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "-m", "merge", "side", at_h=7)
    assert chosen(tmp_path).base == wanted


def test_where_all_is_young_it_is_the_commit_before(git: Git, tmp_path: Path):
    _, before, _ = (commit(git, name, hours) for name, hours in (("a", 0), ("b", 1), ("c", 2)))
    assert chosen(tmp_path).base == before


def test_a_base_that_is_the_head_is_wrong_use(git: Git, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    commit(git, "only", 0)
    with pytest.raises(RevisionUnknown, match="same commit"):
        chosen(tmp_path, base="main")
    assert main(["--repository", str(tmp_path), "--base", "HEAD"]) == 2
    assert "the same commit" in capsys.readouterr().err


def test_an_unknown_revision_is_wrong_use_and_named(git: Git, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    commit(git, "only", 0)
    assert main(["--repository", str(tmp_path), "--base", "no-such-branch"]) == 2
    assert "'no-such-branch'" in capsys.readouterr().err


def test_without_history_there_is_nothing_to_compare_and_nothing_fails(
    git: Git, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(NoHistory):
        chosen(tmp_path)
    commit(git, "only", 0)
    assert main(["--repository", str(tmp_path)]) == 0
    assert "the only commit" in capsys.readouterr().err


def test_a_folder_that_is_no_checkout_has_no_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--repository", str(tmp_path)]) == 0
    assert "not a git checkout" in capsys.readouterr().err


def test_an_unknown_benchmark_is_wrong_use_and_all_are_named(git: Git, capsys: pytest.CaptureFixture[str]):
    assert main(["--only", "no such thing"]) == 2
    said = capsys.readouterr().err
    assert "no such thing" in said
    assert "payload decode, 2 rows" in said


def test_a_checkout_holds_the_commits_files_but_not_its_benchmarks(git: Git, tmp_path: Path):
    for name in ("core/a.py", "perf/b.py", "requirements.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    git("add", ".")
    first = commit(git, "files", 0)
    (tmp_path / "requirements.lock").write_text("2")
    git("add", ".")
    second = commit(git, "other requirements", 1)
    out = check_out(tmp_path, first, tmp_path / "out")
    assert (out / "core/a.py").read_text() == "1"
    assert not (out / "perf").exists()
    assert not Revisions(tmp_path, first, second, "").same_requirements
    assert Revisions(tmp_path, first, first, "").same_requirements


def anchored(tmp_path: Path, named: str = "", **environment: str) -> Revisions:
    return anchor(chosen(tmp_path), named, environment)


def releases(git: Git) -> list[str]:
    """Three releases ten hours apart, the last of them the base of what follows."""
    made = []
    for number in range(3):
        made.append(commit(git, f"release {number}", 10 * number))
        git("tag", f"v0.{number}.0")
    commit(git, "since then", 25)
    return made


def test_the_anchor_is_the_newest_release_before_the_head(git: Git, tmp_path: Path):
    first, second, third = releases(git)
    commit(git, "a sitting later", 35)
    commit(git, "and its end", 36)
    assert (found := anchored(tmp_path)).base == third
    assert found.why == "release v0.2.0"
    assert anchored(tmp_path, named="v0.0.0", PERF_ANCHOR=second).base == first
    assert anchored(tmp_path, PERF_ANCHOR=second).base == second


def test_a_release_is_held_against_the_one_before_it(git: Git, tmp_path: Path):
    *_, third = releases(git)
    commit(git, "between", 30)
    commit(git, "a release", 40)
    git("tag", "v0.3.0")
    assert anchored(tmp_path).why == "release v0.2.0"
    with pytest.raises(NoHistory, match="it is the base"):
        anchor(chosen(tmp_path, base=third), "", {})


def test_without_tags_a_file_names_the_commit_that_stands_for_a_release(git: Git, tmp_path: Path):
    first = commit(git, "first", 0)
    commit(git, "a sitting later", 10)
    with pytest.raises(NoHistory, match="no release tag"):
        anchored(tmp_path)
    (tmp_path / "perf").mkdir()
    for name, at_h in ((first, 20), ("0" * 40, 30)):
        (tmp_path / "perf" / "anchor").write_text(f"{name}  what it is\n")
        git("add", ".")
        commit(git, "an anchor", at_h)
        if name == first:
            assert (anchored(tmp_path).base, anchored(tmp_path).why) == (first, "perf/anchor")
    with pytest.raises(NoHistory, match="this clone does not know"):
        anchored(tmp_path)


def test_an_anchor_that_is_named_and_not_there_is_wrong_use_and_none_can_be_wanted(git: Git, tmp_path: Path):
    releases(git)
    with pytest.raises(RevisionUnknown, match="no-such-tag"):
        anchored(tmp_path, named="no-such-tag")
    with pytest.raises(NoHistory, match="none is wanted"):
        anchored(tmp_path, PERF_ANCHOR="none")
