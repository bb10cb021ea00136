"""The lines of a log are read once, also where the log was set aside and begun anew."""

import shutil

from hypothesis import given, settings
from hypothesis import strategies as st

from core.forwarding import lines
from core.forwarding.lines import FIRST_BYTES, read


def all_of(log, at):
    """What is read from there on, and where it ended."""
    found = []
    while True:
        got = read(log, at)
        found += got.lines
        if got.end == at:
            return found, at
        at = got.end


def test_a_log_that_is_not_there_yet_is_read_when_it_is(tmp_path):
    log = tmp_path / "server.log"
    assert all_of(log, None) == ([], 0)
    log.write_bytes(b"one\ntwo\nhalf")
    assert all_of(log, 0) == ([b"one", b"two"], 8)
    with log.open("ab") as file:
        file.write(b" done\n")
    assert all_of(log, 8) == ([b"half done"], 18)


def test_of_a_long_log_that_nobody_has_read_the_end_is_read(tmp_path):
    log = tmp_path / "server.log"
    log.write_bytes(b"x" * FIRST_BYTES + b"\n" + b"last\n")
    assert all_of(log, None)[0] == [b"last"]


def test_what_was_written_before_a_log_was_set_aside_is_read_first(tmp_path):
    log = tmp_path / "server.log"
    log.write_bytes(b"one\ntwo\n")
    _, at = all_of(log, None)
    with log.open("ab") as file:
        file.write(b"three\n")
    shutil.copyfile(log, log.with_name("server.log.1"))
    log.write_bytes(b"four\n")
    assert all_of(log, at)[0] == [b"three", b"four"]


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=30), max_size=20))
def test_no_line_stops_what_is_forwarded(texts):
    told = list(lines.log_records(tuple(texts), "e", lines.Resource({}), 5.0))
    assert len(told) <= len(texts)
    assert all(isinstance(record.log_record.body, str) for record in told)
