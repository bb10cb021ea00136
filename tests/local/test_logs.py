"""A server's log is read from its end, by level and by request, and does not grow for ever."""

import json

import pytest

from core.local.machine.logs import last_words, rotate, server_log


def request(number: int, status: int = 200) -> bytes:
    entry = {"at": float(number), "request_id": f"r{number}", "client_request_id": f"c{number}", "status": status}
    return json.dumps(entry).encode() + b"\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "server.log"
    path.write_bytes(b"".join(request(n, 500 if n == 7 else 401 if n % 10 == 0 else 200) for n in range(1, 5001)))
    return path


def test_the_last_lines_come_oldest_first(log):
    assert [line.at for line in server_log(log, 3)] == [4998, 4999, 5000]


def test_lines_of_a_level_are_found_however_far_back(log):
    assert [(line.at, line.level) for line in server_log(log, 5, level="error")] == [(7, "error")]
    assert [line.at for line in server_log(log, 2, level="warning")] == [4990, 5000]


@pytest.mark.parametrize("request_id", ["r1234", "c1234"])
def test_lines_of_a_request_are_found_by_either_id(log, request_id):
    assert [line.at for line in server_log(log, 10, request_id=request_id)] == [1234]


def test_text_that_is_no_json_is_a_line_too(log):
    with log.open("ab") as file:
        file.write(b"ValueError: the arrays are damaged\n")
    assert server_log(log, 1)[0].text == "ValueError: the arrays are damaged"
    assert server_log(log, 1)[0].level == "error"


def test_a_request_reads_as_its_figures_without_what_is_empty(log):
    entry = {"at": 1.0, "request_id": "r9", "trace_id": "", "mirrored": False, "elapsed_ms": 1.23456, "status": 200}
    with log.open("ab") as file:
        file.write(json.dumps(entry).encode() + b"\n")
    assert server_log(log, 1)[0].text == "status=200 elapsed_ms=1.23 request_id=r9"


def test_an_event_reads_as_it_was_told_with_its_traceback(log):
    entry = {"at": 1.0, "level": "error", "event": "v2 does not load", "error": "ValueError", "traceback": ["  at a\n"]}
    with log.open("ab") as file:
        file.write(json.dumps(entry).encode() + b"\n")
    assert server_log(log, 1)[0].text == "v2 does not load\n  at a\nValueError"


def test_a_log_that_grew_too_large_is_set_aside_and_still_read(log):
    size = log.stat().st_size
    rotate(log, size)
    assert log.stat().st_size == size
    with log.open("ab") as writer:
        writer.write(request(5001))
        writer.flush()
        rotate(log, size)
        writer.write(request(5002))
    assert log.stat().st_size < 1000
    assert [line.at for line in server_log(log, 3)] == [5000, 5001, 5002]


def test_a_long_log_is_kept_beside_while_its_writer_goes_on(tmp_path):
    path = tmp_path / "server.log"
    for text in (b"older\n" * 50, b"old\n" * 50):
        with path.open("ab", buffering=0) as writer:
            writer.write(text)
            rotate(path, max_bytes=100)
            writer.write(b"new\n")
        assert path.read_bytes() == b"new\n"
    assert (tmp_path / "server.log.1").read_bytes() == b"new\n" + b"old\n" * 50
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "server.log.1"]


def test_a_short_log_and_no_log_are_left_alone(tmp_path):
    path = tmp_path / "server.log"
    rotate(path)
    path.write_bytes(b"short\n")
    rotate(path)
    assert path.read_bytes() == b"short\n"
    assert list(tmp_path.iterdir()) == [path]


def test_no_log_has_no_lines(tmp_path):
    assert server_log(tmp_path / "server.log", 10) == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (request(1).decode(), ""),
        ('{"at": 1.0, "level": "info", "event": "worker 0 was replaced"}', ""),
        ('{"at": 1.0, "level": "critical", "event": "a watch has ended", "error": "OSError", "traceback": []}',
         "a watch has ended: OSError"),
        ('{"error": {"status": 400, "message": "The file cannot be read", "hint": ""}}', "The file cannot be read"),
        ("ModuleNotFoundError: No module named 'x'", "ModuleNotFoundError: No module named 'x'"),
    ],
)  # fmt: skip
def test_why_a_server_ended_is_no_request_that_it_answered(tmp_path, line, said):
    (tmp_path / "server.log").write_text(f"Error: of an earlier life\n{line}\n")
    assert last_words(tmp_path / "server.log") == said
