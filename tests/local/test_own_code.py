"""Steps with code of their own: what they are told, what they give, and what becomes of what they start."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ending import gone
from local_world import World
from own_steps import command, function, publish_code, work_on

from core.domain.errors import StepFailed
from core.domain.pipeline import PipelineStep, StepKind, ValueType

TELL = """
import json, os, sys
told = json.load(open(os.environ["SLIPWAY_STEP_INPUTS"]))
out = os.environ["SLIPWAY_STEP_OUTPUTS"]
json.dump({"words": sys.argv[1:], "environ": dict(os.environ), "told": told, "cwd": os.getcwd(),
           "here": sorted(os.listdir())}, open(f"{out}/outputs.json.tmp", "w"))
os.rename(f"{out}/outputs.json.tmp", f"{out}/told")
"""


def told_by(world: World, step: PipelineStep, **inputs: tuple[ValueType, object]) -> dict:  # type: ignore[type-arg]
    result = work_on(world, step, inputs).do()
    return json.loads(world.paths.step_file(result.outputs["told"]).read_bytes())  # type: ignore[no-any-return]


def test_parameters_reach_a_command_as_words_and_as_a_file_and_never_a_shell(world: World) -> None:
    odd = "$(touch /tmp/x); `id` 'a' \"b\" *  ü\n"
    step = command(world, TELL, odd, 7, arguments={"rate": 0.5, "names": [odd]}, outputs={"told": ValueType.FILE})
    told = told_by(world, step)
    assert told["words"] == [odd, "7"]
    assert told["told"]["arguments"] == {"rate": 0.5, "names": [odd]}
    assert told["here"] == ["step.py"]


def test_a_step_sees_neither_keys_nor_settings_nor_where_the_workspace_lies(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_KEY", "a key")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "a secret")
    monkeypatch.setenv("SLIPWAY_HOME", str(world.paths.home))
    environ = told_by(world, command(world, TELL, outputs={"told": ValueType.FILE}))["environ"]
    assert {name for name in environ if name.startswith("SLIPWAY")} <= {
        "SLIPWAY_STEP",
        "SLIPWAY_STEP_INPUTS",
        "SLIPWAY_STEP_OUTPUTS",
        "SLIPWAY_STEP_CHECKPOINT",
        "SLIPWAY_FAILPOINTS",
    }
    assert "AZURE_CLIENT_SECRET" not in environ


def test_inputs_come_with_the_place_where_they_lie(world: World) -> None:
    made = work_on(world, command(world, TELL, outputs={"told": ValueType.FILE})).do()
    told = told_by(
        world,
        command(world, TELL, outputs={"told": ValueType.FILE}),
        data=(ValueType.DATA, "t:1"),
        before=(ValueType.FILE, made.outputs["told"]),
        better=(ValueType.BOOLEAN, True),
    )["told"]["inputs"]
    assert told["data"] == {"type": "data", "value": "t:1", "path": str(world.paths.table("t", "ab" * 32))}
    assert Path(told["before"]["path"]).is_file()
    assert told["better"] == {"type": "boolean", "value": True}


def test_a_function_is_called_by_keywords_and_what_it_returns_are_its_outputs(world: World) -> None:
    code = """
import pathlib
import numpy
def run(rate, data, better):
    assert better is True
    pathlib.Path("report.txt").write_text("of " + pathlib.Path(data).name)
    return {"score": numpy.float64(rate * 2), "rows": numpy.int64(3), "report": "report.txt", "all": {"a": [1]}}
"""
    outputs = {
        "score": ValueType.NUMBER,
        "rows": ValueType.INTEGER,
        "report": ValueType.FILE,
        "all": ValueType.JSON,
    }
    step = function(world, code, {"rate": 0.25}, outputs=outputs)
    doing = work_on(world, step, {"data": (ValueType.DATA, "t:1"), "better": (ValueType.BOOLEAN, True)})
    result = doing.do()
    reference = f"{doing.job.id}/report"
    assert result.outputs == {"score": 0.5, "rows": 3, "report": reference, "all": {"a": [1]}}
    assert world.paths.step_file(reference).read_text() == "of table.parquet"
    assert set(result.files) == {"report"}
    assert not list(doing.world.paths.job(doing.job.id).glob("work-*")), "nothing but the outputs stays"


def test_a_module_of_the_users_own_named_as_one_of_ours_is_the_users(world: World) -> None:
    digest = publish_code(
        world,
        {"core/__init__.py": "WHOSE = 'mine'", "step.py": "import core\ndef run():\n  return {'whose': core.WHOSE}"},
    )
    settings = {"function": "step:run"}
    step = PipelineStep("own", StepKind.PYTHON, settings=settings, code=digest, outputs={"whose": ValueType.STRING})
    assert work_on(world, step).do().outputs == {"whose": "mine"}


WRONG = [
    ("{'n': 'x'}", {"n": ValueType.INTEGER}, "Output 'n' is \"x\", expected an integer"),
    ("{'n': True}", {"n": ValueType.NUMBER}, "Output 'n' is true, expected a number"),
    ("{}", {"n": ValueType.BOOLEAN}, "Output 'n' is missing, expected true or false"),
    ("None", {"n": ValueType.FILE}, "Output 'n' is missing, expected a file or folder"),
    ("{'n': 'u:3'}", {"n": ValueType.DATA}, "Output 'n': There is no data asset 'u:3'"),
    ("{'n': 3}", {"n": ValueType.MODEL}, "Output 'n' is 3, expected the name of a model"),
    ("[1]", {}, "It ended with exit code 1: TypeError: The function returned list, expected a mapping"),
    ("{'n': float('nan')}", {"n": ValueType.NUMBER}, "Out of range float values are not JSON compliant"),
    ("{'n': object()}", {"n": ValueType.JSON}, "object is not a JSON value"),
    ("1 / 0", {}, "It ended with exit code 1: ZeroDivisionError: division by zero"),
    ("__import__('os').symlink('/etc', __import__('os').environ['SLIPWAY_STEP_OUTPUTS'] + '/n')", {"n": ValueType.FILE},
     "Output 'n': 'n' is a symbolic link"),
    ("__import__('os').mkfifo(__import__('os').environ['SLIPWAY_STEP_OUTPUTS'] + '/n')", {"n": ValueType.FILE},
     "Output 'n': 'n' is neither a file nor a folder"),
]  # fmt: skip


@pytest.mark.parametrize(("returned", "outputs", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_what_is_not_as_declared_fails_the_step(
    world: World, returned: str, outputs: dict[str, ValueType], message: str
) -> None:
    step = function(world, f"def run():\n    return {returned}", outputs=outputs)
    with pytest.raises(StepFailed) as failed:
        work_on(world, step).do()
    assert message in failed.value.message


def test_a_program_that_is_not_there_and_code_that_is_damaged_say_so(world: World) -> None:
    missing = PipelineStep("own", StepKind.COMMAND, settings={"command": ["no-such-program"]})
    with pytest.raises(StepFailed, match="There is no program 'no-such-program'"):
        work_on(world, missing).do()
    step = command(world, "pass")
    world.paths.pipeline_code(step.code).write_bytes(b"something else")
    with pytest.raises(StepFailed, match="code is damaged"):
        work_on(world, step).do()


def test_a_script_of_the_code_is_named_by_its_path(world: World) -> None:
    digest = publish_code(world, {"bin/hello.sh": '#!/bin/sh\necho "hello $1"\n'})
    step = PipelineStep("own", StepKind.COMMAND, settings={"command": ["bin/hello.sh", "a  b"]}, code=digest)
    doing = work_on(world, step)
    doing.do()
    assert ("out", "hello a  b") in doing.log


def test_what_is_printed_is_logged_with_its_level_and_the_last_error_is_the_message(world: World) -> None:
    code = """
import sys
print("line 1"); print("10%\\r50%\\r100%"); sys.stdout.flush()
sys.stdout.buffer.write(b"caf\\xe9\\r\\n"); print("no end", end=""); sys.stdout.flush()
print("bad luck", file=sys.stderr)
sys.exit(3)
"""
    doing = work_on(world, command(world, code))
    with pytest.raises(StepFailed, match=r"^It ended with exit code 3: bad luck$"):
        doing.do()
    assert [text for level, text in doing.log if level == "out"] == ["line 1", "100%", "caf\ufffd", "no end"]
    assert ("err", "bad luck") in doing.log


LEAVES = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
code = '''
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.setsid()
if os.fork(): os._exit(0)
open(sys.argv[1] + str(os.getpid()), "w").close()
time.sleep(600)
'''
for _ in range(3):
    if os.fork() == 0:
        os.execve(sys.executable, [sys.executable, "-c", code, sys.argv[1]], {} if _ else dict(os.environ))
open(sys.argv[1] + str(os.getpid()), "w").close()
while len(os.listdir(sys.argv[1])) < 4: time.sleep(0.01)
print("all there", flush=True)
"""


def noted(folder: Path) -> list[int]:
    """The processes that have left their number there."""
    return [int(path.name) for path in folder.iterdir()]


def running(pids: list[int]) -> list[int]:
    return [pid for pid in pids if not gone(pid)]


@pytest.fixture
def pids(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "pids"
    folder.mkdir()
    yield folder
    for pid in running(noted(folder)):
        os.kill(pid, signal.SIGKILL)


def test_nothing_that_a_step_has_started_outlives_it(world: World, pids: Path) -> None:
    doing = work_on(world, command(world, LEAVES, f"{pids}/"))
    doing.do()
    assert len(noted(pids)) == 4
    assert running(noted(pids)) == []
    said = [text for level, text in doing.log if level == "warning"]
    counted = [int(match[1]) for text in said if (match := re.fullmatch(r"It left (\d+) processes running, .*", text))]
    assert [count >= 3 for count in counted] == [True], "a shell that is just forking counts too, on a busy machine"


def test_a_step_that_takes_too_long_is_ended_with_all_it_has_started(world: World, pids: Path) -> None:
    code = LEAVES + "\ntime.sleep(600)"
    began = time.monotonic()
    with pytest.raises(StepFailed, match=r"^It ran for [1-4]\.\d s, its limit is 1 s$"):
        work_on(world, command(world, code, f"{pids}/", timeout_s=1.0)).do()
    assert time.monotonic() - began < 10
    assert running(noted(pids)) == []


def test_memory_is_counted_over_all_processes_of_a_step(world: World) -> None:
    grow = """
import os, time
for _ in range(3):
    if os.fork() == 0: break
block = bytearray(60 << 20)
time.sleep(600)
"""
    with pytest.raises(StepFailed, match=r"^It used \d{3} MB of memory, its limit is 150 MB$"):
        work_on(world, command(world, grow, memory_mb=150)).do()


def test_memory_that_forks_share_is_counted_once(world: World) -> None:
    share = """
import os, time
block = bytearray(60 << 20)
for _ in range(3):
    if os.fork() == 0:
        time.sleep(0.6); os._exit(0)
time.sleep(0.6)
"""
    work_on(world, command(world, share, memory_mb=150)).do()


def test_one_allocation_far_above_the_limit_is_refused(world: World) -> None:
    with pytest.raises(StepFailed, match=r"MemoryError|It used"):
        work_on(world, command(world, "block = b'x' * (8 << 30)", memory_mb=100)).do()


def test_a_checkpoint_is_there_for_the_next_attempt_until_one_succeeds(world: World) -> None:
    code = """
import os, pathlib, sys
kept = pathlib.Path(os.environ["SLIPWAY_STEP_CHECKPOINT"], "half")
if not kept.exists():
    kept.write_text("half"); sys.exit(1)
print("went on from", kept.read_text())
"""
    doing = work_on(world, command(world, code))
    with pytest.raises(StepFailed):
        doing.do()
    doing.do()
    assert ("out", "went on from half") in doing.log
    assert not list(world.paths.job(doing.run_job.id).glob("checkpoints/*/*"))


def test_a_folder_is_an_output_too(world: World) -> None:
    code = """
import os, pathlib
folder = pathlib.Path(os.environ["SLIPWAY_STEP_OUTPUTS"], "charts", "inner")
folder.mkdir(parents=True)
(folder / "a.txt").write_text("a")
"""
    result = work_on(world, command(world, code, outputs={"charts": ValueType.FILE})).do()
    assert (world.paths.step_file(result.outputs["charts"]) / "inner" / "a.txt").read_text() == "a"
