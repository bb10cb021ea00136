"""Alerts of a workspace: from what its endpoints recorded to whom they tell, whoever is killed in between."""

import json
import os
import shlex
import signal
import socket
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hook import Hook
from local_world import World
from waiting import wait_until

from core.domain.alerts import AlertMetric, AlertRule, AlertState
from core.domain.drift import Bins, ColumnDrift, DriftReport, DriftVerdict
from core.domain.errors import AlertNotFound, EndpointNotFound, Forbidden, PipelineNotFound, SpecInvalid
from core.domain.monitoring import Availability, FindingState
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.domain.run import PipelineRunSpec, RunOrigin
from core.local.alerting import retire
from core.local.context import Context
from core.local.doctor import findings
from core.local.machine import failpoints
from core.local.machine.failpoints import Failpoint, arm
from core.local.service.alert_watch import Watching
from core.local.service.announcing import FIRST_S, GIVE_UP_S, Announcing
from core.local.service.measuring import Measuring
from core.local.store.alert_messages import Way
from core.local.workspace import open_local

OK, FIRING, UNKNOWN = AlertState.OK, AlertState.FIRING, AlertState.UNKNOWN
ERRORS = AlertRule("errors", "bank", AlertMetric.ERROR_RATE, 5.0)
RETRAIN = PipelineSpec(
    "retrain",
    (PipelineStep("prepare", StepKind.PREPARE, (), {"data": "${data}"}),),
    parameters=(Parameter("data", ParameterType.DATA, "t"), Parameter("rows", ParameterType.INTEGER, 5)),
)


class Watched:
    """A workspace with the endpoint `bank`, whose requests and time the test makes."""

    def __init__(self, world: World) -> None:
        world.add_endpoint("bank")
        self.world, self.now = world, time.time()
        self.workspace = open_local(world.settings, lambda: self.now)
        self.records = self.workspace.records
        # A look takes none of this time: after one that takes long, as on a busy machine, the next would be left out.
        clock = lambda: self.now  # noqa: E731 - two clocks, one time
        self.watching = Watching(world.store, self.workspace, clock=clock, look_s=0.0, timer=clock)
        self.announcing = Announcing(world.store, world.settings, clock=lambda: self.now)

    def requests(self, good: int = 0, failed: int = 0, refused: int = 0, *, ago_s: float = 1.0, **changes: Any) -> None:
        """What clients sent `ago_s` seconds before now."""
        folder = self.world.paths.telemetry("bank")
        folder.mkdir(parents=True, exist_ok=True)
        statuses = [200] * good + [500] * failed + [422] * refused
        at = self.now - ago_s
        record = {"at": at, "request_id": "r", "deployment": "v1", "rows": 1, "elapsed_ms": 2.0, **changes}
        lines = "".join(json.dumps({**record, "status": status}) + "\n" for status in statuses)
        (folder / f"seg-{int(at * 1000)}-1-0.jsonl").write_text(lines)

    def look(self, after_s: float = 10.0) -> tuple[AlertState, ...]:
        """The states after the service has looked, a while later."""
        self.now += after_s
        self.watching.once()
        return tuple(alert.state for alert in self.records.alerts())

    def fire(self, rule: AlertRule = ERRORS) -> None:
        """Set an alert that fires at once."""
        self.records.set_alert(rule)
        self.requests(failed=10)
        assert self.look(0) == (FIRING,)

    def read(self, rule: AlertRule) -> tuple[float | None, str]:
        found = Measuring(self.workspace, self.now).read(rule)
        return found.value, found.why


@pytest.fixture
def bank(world: World) -> Watched:
    return Watched(world)


def test_an_alert_is_set_changed_listed_and_deleted(bank: Watched) -> None:
    made = bank.records.set_alert(replace(ERRORS, command="true"))
    assert (made.rule.command, made.state, made.looked_at) == ("true", UNKNOWN, None)
    bank.records.set_alert(replace(ERRORS, name="b"))
    bank.requests(good=10)
    assert bank.look() == (OK, OK)
    again = bank.records.set_alert(replace(ERRORS, limit=7.0))
    assert (again.rule.limit, again.rule.command, again.state) == (7.0, "", UNKNOWN)
    assert [alert.rule.name for alert in bank.records.alerts()] == ["errors", "b"], (
        "what is not known before what is ok"
    )
    bank.records.delete_alert("b")
    with pytest.raises(AlertNotFound, match="no alert 'b'") as unknown:
        bank.records.delete_alert("b")
    assert unknown.value.hint == "Alerts: errors"
    assert bank.records.alert_events() == ()


def test_an_alert_that_cannot_be_read_is_told_until_it_is_deleted(bank: Watched, caplog: Any) -> None:
    bank.records.set_alert(ERRORS)
    bank.records.set_alert(replace(ERRORS, name="old one"))
    with closing(sqlite3.connect(bank.world.paths.store)) as db, db:
        db.execute("UPDATE alerts SET rule = json_remove(rule, '$.limit') WHERE name = 'old one'")
    bank.requests(failed=10)
    assert (bank.look(0), bank.look()) == ((FIRING,), (FIRING,))
    assert [record.message for record in caplog.records if "watches nothing" in record.message] == [
        "alert old one watches nothing: What the workspace keeps of alert 'old one' cannot be read: "
        "Object missing required field `limit`"
    ]
    assert [(alert.name, alert.endpoint) for alert in bank.records.unreadable_alerts()] == [("old one", "bank")]
    context = Context(bank.world.settings)
    (found,) = (f for f in findings(context, bank.workspace.service.status) if f.name == "Alerts")
    assert (found.state, "'old one' watches nothing" in found.detail) == (FindingState.FAILED, True)
    assert "alert delete 'old one'" in found.hint
    with context.store.write() as tx:
        retire(tx, "bank", bank.now)
    assert (bank.records.alerts(), bank.records.unreadable_alerts()) == ((), ())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"endpoint": "nobody"}, EndpointNotFound),
        ({"pipeline": "nobody"}, PipelineNotFound),
        ({"pipeline": "retrain", "parameters": {"speed": "1"}}, SpecInvalid),
        ({"pipeline": "retrain", "parameters": {"rows": "many"}}, SpecInvalid),
    ],
)
def test_an_alert_that_could_not_work_is_refused(
    bank: Watched, changes: dict[str, Any], error: type[Exception]
) -> None:
    bank.workspace.pipelines.publish(RETRAIN)
    with pytest.raises(error):
        bank.records.set_alert(replace(ERRORS, **changes))
    assert bank.records.alerts() == ()


def test_who_acts_for_others_sets_no_command_and_may_change_the_rest(bank: Watched) -> None:
    confined = open_local(bank.world.settings, confined=True).records
    with pytest.raises(Forbidden, match="command line alone"):
        confined.set_alert(replace(ERRORS, command="true"))
    bank.records.set_alert(replace(ERRORS, command="true"))
    assert confined.set_alert(replace(ERRORS, command="true", limit=9.0)).rule.limit == 9.0


def test_each_metric_is_read_of_clients_requests_in_its_window(bank: Watched) -> None:
    bank.requests(good=6, failed=3, refused=1)
    bank.requests(good=50, ago_s=1000.0)
    bank.requests(good=50, ago_s=2.0, origin="loadtest")
    assert bank.read(ERRORS)[0] == pytest.approx(30.0)
    assert bank.read(replace(ERRORS, metric=AlertMetric.REFUSED_RATE))[0] == pytest.approx(10.0)
    assert bank.read(replace(ERRORS, window_s=2000.0))[0] == pytest.approx(5.0)
    assert bank.read(replace(ERRORS, metric=AlertMetric.P99, limit=50.0))[0] == pytest.approx(2.0)
    assert bank.read(replace(ERRORS, deployment="v1"))[0] == pytest.approx(30.0)
    assert bank.read(replace(ERRORS, requests_needed=11)) == (None, "there were 10 requests, and it takes 11 to say")
    assert bank.read(replace(ERRORS, deployment="v2")) == (None, "there were 0 requests, and it takes 5 to say")
    quiet = replace(ERRORS, metric=AlertMetric.NO_TRAFFIC, limit=60.0, deployment="v1")
    assert bank.read(quiet)[0] == pytest.approx(1.0)
    assert bank.read(replace(quiet, deployment="v2")) == (None, "there is no deployment 'v2'")
    bank.now += 59.0
    assert bank.read(replace(ERRORS, metric=AlertMetric.NO_TRAFFIC, limit=60.0))[0] == pytest.approx(60.0)


def test_an_endpoint_that_was_never_called_has_had_no_traffic_since_it_is_there(bank: Watched) -> None:
    bank.now += 100.0
    value, _ = bank.read(replace(ERRORS, metric=AlertMetric.NO_TRAFFIC, limit=60.0))
    assert value == pytest.approx(100.0, abs=5.0)


def test_what_the_endpoint_does_not_record_is_not_known(bank: Watched) -> None:
    bank.requests(failed=10)
    bank.workspace.endpoints.update("bank", {"app_insights": False})
    for metric in (AlertMetric.ERROR_RATE, AlertMetric.NO_TRAFFIC):
        assert bank.read(replace(ERRORS, metric=metric)) == (None, "the endpoint records no requests")


def test_availability_needs_some_time_that_is_known(bank: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = AlertRule("up", "bank", AlertMetric.AVAILABILITY, 99.0)
    for up_s, down_s, value in ((0.0, 0.0, None), (0.0, 30.0, None), (45.0, 15.0, 75.0)):
        seen = Availability("bank", 0.0, 300.0, up_s, down_s)
        monkeypatch.setattr(type(bank.records), "availability", lambda *_, seen=seen: seen)
        assert bank.read(rule)[0] == value


def test_drift_counts_columns_and_the_score(bank: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = AlertRule("d", "bank", AlertMetric.DRIFT, 0.0, window_s=86_400.0)
    nothing = Bins((), (), ())
    columns = tuple(
        ColumnDrift(name, verdict, 900, 0.3, bins=nothing)
        for name, verdict in (("a", DriftVerdict.MATTERS), ("b", DriftVerdict.DRIFTED), ("c", DriftVerdict.SAME))
    )
    report = DriftReport("bank", "v1", "m", 1, 0.0, 1.0, 900, 900, 500, columns, replace(columns[0], column=""))
    monkeypatch.setattr(type(bank.records), "drift", lambda *_, **__: report)
    assert bank.read(rule)[0] == 3.0
    monkeypatch.setattr(type(bank.records), "drift", lambda *_, **__: replace(report, rows=499))
    assert bank.read(rule) == (None, "499 rows were kept, and it takes 500 to say")


def test_what_fails_by_a_bug_is_not_known_and_holds_up_no_other(
    bank: Watched, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(type(bank.records), "drift", lambda *_, **__: 1 / 0)
    bank.records.set_alert(AlertRule("a-drift", "bank", AlertMetric.DRIFT, 0.0))
    bank.records.set_alert(ERRORS)
    bank.requests(failed=10)
    assert bank.look() == (FIRING, UNKNOWN)
    assert "ZeroDivisionError" in bank.records.alerts()[1].text
    assert caplog.text.count("could not be read") == 1


def test_a_firing_alert_tells_once_and_again_when_it_clears(bank: Watched, hook: Hook) -> None:
    bank.fire(replace(ERRORS, webhook=hook.url))
    for _ in range(3):
        bank.announcing.once()
        assert bank.look() == (FIRING,)
    (_, fired), *others = hook.asked
    assert others == []
    bank.requests(good=1000)
    wait_until(lambda: bank.look() == (OK,), 10)
    bank.announcing.once()
    _, (_, cleared) = hook.asked
    said = "The share of failed requests to 'bank' is 100 % over the last 5 minutes, above the limit of 5 %."
    assert fired == {
        "event": "alert.fired", "id": fired["id"], "text": f"Alert 'errors' fired. {said}", "alert": "errors",
        "endpoint": "bank", "deployment": "", "metric": "error_rate", "state": "firing", "value": 100.0, "limit": 5.0,
        "clears_at": 4.5, "window_s": 300.0, "at": fired["at"],
    }  # fmt: skip
    assert (cleared["event"], cleared["state"], cleared["value"]) == ("alert.cleared", "ok", pytest.approx(10 / 10.1))
    newest, first = bank.records.alert_events()
    assert (newest.id, first.id) == (cleared["id"], fired["id"])
    assert (first.state, first.value, first.text, first.error) == (FIRING, 100.0, said, "")
    assert [event.id for event in bank.records.alert_events(1)] == [newest.id]


def test_a_webhook_that_is_down_gets_the_events_later_in_their_order(bank: Watched, hook: Hook) -> None:
    hook.answers = [(500, ""), (503, "")]
    bank.fire(replace(ERRORS, webhook=hook.url))
    bank.announcing.once()
    assert bank.records.alerts()[0].error == "the webhook: 127.0.0.1 answered 500"
    bank.requests(good=1000)
    bank.look(1)
    for wait_s, asked in ((0.0, 1), (FIRST_S, 2), (FIRST_S, 2), (FIRST_S, 3), (0.0, 4)):
        bank.now += wait_s
        bank.announcing.once()
        assert len(hook.asked) == asked
    assert [body["event"] for _, body in hook.asked] == [*["alert.fired"] * 3, "alert.cleared"]
    assert len({body["id"] for _, body in hook.asked[:3]}) == 1
    assert bank.records.alerts()[0].error == ""


def test_a_webhook_that_hangs_is_asked_once_and_holds_up_no_other_alert(
    bank: Watched, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.local.service.announcing.PATIENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        bank.fire(replace(ERRORS, webhook=f"http://127.0.0.1:{hangs.getsockname()[1]}/"))
        bank.announcing.once()
        bank.records.set_alert(replace(ERRORS, name="others", webhook=hook.url))
        bank.look()
        bank.announcing.once()
        wait_until(lambda: len(hook.asked) == 1, 10)
        hangs.accept()[0].close()
        hangs.settimeout(0)
        with pytest.raises(BlockingIOError):
            hangs.accept()

    def said() -> bool:
        bank.announcing.once()
        return [alert.error for alert in bank.records.alerts() if alert.rule.name == "errors"] != [""]

    wait_until(said, 10)


def test_what_nobody_takes_for_a_day_is_given_up_and_said(bank: Watched, hook: Hook) -> None:
    hook.answers = [(500, "")] * 2
    bank.fire(replace(ERRORS, webhook=hook.url))
    bank.announcing.once()
    bank.now += GIVE_UP_S[Way.WEBHOOK]
    bank.announcing.once()
    bank.now += GIVE_UP_S[Way.WEBHOOK]
    bank.announcing.once()
    assert len(hook.asked) == 2
    assert bank.records.alert_events()[0].error == "the webhook: 127.0.0.1 answered 500"


def test_a_command_reads_the_message_and_one_way_that_fails_does_not_hold_up_the_other(
    bank: Watched, tmp_path: Path
) -> None:
    out = tmp_path / "got"
    code = f"import sys; open({str(out)!r}, 'w').write(sys.stdin.read())"
    bank.fire(replace(ERRORS, webhook="http://127.0.0.1:9/", command=shlex.join([sys.executable, "-c", code])))
    bank.announcing.once()
    assert json.loads(out.read_text())["event"] == "alert.fired"
    assert "the webhook: 127.0.0.1 did not answer" in bank.records.alerts()[0].error
    assert "the command" not in bank.records.alerts()[0].error


def test_a_pipeline_is_started_once_for_an_event_with_its_parameters(bank: Watched) -> None:
    bank.workspace.pipelines.publish(RETRAIN)
    bank.fire(replace(ERRORS, pipeline="retrain", parameters={"rows": "7"}))
    (due,) = bank.world.store.alert_messages.due(bank.now, 1.0)
    for _ in range(2):
        bank.announcing.once()
        bank.announcing._start(due)  # as after a kill between the start and its note
        bank.look()
    (run,) = bank.workspace.pipelines.list_runs("retrain")
    found = bank.workspace.pipelines.get_run(run.id)
    assert (found.origin, found.experiment_name, found.parameters["rows"]) == (RunOrigin.ALERT, "alert errors", 7)
    assert bank.records.alerts()[0].run_id == run.id
    bank.requests(good=1000)
    assert bank.look() == (OK,)
    bank.announcing.once()
    assert len(bank.workspace.pipelines.list_runs("retrain")) == 1, "what clears starts nothing"


def test_a_run_reads_no_more_than_who_set_the_alert_may(bank: Watched) -> None:
    bank.workspace.pipelines.publish(RETRAIN)
    open_local(bank.world.settings, confined=True).records.set_alert(replace(ERRORS, pipeline="retrain"))
    bank.requests(failed=10)
    assert bank.look(0) == (FIRING,)
    bank.announcing.once()
    spec = bank.world.job(bank.records.alerts()[0].run_id).spec
    assert isinstance(spec, PipelineRunSpec)
    assert spec.confined


def test_a_pipeline_that_cannot_be_started_says_so(bank: Watched) -> None:
    bank.workspace.pipelines.publish(RETRAIN)
    bank.workspace.pipelines.enable("retrain", False)
    bank.fire(replace(ERRORS, pipeline="retrain"))
    bank.announcing.once()
    said = "pipeline 'retrain' was not started: Pipeline 'retrain' is disabled"
    assert bank.records.alerts()[0].error == bank.records.alert_events()[0].error == said


def test_what_is_changed_or_deleted_while_it_fires_clears_for_those_who_were_told(bank: Watched, hook: Hook) -> None:
    bank.fire(replace(ERRORS, webhook=hook.url))
    assert bank.records.set_alert(replace(ERRORS, webhook=hook.url, limit=50.0)).state is FIRING
    bank.records.set_alert(replace(ERRORS, webhook=hook.url, metric=AlertMetric.REFUSED_RATE))
    bank.records.set_alert(replace(ERRORS, webhook=hook.url))
    assert bank.look() == (FIRING,)
    bank.records.delete_alert("errors")
    for _ in range(4):
        bank.announcing.once()
    assert [body["event"] for _, body in hook.asked] == ["alert.fired", "alert.cleared"] * 2
    assert hook.asked[-1][1]["text"] == "Alert 'errors' cleared. It was deleted while it was firing."


def test_the_alerts_of_an_endpoint_end_with_it(bank: Watched, hook: Hook) -> None:
    bank.fire(replace(ERRORS, webhook=hook.url))
    bank.workspace.endpoints.delete("bank")
    assert bank.records.alerts() == ()
    with pytest.raises(EndpointNotFound):
        bank.workspace.endpoints.delete("nobody")
    bank.announcing.once()
    bank.announcing.once()
    assert [body["event"] for _, body in hook.asked] == ["alert.fired", "alert.cleared"]


def test_the_service_tells_of_an_alert_whenever_it_was_killed(
    world: World, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked_services: None
) -> None:
    bank, points = Watched(world), tmp_path / "points"
    monkeypatch.setenv(failpoints.VARIABLE, str(points))
    bank.records.set_alert(replace(ERRORS, webhook=hook.url))
    bank.requests(failed=10)
    bank.now = time.time()

    def dies(point: Failpoint) -> tuple[int, int]:
        """How many events there are, and how many messages were sent, after a service was killed there."""
        arm(points, point)
        world.store.close()
        if (child := os.fork()) == 0:
            bank.watching.once()
            bank.announcing.once()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        return told()

    def told() -> tuple[int, int]:
        return len(bank.records.alert_events()), len(hook.asked)

    assert dies(Failpoint.ALERT_JUDGED) == (0, 0), "nothing of it is kept"
    assert dies(Failpoint.ALERT_KEPT) == (1, 0)
    assert dies(Failpoint.ALERT_TOLD) == (1, 1)
    world.start_service()
    wait_until(lambda: told() == (1, 2), 20)
    wait_until(lambda: world.store.alert_messages.due(time.time(), 1e9) == (), 20)
    assert len({body["id"] for _, body in hook.asked}) == 1, "who gets it twice can tell"
