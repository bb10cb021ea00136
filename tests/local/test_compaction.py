from pathlib import Path

from core.local.compaction import cut


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
