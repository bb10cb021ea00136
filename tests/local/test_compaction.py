import os
import subprocess
import sys
import time
from pathlib import Path

from core.local.records import catalog
from core.local.service.janitor import cut, written_by_the_living


def test_a_long_log_is_cut_and_its_end_is_kept_while_its_writer_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 50 + b"last\n")
        cut(path, max_bytes=100, kept_bytes=9)
        writer.write(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert (tmp_path / "server.log.1").read_bytes() == b"old\nlast\n"


def test_a_short_log_and_no_log_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    cut(path)
    path.write_bytes(b"short\n")
    cut(path)
    assert path.read_bytes() == b"short\n"


def open_segment(folder: Path, pid: int, opened: float, written: float) -> catalog.Segment:
    path = folder / f"seg-{opened * 1000:.0f}-{pid}-1.jsonl.open"
    folder.mkdir(exist_ok=True)
    path.touch()
    os.utime(path, (written, written))
    (segment,) = catalog.look(folder).segments
    return segment


def test_a_segment_is_left_alone_while_its_server_lives(tmp_path: Path) -> None:
    now = time.time()
    assert written_by_the_living(open_segment(tmp_path, os.getpid(), now, now))


def test_a_segment_whose_server_is_gone_is_finished_also_where_another_process_has_its_pid(tmp_path: Path) -> None:
    long_ago = time.time() - 5 * 86_400
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not written_by_the_living(open_segment(tmp_path / "one", ended.pid, long_ago, long_ago))
    assert not written_by_the_living(open_segment(tmp_path / "two", os.getpid(), long_ago, long_ago))
