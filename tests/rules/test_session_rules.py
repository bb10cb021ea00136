"""The rules of a test run, on small runs of their own."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from session_rules import allowed_reasons, parts_of_file

from scripts import run_tests

TESTS = Path(__file__).parents[1]

SUITE = """
import pytest

@pytest.mark.measures
def test_a_measures():
    pass

def test_b():
    pass

@pytest.mark.skip(reason="{reason}")
def test_c():
    pass
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    def run(reason: str, ci: str, *options: str, suite: str = SUITE) -> subprocess.CompletedProcess[str]:
        (tmp_path / "pytest.ini").write_text(f"[pytest]\nmarkers = measures\npythonpath = {TESTS}\n")
        (tmp_path / "test_small.py").write_text(suite.format(reason=reason))
        (tmp_path / "conftest.py").write_text('pytest_plugins = ["session_rules"]\n')
        monkeypatch.setenv("CI", ci)
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        line = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *options, str(tmp_path)]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    return run


def test_ci_fails_on_a_skip_that_is_not_allowed(run):
    ran = run("no chromium here", "true")
    assert ran.returncode == 1
    assert "skips.txt does not allow it: no chromium here" in ran.stdout


def test_elsewhere_a_skip_is_counted_and_printed(run):
    ran = run("no chromium here", "")
    assert ran.returncode == 0
    assert "1  no chromium here" in ran.stdout


def test_ci_accepts_a_reason_that_is_allowed(run):
    assert run("../shared is not here", "true").returncode == 0


def test_what_measures_comes_last(run):
    lines = [line for line in run("../shared is not here", "").stdout.splitlines() if "::test_" in line]
    assert [line.split("::")[1].split()[0] for line in lines if "%" in line] == ["test_b", "test_c", "test_a_measures"]


def test_a_comment_is_no_reason():
    assert allowed_reasons("# why\n\n one \ntwo\n") == {"one", "two"}


def test_what_measures_waits_for_the_other_parts_as_long_as_is_said(run, tmp_path):
    lock = tmp_path / "lock"
    with lock.open("w") as another_part:
        fcntl.flock(another_part, fcntl.LOCK_SH)
        ran = run("", "", "--half=live", f"--half-lock={lock}", "--half-others-s=0.1")
    assert ran.returncode == 1
    assert "Still False after 0.1 s" in ran.stdout
    assert "1 error" in ran.stdout


def test_the_full_tests_run_in_the_same_parts_and_wait_longer():
    (test, arguments), (full, others) = (run_tests.depth_of(line) for line in (["-x"], ["--full", "-x"]))
    assert arguments == others == ["-x"]
    lines = [run_tests.command("live", depth, "/reports", Path("/kept"), arguments) for depth in (test, full)]
    differing = [(one, other) for one, other in zip(*lines, strict=True) if one != other]
    assert differing == [
        ("not full and not chaos", "not chaos"),
        (f"--half-others-s={test.others_s}", f"--half-others-s={full.others_s}"),
    ]
    assert full.others_s > test.others_s


def test_the_tests_folders_are_in_memory_only_where_there_is_room(tmp_path):
    assert run_tests.roomy(tmp_path, 1) == tmp_path
    assert run_tests.roomy(tmp_path / "absent", 1) is None
    assert run_tests.roomy(tmp_path, 1 << 60) is None


@pytest.mark.parametrize(
    ("place", "text", "parts"),
    [
        ("tests/local/test_a.py", "", {"rest"}),
        ("tests/local/test_a.py", "@pytest.mark.measures", {"rest", "live"}),
        ("tests/browser/test_a.py", "def test_a(quickstart): ...", {"rest", "live"}),
        ("tests/serving/test_a.py", "", {"live"}),
        ("ml/checkout/tests/local/test_a.py", "", {"rest"}),
        ("tests/azure/test_a.py", "", {"azure"}),
        ("tests/gate/test_a.py", "", {"azure"}),
        ("tests/gate/test_a.py", "@pytest.mark.measures", {"azure", "live"}),
        ("tests/workspace/test_a.py", "", {"azure", "rest"}),
        ("contract_tests/azure/test_a.py", "", {"azure"}),
    ],
)
def test_a_part_loads_the_files_that_may_have_tests_of_it(tmp_path, place, text, parts):
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert parts_of_file(path) == parts


def test_what_a_folder_shares_counts_for_each_of_its_files(tmp_path):
    folder = tmp_path / "tests" / "pages"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text("")
    (folder / "conftest.py").write_text("def app(quickstart): ...")
    assert parts_of_file(folder / "test_a.py") == {"rest", "live"}


def test_a_test_that_no_part_would_run_ends_the_run(run, tmp_path):
    hidden = "import pytest\n\n@getattr(pytest.mark, 'meas' + 'ures')\ndef test_a():\n    pass\n"
    ran = run("", "", "--half=rest", f"--half-lock={tmp_path / 'lock'}", suite=hidden)
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "No part of `make test` would run these" in ran.stderr + ran.stdout
    assert "test_small.py::test_a" in ran.stderr + ran.stdout
