"""The repository speaks of the product alone."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MACHINE = re.compile(r"(?<![\w.])/(?:work|home|Users|root)/(?!me\b)[\w.]+")
"""An absolute path of somebody's machine; /home/me is the example in texts."""


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
    kept = [path.name for path in tracked() if path.suffix in (".csv", ".xz", ".parquet", ".db", ".pkl", ".pickle")]
    assert kept == []
