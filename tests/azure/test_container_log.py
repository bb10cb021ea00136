"""The log of a deployment's container tells why it has failed: its last traceback."""

import pytest

from core.azure import container_log

FAILED = """Instance status:
SystemSetup: Succeeded
UserContainerImagePull: Succeeded
ModelDownload: Succeeded
UserContainerStart: InProgress

Container events:
Kind: Pod, Name: Pulled, Type: Normal, Time: 2026-05-01T12:00:00.123456Z, Message: Container image is present
2026-05-01 12:00:10,001 I [70] azmlinfsrv - Loaded logging config from /etc/logging.json
2026-05-01 12:00:11,002 E [70] azmlinfsrv - Traceback (most recent call last):
  File "/var/azureml-server/user_script.py", line 77, in invoke_init
    self._user_init()
ValueError: an earlier one
2026-05-01 12:00:12,500 E [70] azmlinfsrv - Traceback (most recent call last):
  File "/var/azureml-app/score.py", line 8, in init
    model = load(path)
ModuleNotFoundError: No module named 'lightgbm'

2026-05-01 12:00:12,600 I [70] gunicorn.error - Worker exiting (pid: 70)
"""


def test_the_last_traceback_and_its_line_are_found():
    found = container_log.last_traceback(FAILED)
    assert found.splitlines()[0] == "Traceback (most recent call last):"
    assert "score.py" in found
    assert "an earlier one" not in found
    assert container_log.cause(FAILED) == "ModuleNotFoundError: No module named 'lightgbm'"


def test_lines_have_times_and_levels():
    lines = container_log.lines(FAILED)
    assert len(lines) == len(FAILED.splitlines())
    by_text = {line.text: line for line in lines}
    init = by_text["    model = load(path)"]
    assert (init.level, init.at) == ("error", 1777636812.5)
    exiting = next(line for line in lines if "Worker exiting" in line.text)
    assert (exiting.level, exiting.at) == ("info", 1777636812.6)


@pytest.mark.parametrize("text", ["", "all is well", "2026-05-01 12:00:12,600 I [70] x - fine"])
def test_a_log_without_an_error_tells_no_cause(text):
    assert container_log.cause(text) == container_log.last_traceback(text) == ""


def test_without_a_traceback_the_last_error_is_the_cause():
    assert container_log.cause("2026-05-01 12:00:12,600 E [70] x - no space left\nmore").endswith("more")
