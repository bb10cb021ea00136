"""The compiled evaluator of forests is built where there is a C compiler; where there is none, one line says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.predict.kernel import opened, place

ROOT = Path(__file__).parents[2]


def build(library: Path, compiler: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, ROOT / "scripts" / "kernel.py", library]
    environ = {**os.environ, "CC": compiler}
    return subprocess.run(line, env=environ, capture_output=True, text=True, check=False)


def test_without_a_compiler_one_line_says_that_numpy_answers(tmp_path):
    ran = build(tmp_path / "kernel.so", "no-such-compiler")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert len(ran.stderr.splitlines()) == 1
    assert "numpy gives the same answers" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_compiler_that_fails_is_told_by_its_first_words(tmp_path):
    failing = tmp_path / "cc"
    failing.write_text("#!/bin/sh\necho 'stdint.h: no such file' >&2\nexit 1\n")
    failing.chmod(0o755)
    ran = build(tmp_path / "made" / "kernel.so", str(failing))
    assert ran.returncode == 0
    assert "(stdint.h: no such file)" in ran.stderr


def test_what_is_built_once_is_not_built_again(tmp_path):
    library = tmp_path / "kernel.so"
    library.write_bytes(b"there")
    assert build(library, "no-such-compiler").stderr == ""


def test_the_library_has_the_name_of_its_source_and_lies_in_the_environment(tmp_path, monkeypatch):
    first = place()
    assert first.is_relative_to(sys.prefix)
    other = tmp_path / "kernel.c"
    other.write_text("int other;")
    for source in ("SOURCE", "HEADER"):
        with monkeypatch.context() as changed:
            changed.setattr(f"core.predict.kernel.{source}", other)
            assert place().name != first.name


def test_a_file_that_is_no_library_is_not_taken(tmp_path):
    broken = tmp_path / "kernel.so"
    broken.write_bytes(b"no library")
    with pytest.raises(OSError, match=r"kernel\.so"):
        opened(broken)
