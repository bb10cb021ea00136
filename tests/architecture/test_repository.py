"""The repository speaks of the product alone."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MACHINE = re.compile(r"(?<![\w.])/(?:work|home|Users|root)/(?!me\b)[\w.]+")
"""An absolute path of somebody's machine; /home/me is the example in texts."""

OLD_WORKSPACES = ROOT / "tests" / "old_workspaces"
"""Made of an invented table by the script beside them, so that today's code is held to what earlier ones kept."""


def tracked() -> list[Path]:
    line = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as e:
        pytest.skip(f"not a git checkout: {e}")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_machines_path():
    found = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # pictures and recorded bytes
        found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in MACHINE.finditer(text)]
    assert found == []


def test_no_data_is_kept_with_the_code():
    kept = [path for path in tracked() if path.suffix in (".csv", ".xz", ".parquet", ".db", ".pkl", ".pickle")]
    assert [path for path in kept if path.parent != OLD_WORKSPACES] == []


def test_old_workspaces_are_small():
    assert [path.name for path in OLD_WORKSPACES.glob("*.tar.xz") if path.stat().st_size > 300_000] == []
