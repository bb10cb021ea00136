"""What the quickstart left running: any client, the exercise's own client and load line, and the records of them."""

import json
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import living
import pytest
from waiting import wait_until

from core.domain.endpoint import GateState
from core.domain.job import JobState
from core.settings import CHECKOUT


def post(live, body: bytes, **headers):
    request = urllib.request.Request(live.scoring_uri, body, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.status, json.loads(reply.read())


def test_the_report_has_every_part_of_the_lifecycle(quickstart):
    report = quickstart.report
    assert set(report) == {"data", "job", "model", "endpoint", "score", "gate", "seconds", *(set(report) & {"notes"})}
    assert set(report["data"]) >= {"name", "version", "rows", "columns", "source", "sha256"}
    assert set(report["seconds"]) >= {"data", "automl", "deploy", "gate", "total"}
    assert report["job"]["state"] == "succeeded"
    assert report["job"]["trials"] >= 1  # 8 s hold no more of them where the machine is busy
    assert report["job"]["best"]["metrics"]["AUC_weighted"] > 0.9
    assert report["gate"]["passed"] is True
    assert report["score"]["status"] == 200
    assert set(report["score"]["body"]["result"]) <= {"yes", "no"}


def test_the_best_model_is_live_with_all_traffic(quickstart):
    endpoint = quickstart.workspace.endpoints.get(quickstart.report["endpoint"]["name"])
    (live,) = endpoint.live
    assert endpoint.traffic[live.name] == 100
    assert live.gate is GateState.PASSED


def test_every_trial_is_in_the_store(quickstart):
    job = quickstart.workspace.jobs.get(quickstart.report["job"]["id"])
    trials = quickstart.workspace.jobs.trials(job.id)
    assert job.state is JobState.SUCCEEDED
    assert len(trials) == quickstart.report["job"]["trials"]
    assert all(trial.metrics for trial in trials if trial.state == "succeeded")


def test_the_exercises_own_body_is_answered_as_it_is(quickstart, shared):
    body = (shared / "azure" / "wire" / "data_v1_812bytes.json").read_bytes()
    status, answer = post(quickstart, body, Authorization=f"Bearer {quickstart.key}")
    assert status == 200
    assert len(answer["result"]) == 2
    assert set(answer["result"]) <= {"yes", "no"}


def test_a_request_without_the_key_is_refused(quickstart):
    with pytest.raises(urllib.error.HTTPError) as refused:
        post(quickstart, b'{"data":[]}')
    assert refused.value.code == 401


def test_the_exercises_load_line_runs_unchanged(quickstart, shared, apache_bench, tmp_path):
    body = tmp_path / "data.json"
    shutil.copy(shared / "azure" / "wire" / "data_v1_812bytes.json", body)
    line = [apache_bench, "-n", "10", "-v", "4", "-p", str(body), "-T", "application/json"]
    line += ["-H", f"Authorization: Bearer {quickstart.key}", quickstart.scoring_uri]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    assert "Complete requests:      10" in ran.stdout
    assert "Failed requests:        0" in ran.stdout
    assert "Non-2xx responses" not in ran.stdout


def test_the_log_is_followed_until_it_is_interrupted(quickstart, tmp_path):
    line = [sys.executable, "-m", "core", "endpoint", "logs", quickstart.endpoint, "--follow", "--limit", "1"]
    said, environ = tmp_path / "said", living.environment(quickstart.home)
    with said.open("wb") as out:
        tail = subprocess.Popen(
            line, cwd=CHECKOUT, env=environ, stdout=out, stderr=subprocess.STDOUT,
            # Whoever runs the tests in a shell's background has them ignore SIGINT, and so would the command.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - nothing is locked here
        )  # fmt: skip
    try:
        wait_until(lambda: said.read_text() or tail.poll() is not None, 30)
        for name in ("the-first", "the-second"):
            post(quickstart, b'{"data":[]}', **{"Authorization": f"Bearer {quickstart.key}", "x-request-id": name})
            wait_until(lambda name=name: f"request_id={name} " in said.read_text(), 20)
        tail.send_signal(signal.SIGINT)
        assert tail.wait(20) == 130
    finally:
        tail.kill()
        tail.wait()
    told = said.read_text()
    assert told.count("the-first") == told.count("the-second") == 1
    assert "Traceback" not in told


def test_every_request_is_recorded(quickstart):
    name = quickstart.report["endpoint"]["name"]
    before = quickstart.workspace.records.telemetry(name, window_s=86_400).requests
    row = {"data": []}
    for _ in range(5):
        post(quickstart, json.dumps(row).encode(), Authorization=f"Bearer {quickstart.key}")
    seen = wait_until(
        lambda: (now := quickstart.workspace.records.telemetry(name, window_s=86_400)).requests >= before + 5 and now,
        10,
    )
    assert seen.by_status[200] >= 5
    assert not [status for status in seen.by_status if status >= 500]
    assert seen.p99_ms is not None


def test_no_log_and_no_record_holds_the_key(quickstart):
    kept = (path for path in quickstart.home.rglob("*") if path.is_file() and "slipway.db" not in path.name)
    assert [path for path in kept if quickstart.key.encode() in path.read_bytes()] == []


def test_nothing_that_is_kept_is_readable_by_others(quickstart):
    open_ = [path for path in quickstart.home.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert open_ == []
