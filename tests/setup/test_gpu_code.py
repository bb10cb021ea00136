"""CatBoost's GPU code takes no room on disk once set-up is through, and nothing else of the library changes."""

import os
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "gpu_code.py"
LIBRARY = Path(sysconfig.get_path("platlib")) / "catboost" / "_catboost.so"
BLOCK = 4096
CODE = b"\x50" * (64 * BLOCK)

WITHOUT_CHARTS = """
import sys
sys.modules.update(dict.fromkeys(("matplotlib", "graphviz", "plotly"), None))
import catboost
model = catboost.CatBoostClassifier(iterations=2, verbose=False, allow_writing_files=False, thread_count=1)
print("trained", model.fit([["a"], ["b"], ["a"], ["c"]] * 5, [0, 1, 0, 1] * 5, cat_features=[0]).tree_count_)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux's wheels have CUDA inside")


def elf(section: bytes) -> bytes:
    """The shortest 64-bit ELF file with that section (of CODE, at the second block) and the table of names."""
    names = b"\0" + section + b"\0.shstrtab\0"
    names_at = BLOCK + len(CODE)
    table_at = names_at + len(names)
    entries = [(0,) * 10, (1, 1, 0, 0, BLOCK, len(CODE), 0, 0, 1, 0)]
    entries.append((2 + len(section), 3, 0, 0, names_at, len(names), 0, 0, 1, 0))
    header = struct.pack(
        "<16s2HI3QI6H", b"\x7fELF\x02\x01\x01", 3, 62, 1, 0, 0, table_at, 0, 64, 0, 0, 64, len(entries), 2
    )
    table = b"".join(struct.pack("<2I4Q2I2Q", *entry) for entry in entries)
    return header.ljust(BLOCK, b"\1") + CODE + names + table


def given_back(tmp_path: Path, content: bytes) -> tuple[Path, str]:
    """The library of that content after the script, and what the script said."""
    library = tmp_path / "catboost" / "_catboost.so"
    library.parent.mkdir(exist_ok=True)
    library.write_bytes(content)
    with library.open("rb") as file:
        os.fsync(file.fileno())  # blocks are counted once they are written
    said = subprocess.run([sys.executable, SCRIPT, tmp_path], capture_output=True, text=True, check=True)
    return library, said.stdout + said.stderr


def test_the_gpu_code_becomes_a_hole_and_every_other_byte_stays(tmp_path: Path) -> None:
    library, said = given_back(tmp_path, elf(b".nv_fatbin"))
    if said:  # the file system knows no holes
        assert said.startswith("CatBoost's GPU code stays on disk")
        assert library.read_bytes() == elf(b".nv_fatbin")
        return
    assert library.read_bytes() == elf(b".nv_fatbin").replace(CODE, bytes(len(CODE)))
    assert library.stat().st_blocks * 512 < 4 * BLOCK


@pytest.mark.parametrize(
    "content",
    [elf(b".rodata"), b"", b"\x7fELF\x01\x01" + bytes(100), b"#!/bin/sh\n" * 50],
    ids=["without GPU code", "empty", "of 32 bits", "no library"],
)
def test_any_other_file_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    library, said = given_back(tmp_path, content)
    assert library.read_bytes() == content
    assert not said


def test_the_installed_library_takes_a_quarter_of_its_length_and_trains_without_anything_that_draws() -> None:
    found = LIBRARY.stat()
    if found.st_size > 200e6:
        assert found.st_blocks * 512 < 80e6, "run scripts/gpu_code.py: set-up does"
    trained = subprocess.run([sys.executable, "-c", WITHOUT_CHARTS], capture_output=True, text=True, check=True)
    assert trained.stdout == "trained 2\n"
