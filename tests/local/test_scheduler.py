"""Schedules fire when they are due, each time once, whatever the clock, the service and the last run do."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_world import FAKE_SERVICE, World
from waiting import wait_until

from core.definitions.due import LATE_S
from core.definitions.fires import next_fires
from core.domain.data import DataAsset
from core.domain.job import JobState
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.run import Artifact, PipelineRun, RunOrigin, StepRun, StepState
from core.domain.schedule import Fire, FireOutcome, Misfire, Overlap, ScheduleSpec
from core.local import control
from core.local.context import Context
from core.local.machine import failpoints, processes
from core.local.machine.failpoints import Failpoint, arm
from core.local.service.scheduler import Scheduler
from core.local.workspace import open_local
from core.workspace import Workspace

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
HOUR_S, DAY_S = 3600.0, 86_400.0
PIPELINE = PipelineSpec(
    "p",
    (PipelineStep("prepare", StepKind.PREPARE, (), {"data": "${data}"}),),
    parameters=(Parameter("data", ParameterType.DATA, "t"),),
)
HOURLY = ScheduleSpec("s", "p", "0 * * * *")
STARTED, WAITING, SKIPPED, MISSED, FAILED = (
    FireOutcome.STARTED,
    FireOutcome.WAITING,
    FireOutcome.SKIPPED,
    FireOutcome.MISSED,
    FireOutcome.FAILED,
)


class Clocked:
    """A workspace and its scheduler on a clock that the test puts where it wants."""

    def __init__(self, world: World) -> None:
        self.world, self.now = world, NOON
        self.workspace: Workspace = open_local(world.settings, lambda: self.now)
        self.workspace.pipelines.publish(PIPELINE)
        self.restart()

    def restart(self) -> None:
        self.scheduler = Scheduler(Context(self.world.settings, lambda: self.now))

    def create(self, spec: ScheduleSpec) -> None:
        self.workspace.schedules.create(spec)
        self.scheduler.tick()

    def at(self, after_s: float) -> list[tuple[str, FireOutcome]]:
        """The fires that this moment brings, in the order in which they were due."""
        known = {fire.key for fire in self.fires() if fire.outcome is not WAITING}
        self.now = NOON + after_s
        self.scheduler.tick()
        return [(when(fire), fire.outcome) for fire in self.fires() if fire.key not in known]

    def fires(self, name: str = "s") -> list[Fire]:
        return sorted(self.workspace.schedules.fires(name, 5000), key=lambda fire: (fire.due_at, fire.key))

    def runs(self, name: str = "s") -> list[PipelineRun]:
        found = self.workspace.pipelines.list_runs(schedule=name, limit=5000)
        return [self.workspace.pipelines.get_run(run.id) for run in reversed(found)]

    def end_runs(self) -> None:
        for job in self.world.store.jobs.in_states(JobState.QUEUED, JobState.RUNNING):
            self.world.store.jobs.cancel(job.id, self.now)

    def add_version(self) -> int:
        newest = self.world.store.schedules.newest_version("t")
        asset = replace(self.world.data, sha256=f"{newest + 1:064}", created_at=self.now)
        added: DataAsset = self.world.store.data.add(asset)
        return added.version


def when(fire: Fire) -> str:
    return f"{datetime.fromtimestamp(fire.due_at, UTC):%H:%M}"


@pytest.fixture
def clocked(world: World) -> Clocked:
    return Clocked(world)


def test_a_schedule_fires_when_it_is_due_and_not_before(clocked: Clocked) -> None:
    clocked.create(HOURLY)
    assert clocked.at(HOUR_S - 0.2) == []
    assert clocked.at(HOUR_S) == [("13:00", STARTED)]
    assert clocked.at(HOUR_S + 0.2) == []
    (run,) = clocked.runs()
    assert (run.schedule, run.origin, run.experiment_name) == ("s", RunOrigin.SCHEDULE, "scheduled")


def test_a_run_of_a_schedule_has_its_parameters_and_its_version(clocked: Clocked) -> None:
    clocked.create(replace(HOURLY, parameters={"data": "t:1"}, version=1, experiment_name="nightly"))
    clocked.workspace.pipelines.publish(replace(PIPELINE, description="another"))
    clocked.at(HOUR_S)
    (run,) = clocked.runs()
    assert (run.parameters, run.version, run.experiment_name) == ({"data": "t:1"}, 1, "nightly")


@pytest.mark.parametrize(
    ("misfire", "missed", "then"),
    [
        (Misfire.SKIP, [MISSED] * 3, []),
        (Misfire.ONCE, [MISSED, MISSED, STARTED], []),
        (Misfire.ALL, [STARTED, WAITING, WAITING], [STARTED, STARTED]),
    ],
)
def test_what_was_due_while_the_service_was_off(
    clocked: Clocked, misfire: Misfire, missed: list[FireOutcome], then: list[FireOutcome]
) -> None:
    clocked.create(replace(HOURLY, misfire=misfire))
    clocked.restart()
    assert clocked.at(3.5 * HOUR_S) == list(zip(("13:00", "14:00", "15:00"), missed, strict=True))
    for outcome in then:
        clocked.end_runs()
        clocked.scheduler.tick()
        assert sum(fire.outcome is outcome for fire in clocked.fires()) == len(clocked.runs())
    assert not any(fire.outcome is WAITING for fire in clocked.fires())
    clocked.end_runs()
    assert clocked.at(4 * HOUR_S) == [("16:00", STARTED)]


def test_a_fire_a_minute_late_is_on_time(clocked: Clocked) -> None:
    clocked.create(replace(HOURLY, misfire=Misfire.SKIP))
    assert clocked.at(HOUR_S + LATE_S) == [("13:00", STARTED)]
    clocked.end_runs()
    assert clocked.at(2 * HOUR_S + LATE_S + 1) == [("14:00", MISSED)]


def test_one_run_makes_up_for_all_also_where_the_latest_is_on_time(clocked: Clocked) -> None:
    clocked.create(HOURLY)
    assert clocked.at(3 * HOUR_S + 5) == [("13:00", MISSED), ("14:00", MISSED), ("15:00", STARTED)]


@pytest.mark.parametrize(
    ("overlap", "second", "third"),
    [(Overlap.SKIP, SKIPPED, SKIPPED), (Overlap.QUEUE, WAITING, SKIPPED), (Overlap.ALLOW, STARTED, STARTED)],
)
def test_a_fire_while_the_last_run_goes_on(
    clocked: Clocked, overlap: Overlap, second: FireOutcome, third: FireOutcome
) -> None:
    clocked.create(replace(HOURLY, overlap=overlap))
    assert clocked.at(HOUR_S) == [("13:00", STARTED)]
    assert clocked.at(2 * HOUR_S)[-1] == ("14:00", second)
    assert clocked.at(3 * HOUR_S)[-1] == ("15:00", third)
    assert all(fire.outcome is STARTED or "run 1" in fire.message for fire in clocked.fires())
    clocked.end_runs()
    clocked.scheduler.tick()
    assert len(clocked.runs()) == {Overlap.SKIP: 1, Overlap.QUEUE: 2, Overlap.ALLOW: 3}[overlap]


def test_what_waits_is_left_out_where_the_schedule_is_turned_off(clocked: Clocked) -> None:
    clocked.create(replace(HOURLY, overlap=Overlap.QUEUE))
    clocked.at(HOUR_S)
    clocked.at(2 * HOUR_S)
    clocked.workspace.schedules.enable("s", False)
    clocked.end_runs()
    assert clocked.at(3 * HOUR_S) == []
    assert [fire.outcome for fire in clocked.fires()] == [STARTED, SKIPPED]


def test_nothing_is_made_up_for_that_was_due_while_it_was_off_or_another(clocked: Clocked) -> None:
    clocked.create(replace(HOURLY, misfire=Misfire.ALL))
    clocked.workspace.schedules.enable("s", False)
    assert clocked.at(2.5 * HOUR_S) == []
    clocked.workspace.schedules.enable("s", True)
    assert clocked.at(2.6 * HOUR_S) == []
    assert clocked.at(3 * HOUR_S) == [("15:00", STARTED)]
    clocked.now += 2.5 * HOUR_S
    clocked.workspace.schedules.update(replace(HOURLY, cron="30 * * * *"))
    clocked.end_runs()
    assert clocked.at(6 * HOUR_S) == []
    assert clocked.at(6.5 * HOUR_S) == [("18:30", STARTED)]


def test_nothing_fires_twice_where_the_clock_goes_back(clocked: Clocked) -> None:
    clocked.create(replace(HOURLY, overlap=Overlap.ALLOW))
    clocked.at(HOUR_S)
    clocked.at(2 * HOUR_S)
    assert clocked.at(0.5 * HOUR_S) == []
    assert [clocked.at(n * HOUR_S) for n in (1, 2, 3)] == [[], [], [("15:00", STARTED)]]
    assert len(clocked.runs()) == 3
    assert "The clock went back" in clocked.world.store.audit.list()[0][2]


def test_a_clock_that_was_a_year_ahead_leaves_nothing_out_when_it_is_right_again(clocked: Clocked) -> None:
    clocked.create(replace(HOURLY, misfire=Misfire.ONCE, overlap=Overlap.ALLOW))
    clocked.at(365 * DAY_S)
    fires = clocked.fires()
    assert Counter(fire.outcome for fire in fires) == {STARTED: 1, MISSED: 1000}, "the latest are kept one by one"
    assert "stands for all before" in fires[0].message
    assert clocked.at(0) == []
    assert clocked.at(HOUR_S) == [("13:00", STARTED)]
    clocked.restart()
    assert clocked.at(2 * HOUR_S) == [("14:00", STARTED)]


def test_a_pipeline_that_cannot_be_started_fails_the_fire_and_nothing_else(clocked: Clocked) -> None:
    clocked.create(replace(HOURLY, parameters={"data": "t:1"}))
    clocked.workspace.pipelines.enable("p", False)
    assert clocked.at(HOUR_S) == [("13:00", FAILED)]
    assert "disabled" in clocked.fires()[0].message
    clocked.workspace.pipelines.enable("p", True)
    assert clocked.at(2 * HOUR_S) == [("14:00", STARTED)]
    clocked.end_runs()
    step = PipelineStep("prepare", StepKind.PREPARE, (), {"data": "t"})
    clocked.workspace.pipelines.publish(replace(PIPELINE, steps=(step,), parameters=()))
    assert clocked.at(3 * HOUR_S) == [("15:00", FAILED)]
    assert "no parameter 'data'" in clocked.fires()[2].message


def test_a_full_queue_fails_the_fire(world: World) -> None:
    world.settings = replace(world.settings, runs_max_queued=1)
    clocked = Clocked(world)
    clocked.create(replace(HOURLY, overlap=Overlap.ALLOW))
    assert clocked.at(HOUR_S) == [("13:00", STARTED)]
    assert clocked.at(2 * HOUR_S) == [("14:00", FAILED)]
    assert "wait already" in clocked.fires()[1].message


def test_a_run_on_request_is_one_of_the_schedules_runs(clocked: Clocked) -> None:
    clocked.create(HOURLY)
    run = clocked.workspace.schedules.run_now("s")
    assert clocked.at(HOUR_S) == [("13:00", SKIPPED)], "it goes on"
    assert clocked.fires()[0].key == f"now:{run.id}"


# New versions of data

ON_DATA = ScheduleSpec("s", "p", data="t", parameters={"data": "t:{version}"}, overlap=Overlap.ALLOW)


def test_each_new_version_of_the_data_starts_a_run_that_names_it(clocked: Clocked) -> None:
    clocked.create(ON_DATA)
    assert clocked.at(60) == [], "what was there before is nothing new"
    for _ in range(2):
        clocked.now += 1
        clocked.add_version()
        clocked.scheduler.tick()
    assert [(run.parameters["data"], run.origin) for run in clocked.runs()] == [
        ("t:2", RunOrigin.DATA),
        ("t:3", RunOrigin.DATA),
    ]
    assert [fire.key for fire in clocked.fires()] == ["t:2", "t:3"]


def test_the_latest_version_makes_up_for_those_that_came_while_the_service_was_off(clocked: Clocked) -> None:
    clocked.create(ON_DATA)
    for _ in range(3):
        clocked.add_version()
    clocked.restart()
    clocked.now += HOUR_S
    clocked.scheduler.tick()
    assert [(fire.key, fire.outcome) for fire in clocked.fires()] == [
        ("t:2", MISSED),
        ("t:3", MISSED),
        ("t:4", STARTED),
    ]


def test_a_version_that_the_same_pipeline_made_starts_nothing(clocked: Clocked) -> None:
    clocked.create(ON_DATA)
    run_id = clocked.workspace.pipelines.trigger("p", "by hand").id
    store = clocked.world.store
    store.jobs.start_attempt(run_id, clocked.now)
    going = StepRun("prepare", StepKind.PREPARE, StepState.RUNNING, 1)
    store.runs.put_steps(run_id, [going])
    version = clocked.add_version()
    clocked.scheduler.tick()
    assert clocked.fires() == [], "it may be about to say that the version is its own"
    with store.write() as tx:
        tx.runs.put_steps(run_id, [replace(going, state=StepState.SUCCEEDED)])
        tx.runs.note_artifacts(run_id, "prepare", [Artifact(ValueType.DATA, f"t:{version}")], made=True)
    clocked.scheduler.tick()
    assert clocked.fires() == []
    clocked.add_version()
    clocked.scheduler.tick()
    assert [fire.key for fire in clocked.fires()] == ["t:3"]


def test_a_run_that_prepares_the_data_of_its_own_schedule_goes_round_once(world: World, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    workspace = open_local(world.settings)
    workspace.pipelines.publish(PIPELINE)

    def grown(rows: int) -> str:
        table.write_text("age,y\n" + "".join(f"{20 + i % 12},{'yes' if i % 3 else 'no'}\n" for i in range(rows)))
        return str(table)

    workspace.data.register("people", grown(30))
    workspace.schedules.create(ScheduleSpec("s", "p", data="people", parameters={"data": str(table)}))
    scheduler, reconcile = Scheduler(Context(world.settings)), world.reconciler()

    def ended(run_id: str) -> bool:
        scheduler.tick()
        reconcile()
        return world.job(run_id).state.final

    grown(40)
    by_hand = workspace.pipelines.trigger("p", "by hand", {"data": str(table)}).id
    wait_until(lambda: ended(by_hand), 30)
    scheduler.tick()
    assert workspace.data.list()[0].version == 2, "the run has made a version"
    assert workspace.schedules.fires("s") == ()
    workspace.data.register("people", grown(50))
    scheduler.tick()
    (fire,) = workspace.schedules.fires("s")
    assert (fire.key, fire.outcome) == ("people:3", STARTED)
    wait_until(lambda: ended(fire.run_id), 30)
    scheduler.tick()
    assert workspace.schedules.fires("s") == (fire,), "it prepared the version that started it"


def test_a_version_that_had_to_wait_for_a_step_is_not_late(clocked: Clocked) -> None:
    clocked.create(replace(ON_DATA, misfire=Misfire.SKIP))
    run_id = clocked.workspace.pipelines.trigger("p", "by hand").id
    store = clocked.world.store
    store.jobs.start_attempt(run_id, clocked.now)
    store.runs.put_steps(run_id, [StepRun("prepare", StepKind.PREPARE, StepState.RUNNING, 1)])
    clocked.add_version()
    clocked.scheduler.tick()
    clocked.now += HOUR_S
    clocked.end_runs()
    store.jobs.end(run_id, JobState.FAILED, clocked.now)
    clocked.scheduler.tick()
    assert [fire.outcome for fire in clocked.fires()] == [STARTED]


# The scheduler itself


def test_a_schedule_that_cannot_be_read_stops_no_other_and_is_told(clocked: Clocked) -> None:
    clocked.create(HOURLY)
    clocked.create(replace(HOURLY, name="broken"))
    with clocked.world.store._database.write() as tx:
        tx.execute("UPDATE schedules SET spec = '{}' WHERE name = 'broken'")
    clocked.restart()
    assert clocked.at(HOUR_S) == [("13:00", STARTED)]
    status = control.status(clocked.world.settings)
    assert "schedule 'broken' cannot be read" in status.scheduler_error
    assert [schedule.spec.name for schedule in clocked.workspace.schedules.list()] == ["s"]
    clocked.workspace.schedules.delete("broken")
    clocked.scheduler.tick()
    assert control.status(clocked.world.settings).scheduler_error == ""


def test_a_bug_in_one_schedule_stops_no_other_and_is_told(clocked: Clocked, monkeypatch: pytest.MonkeyPatch) -> None:
    import core.local.service.scheduler as module

    def broken(spec: ScheduleSpec, *rest: float) -> object:
        if spec.name == "broken":
            raise ZeroDivisionError("by zero")
        return due(spec, *rest)

    due = module.due
    clocked.create(replace(HOURLY, name="broken"))
    clocked.create(HOURLY)
    monkeypatch.setattr(module, "due", broken)
    assert clocked.at(HOUR_S) == [("13:00", STARTED)]
    assert control.status(clocked.world.settings).scheduler_error == "broken: ZeroDivisionError: by zero"


def test_the_scheduler_says_that_it_looks_and_writes_nothing_else_while_nothing_is_due(clocked: Clocked) -> None:
    clocked.scheduler.tick()
    assert control.status(clocked.world.settings).scheduler_looked_at is None, "there is nothing to look at"
    clocked.create(HOURLY)
    assert control.status(clocked.world.settings).scheduler_looked_at == NOON

    def changes() -> int:
        return clocked.scheduler._store._database._connection.total_changes

    before = changes()
    for n in range(1, 20):
        clocked.at(n * 0.2)
    assert changes() == before
    clocked.at(6)
    status = control.status(clocked.world.settings)
    assert status.scheduler_looked_at == NOON + 6
    assert "service is stopped" in status.scheduler_trouble(NOON + 7)
    running = replace(status, running=True)
    assert running.scheduler_trouble(NOON + 7) == ""
    assert "scheduler has stopped" in running.scheduler_trouble(NOON + 600)
    clocked.workspace.schedules.delete("s")
    clocked.scheduler.tick()
    assert control.status(clocked.world.settings).scheduler_looked_at is None


# Whatever happens


@pytest.fixture(scope="module")
def long_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clocked]:
    world = World(tmp_path_factory.mktemp("stories") / "home", runs_max_queued="1000000")
    yield Clocked(world)
    world.close()


EVENTS = st.one_of(
    st.tuples(st.just("on"), st.floats(1, 90)),
    st.tuples(st.just("on"), st.sampled_from((600.0, HOUR_S, 5 * HOUR_S, DAY_S))),
    st.tuples(st.just("back"), st.sampled_from((0.5, 30.0, HOUR_S, 7 * HOUR_S))),
    st.tuples(st.sampled_from(("restart", "enable", "disable", "end", "now")), st.just(0.0)),
)
STORIES = st.lists(EVENTS, min_size=1, max_size=25)


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STORIES, st.sampled_from(Misfire), st.sampled_from(Overlap), st.sampled_from(("*/10 * * * *", "0 * * * *")))
def test_every_time_that_was_due_has_one_record_and_at_most_one_run(
    long_lived: Clocked, story: list[tuple[str, float]], misfire: Misfire, overlap: Overlap, cron: str
) -> None:
    clocked = long_lived
    clocked.now = NOON
    spec = ScheduleSpec("s", "p", cron, misfire=misfire, overlap=overlap)
    clocked.create(spec)
    tell(clocked, spec, story)
    clocked.end_runs()
    clocked.workspace.schedules.delete("s")


def tell(clocked: Clocked, spec: ScheduleSpec, story: list[tuple[str, float]]) -> None:
    before = {run.id for run in clocked.runs()}
    expected: set[str] = set()
    since, enabled, asked, went_back = clocked.now, True, 0, False
    for event, seconds in story:
        if event in ("on", "back"):
            clocked.now += seconds if event == "on" else -seconds
            went_back |= event == "back"
        elif event == "restart":
            clocked.restart()
        elif event == "end":
            clocked.end_runs()
        elif event == "now":
            clocked.workspace.schedules.run_now("s")
            asked += 1
        else:
            since = clocked.now if event == "enable" and not enabled else since
            enabled = event == "enable"
            clocked.workspace.schedules.enable("s", enabled)
        clocked.scheduler.tick()
        if enabled and clocked.now > since:
            expected |= {f"{at:.0f}" for at in until(spec, since, clocked.now)}
            since = clocked.now
    fires = clocked.fires()
    started = [fire.run_id for fire in fires if fire.outcome is STARTED]
    assert Counter(started).most_common(1) in ([], [(started[0], 1)] if started else [])
    assert set(started) == {run.id for run in clocked.runs()} - before
    keys = {fire.key for fire in fires if not fire.key.startswith("now:")}
    assert len(fires) == len(keys) + asked
    if not went_back:
        assert keys == expected
        judge(spec, fires)


def until(spec: ScheduleSpec, since: float, now: float) -> Iterator[float]:
    while (upcoming := next_fires(spec, since)) and upcoming[0] <= now:
        since = upcoming[0]
        yield since


def judge(spec: ScheduleSpec, fires: list[Fire]) -> None:
    """What became of each fire is what the schedule's policies say."""
    for fire in fires:
        late = fire.recorded_at - fire.due_at > LATE_S and fire.outcome is not STARTED
        if fire.outcome is MISSED:
            assert late
            assert spec.misfire is not Misfire.ALL
        if fire.outcome is WAITING:
            assert spec.overlap is Overlap.QUEUE or spec.misfire is Misfire.ALL
        if fire.outcome is SKIPPED and spec.overlap is Overlap.ALLOW:
            assert "turned off" in fire.message


def test_a_service_that_is_killed_while_a_schedule_fires_fires_it_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = tmp_path / "points"
    monkeypatch.setenv(failpoints.VARIABLE, str(points))
    workspace = open_local(world.settings)
    workspace.pipelines.publish(PIPELINE)
    created = workspace.schedules.create(replace(HOURLY, overlap=Overlap.ALLOW)).created_at
    world.store.schedules.consider("s", created - 3 * HOUR_S, 0)

    def left() -> tuple[int, int]:
        return len(workspace.schedules.fires("s")), len(workspace.pipelines.list_runs(schedule="s"))

    dies(world, points, Failpoint.FIRE_DECIDED)
    assert left() == (0, 0), "nothing of it is kept"
    dies(world, points, Failpoint.FIRE_KEPT)
    assert left() == (3, 1)
    world.start_service()
    wait_until(lambda: (control.status(world.settings).scheduler_looked_at or 0) > created, 20)
    assert left() == (3, 1), "two missed, the latest made up for them"


def dies(world: World, points: Path, point: Failpoint) -> None:
    """Start a service that is killed at this point."""
    arm(points, point)
    service = processes.spawn(FAKE_SERVICE, log=world.paths.service_log, environ=processes.environment(world.settings))
    wait_until(lambda: not processes.alive(service), 20)
    assert not (points / point).exists(), "it died there"
