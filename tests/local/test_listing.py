"""Lists: at most so many of what was asked for, however much a busy neighbour has done since."""

from collections.abc import Callable

import pytest
from asked import asked
from local_world import World

from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.job import Job, JobKind, JobSpec, JobState, kind_of
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.proof import LoadReport
from core.domain.run import Artifact
from core.local.paths import new_id
from core.local.workspace import open_local
from core.workspace import Workspace

NEIGHBOURS = 30
LIMIT = 5


@pytest.fixture
def workspace(world: World) -> Workspace:
    return open_local(world.settings)


def add(world: World, spec: JobSpec, *, experiment: str = "theirs", times: int = 1) -> None:
    for _ in range(times):
        at = len(world.store.jobs.list(limit=1000)) + 1.0
        world.store.jobs.add(
            Job(new_id(lambda at=at: at), kind_of(spec), JobState.QUEUED, experiment, "local", spec, at)
        )


@pytest.mark.parametrize("kind", [JobKind.GATE, JobKind.BATCH, JobKind.LOADTEST])
def test_an_endpoints_jobs_are_listed_whatever_its_neighbour_did(
    world: World, workspace: Workspace, kind: JobKind
) -> None:
    add(world, asked(kind, endpoint="ours"), times=LIMIT + 1)
    add(world, asked(kind, endpoint="theirs"), times=NEIGHBOURS)
    jobs = workspace.jobs.list(kind, LIMIT, endpoint="ours")
    assert [job.spec.endpoint for job in jobs] == ["ours"] * LIMIT
    assert [job.created_at for job in jobs] == [6.0, 5.0, 4.0, 3.0, 2.0]
    assert workspace.jobs.list(endpoint="nobody's") == ()


def test_an_experiments_jobs_and_a_tables_are_listed(world: World, workspace: Workspace) -> None:
    add(world, asked(JobKind.AUTOML), experiment="ours")
    add(world, asked(JobKind.BATCH))
    add(world, asked(JobKind.AUTOML, data=DataRef("t", 2)), times=NEIGHBOURS)
    assert [job.kind for job in workspace.jobs.list(limit=LIMIT, data=DataRef("t", 1))] == ["batch", "automl"]
    assert [job.experiment_name for job in workspace.jobs.list(limit=LIMIT, experiment_name="ours")] == ["ours"]
    assert workspace.jobs.list(JobKind.GATE, data=DataRef("t", 1)) == ()
    assert len(workspace.data.lineage(world.data.ref).jobs) == 2


def test_a_pipelines_runs_are_listed_by_id_and_by_name(workspace: Workspace) -> None:
    def published(name: str) -> str:
        step = PipelineStep("prepare", StepKind.PREPARE, (), {"data": "people"})
        return workspace.pipelines.publish(PipelineSpec(name, (step,))).id

    ours, theirs = published("ours"), published("theirs")
    run = workspace.pipelines.trigger(ours, "x")
    for _ in range(NEIGHBOURS):
        workspace.pipelines.trigger(theirs, "x")
    for named in (ours, "ours"):
        assert [one.id for one in workspace.pipelines.list_runs(named, LIMIT)] == [run.id]
    assert len(workspace.pipelines.list_runs(limit=LIMIT)) == LIMIT


def test_the_runs_of_a_table_tell_which_of_them_made_it(world: World, workspace: Workspace) -> None:
    step = PipelineStep("prepare", StepKind.PREPARE, (), {"data": "people"})
    workspace.pipelines.publish(PipelineSpec("ours", (step,)))
    maker, user, _ = (workspace.pipelines.trigger("ours", "x").id for _ in range(3))
    table = Artifact(ValueType.DATA, "people:1")
    world.store.runs.note_artifacts(maker, "prepare", [table], made=True)
    world.store.runs.note_artifacts(maker, "automl", [table], made=False)
    world.store.runs.note_artifacts(user, "prepare", [table, Artifact(ValueType.DATA, "people:2")], made=False)

    runs = workspace.pipelines.list_runs(of=table)

    assert [(run.id, run.made) for run in runs] == [(user, False), (maker, True)]
    assert workspace.pipelines.list_runs(of=Artifact(ValueType.MODEL, "people:1")) == ()


def test_an_endpoints_load_reports_are_listed(world: World, workspace: Workspace) -> None:
    met = LoadReport("http://127.0.0.1:1", 10, 0, 1.0, 10.0, 2.0, 1.9, 2.8, 3.0, 3.1, 4, 2)
    for number, name in enumerate(["ours", *["theirs"] * NEIGHBOURS]):
        world.store.proofs.add_load_report(
            LoadReport(**{**_fields(met), "id": f"r{number}", "created_at": float(number), "endpoint": name})
        )
    assert [report.id for report in workspace.proofs.load_reports("ours", LIMIT)] == ["r0"]
    assert len(workspace.proofs.load_reports(limit=LIMIT)) == LIMIT


def _fields(report: LoadReport) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__slots__}


def test_a_trials_log_is_found_however_long_the_jobs_log_is(world: World, workspace: Workspace) -> None:
    job_id = world.submit("fake", trials=2)
    world.run_here(job_id)
    with world.paths.job_log(job_id).open("ab") as log:
        log.write(b'{"at":1,"level":"info","text":"Trial 99: waits"}\n' * 10_100)
    assert any("succeeded" in line for line in workspace.jobs.trial(job_id, 0).log)


@pytest.mark.parametrize(
    "ask",
    [
        lambda workspace, limit: workspace.jobs.list(limit=limit),
        lambda workspace, limit: workspace.pipelines.list_runs(limit=limit),
        lambda workspace, limit: workspace.proofs.gate_reports(limit=limit),
        lambda workspace, limit: workspace.proofs.load_reports(limit=limit),
        lambda workspace, limit: workspace.data.sample(DataRef("t"), limit),
    ],
    ids=["jobs", "runs", "gate reports", "load reports", "rows"],
)
@pytest.mark.parametrize("limit", [0, -1, True, "5"])
def test_a_limit_that_makes_no_sense_is_refused(
    workspace: Workspace, ask: Callable[[Workspace, object], object], limit: object
) -> None:
    with pytest.raises(SpecInvalid, match="The limit is a whole number of at least 1, got"):
        ask(workspace, limit)
