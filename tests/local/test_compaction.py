import os
import subprocess
import sys
import time
from pathlib import Path

from core.local.records import catalog
from core.local.service.janitor import written_by_the_living


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
