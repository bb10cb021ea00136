"""A run that failed is told to a webhook and to a program until they have taken it, whoever is killed in between."""

import json
import os
import shlex
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from hook import Hook
from local_world import World
from run_by_hand import ByHand
from waiting import wait_until

from core.definitions.advance import Ended
from core.domain.errors import ServiceUnavailable
from core.domain.job import JobState
from core.domain.pipeline import PipelineStep, StepKind, ValueType
from core.local.service.notifying import run_command, send_post
from core.local.service.telling import GIVE_UP_S, LONGEST_S, Telling
from core.local.store import Store
from core.settings import CHECKOUT

PLAN = (
    PipelineStep("train", StepKind.COMMAND, settings={"command": ["x"]}, outputs={"v": ValueType.INTEGER}, code="c"),
)


def fail(world: World) -> str:
    """The id of a run that has failed."""
    by_hand = ByHand(world.store, world.settings, lambda step, job_id: Ended(JobState.FAILED, "it broke", "mend it"))
    job = by_hand.add(PLAN)
    by_hand.finish(job, PLAN)
    return job.id


def notice(world: World) -> dict[str, Any]:
    (row,) = world.store._database.rows("SELECT * FROM notices")
    return dict(row)


def test_a_webhook_that_fails_twice_takes_it_the_third_time_and_only_once(world: World, hook: Hook) -> None:
    run_id, now = fail(world), [time.time()]
    hook.answers = [(500, ""), (429, "")]
    telling = Telling(world.store, replace(world.settings, notify_url=hook.url), clock=lambda: now[0])
    for wait_s, asked in ((0, 1), (9, 1), (2, 2), (19, 2), (2, 3), (100, 3)):
        now[0] += wait_s
        telling.once()
        assert len(hook.asked) == asked
    path, told = hook.asked[-1]
    assert path == "/hook?token=secret"
    assert told == {
        "event": "run.failed", "text": "Run 1 of pipeline 'p' failed: Step 'train' failed: it broke",
        "run": run_id, "pipeline": "p", "version": 1, "number": 1, "experiment": "x", "schedule": "",
        "state": "failed", "message": "Step 'train' failed: it broke", "hint": "mend it", "failed_step": "train",
        "started_at": told["started_at"], "ended_at": told["ended_at"], "uri": f"/pipelines/p/jobs/{run_id}",
    }  # fmt: skip
    assert (notice(world)["tries"], notice(world)["error"]) == (2, "")
    documented = (CHECKOUT / "docs" / "pipelines.md").read_text("utf-8").partition("## When a run fails")[2]
    assert [key for key in told if f"`{key}`" not in documented] == []


def test_a_run_that_succeeds_is_told_to_nobody(world: World, hook: Hook) -> None:
    ByHand(world.store, world.settings).run(PLAN)
    Telling(world.store, replace(world.settings, notify_url=hook.url)).once()
    assert hook.asked == []


def test_nobody_to_tell_is_no_work_left(world: World) -> None:
    fail(world)
    Telling(world.store, world.settings).once()
    assert notice(world)["sent_at"] is not None


def test_after_a_day_it_is_given_up_and_a_clock_that_is_set_back_holds_nothing_up(world: World, hook: Hook) -> None:
    fail(world)
    hook.answers, now = [(500, "")] * 3, [time.time() + 2 * LONGEST_S]
    telling = Telling(world.store, replace(world.settings, notify_url=hook.url), clock=lambda: now[0])
    telling.once()
    now[0] -= 1.5 * LONGEST_S
    telling.once()
    assert len(hook.asked) == 2
    now[0] += GIVE_UP_S
    telling.once()
    assert notice(world)["error"] == "SLIPWAY_NOTIFY_URL: 127.0.0.1 answered 500"
    telling.once()
    assert len(hook.asked) == 3


def test_one_way_that_fails_does_not_tell_the_other_twice(world: World, hook: Hook) -> None:
    fail(world)
    now = [time.time()]
    settings = replace(world.settings, notify_url=hook.url, notify_command="/nothing/there")
    telling = Telling(world.store, settings, clock=lambda: now[0])
    for _ in range(2):
        telling.once()
        now[0] += 60.0
    assert len(hook.asked) == 1
    assert "SLIPWAY_NOTIFY_COMMAND: the program cannot be started" in notice(world)["error"]


def test_the_service_tells_after_it_was_killed(world: World, hook: Hook) -> None:
    fail(world)
    world.settings = replace(world.settings, notify_url=hook.url)
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.read(read, 1)  # until it is known who is to be killed
        Telling(Store(world.paths.store), world.settings).once()
        os._exit(0)
    hook.kills = child
    os.write(write, b"1")
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert (len(hook.asked), notice(world)["sent_at"]) == (1, None)
    hook.kills = 0
    with Telling(Store(world.paths.store), world.settings, every_s=0.01).background():
        wait_until(lambda: notice(world)["sent_at"] is not None, 10)
    assert len(hook.asked) == 2


def test_nobody_sends_us_to_another_host(hook: Hook) -> None:
    for status in (301, 302, 303, 307, 308):
        hook.answers = [(status, "http://localhost:9/elsewhere")]
        with pytest.raises(ServiceUnavailable, match=rf"127.0.0.1 answered {status} \(a redirect to another"):
            send_post(hook.url, b"{}")
    hook.asked, hook.answers = [], [(307, "/new"), (308, "/newer")]
    send_post(hook.url, b'{"a": 1}')
    assert hook.asked == [("/hook?token=secret", {"a": 1}), ("/new", {"a": 1}), ("/newer", {"a": 1})]


def test_who_answers_a_byte_at_a_time_keeps_nobody() -> None:
    def trickle(listener: socket.socket) -> None:
        taken, _ = listener.accept()
        with taken, suppress(OSError):
            while True:
                taken.sendall(b"H")
                time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=trickle, args=(listener,), daemon=True).start()
        with pytest.raises(ServiceUnavailable, match=r"127.0.0.1 did not answer within 0.2 s"):
            send_post(f"http://127.0.0.1:{listener.getsockname()[1]}/", b"{}", timeout_s=0.2)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "hook", "http://", "http://[::1", "ftp://host/x"])
def test_only_a_web_address_is_posted_to(url: str) -> None:
    with pytest.raises(ServiceUnavailable, match="none of http"):
        send_post(url, b"{}")


def test_nothing_of_the_addresss_secret_is_told(hook: Hook) -> None:
    hook.answers = [(500, "")]
    with pytest.raises(ServiceUnavailable) as refused:
        send_post(hook.url, b"{}")
    hook.shutdown()
    hook.server_close()
    with pytest.raises(ServiceUnavailable) as away:
        send_post(hook.url, b"{}")
    assert "secret" not in f"{refused.value.message} {away.value.message}"


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def test_a_program_reads_it_and_what_it_prints_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    out = tmp_path / "got"
    code = f"import sys; open({str(out)!r}, 'w').write(sys.stdin.read()); print('thank you'); print('x' * 1000000)"
    body = json.dumps({"text": "y" * 300_000}).encode()
    run_command(python(code), body)
    assert out.read_bytes() == body
    assert "thank you" in caplog.text
    assert len(caplog.text) < 10_000
    run_command("true", body)


def test_a_program_that_fails_is_told_so() -> None:
    with pytest.raises(ServiceUnavailable, match="exit code 3"):
        run_command(python("raise SystemExit(3)"), b"{}")
    for nothing in ("", "/nothing/there", "'"):
        with pytest.raises(ServiceUnavailable, match="cannot be started"):
            run_command(nothing, b"{}")


def test_a_program_that_does_not_end_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); child = os.fork()\n"
        f"if child: open({str(pid)!r}, 'w').write(str(child))\n"
        "time.sleep(60)"
    )
    with pytest.raises(ServiceUnavailable, match="did not end within 1 s"):
        run_command(python(code), b"{}", timeout_s=1.0)
    wait_until(lambda: not _runs(int(pid.read_text())), 5)


def test_a_child_that_holds_the_output_open_holds_nobody_up() -> None:
    began = time.monotonic()
    run_command(python("import os, time\nif not os.fork(): time.sleep(60)"), b"{}")
    assert time.monotonic() - began < 10


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
