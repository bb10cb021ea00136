"""What every backend does alike before a service works. Written once; a backend gives a fixture and gets it all.

The only question a test may ask of a backend is what its `capabilities` hold; what it has not is skipped by name.
"""

import gzip
import inspect
import lzma
import re
from collections import Counter
from dataclasses import replace
from io import BytesIO
from operator import attrgetter
from pathlib import Path

import pandas as pd
import pytest
from backends import CANNOT, MAKE, need

from core.domain.compute import Compute
from core.domain.data import ColumnKind, ColumnRole, DataRef, DataSource, NoteKind, Reading
from core.domain.endpoint import DeploymentSpec, EndpointSpec
from core.domain.errors import (
    Conflict,
    DataNotFound,
    EndpointNotFound,
    JobNotFound,
    ModelNotFound,
    NotSupported,
    PayloadTooLarge,
    PipelineNotFound,
    SlipwayError,
    SourceUnreadable,
    SpecInvalid,
    StateChanged,
    TableUnusable,
)
from core.domain.job import JobKind, JobState
from core.domain.names import endpoint_name
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType
from core.domain.run import RunOrigin, StepState
from core.domain.training import TrainingSpec
from core.settings import read_settings
from core.workspace import BACKENDS, Workspace, open_workspace
from core.workspace.data import DataAssets


@pytest.fixture(params=sorted(BACKENDS))
def workspace(request, tmp_path) -> Workspace:
    """A backend nobody wired is a KeyError here, not a skip."""
    return MAKE[request.param](tmp_path / "workspace")


@pytest.fixture
def people(tmp_path) -> Path:
    """A small table: an id, a number with a gap, a category, a flag, a text target that blue ones always meet."""
    lines = ["id,age,colour,member,bought"]
    for i in range(60):
        age, colour, bought = "" if i == 7 else 20 + i % 40, "red" if i % 3 else "blue", i % 4 or i % 3 == 0
        lines.append(f"c{i:03},{age},{colour},{i % 2 == 0},{'yes' if bought else 'no'}")
    path = tmp_path / "people.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def registered(workspace, people):
    return workspace.data.register("people", str(people))


def test_what_a_backend_cannot_do_is_what_is_known_of_it(request, workspace):
    """A verb that is lost, and one that is new, must be said here: else all its tests would be skipped in silence."""
    assert set(workspace.verbs) - workspace.capabilities == CANNOT[request.node.callspec.params["workspace"]]


def test_every_verb_that_is_no_capability_says_so(workspace):
    for name in set(workspace.verbs) - workspace.capabilities:
        verb = attrgetter(name)(workspace)
        needed = [p for p in inspect.signature(verb).parameters.values() if p.default is p.empty]
        with pytest.raises(NotSupported, match=name):
            verb(*[None for _ in needed])


def test_a_workspace_without_a_collection_can_do_nothing_of_it(workspace):
    bare = replace(workspace, data=DataAssets())
    assert "data.list" in workspace.capabilities
    assert bare.capabilities == {verb for verb in workspace.capabilities if not verb.startswith("data.")}
    assert not bare.can("data.list", "jobs.list")
    with pytest.raises(NotSupported, match=r"data\.list"):
        bare.data.list()


def test_what_several_collections_do_has_one_name(workspace):
    """The verbs of `azure-ai-ml` where it has them; a new one is added here on purpose."""
    shared = Counter(name.partition(".")[2] for name in workspace.verbs)
    assert {verb for verb, count in shared.items() if count > 1} == {
        "cancel", "create", "curves", "delete", "enable", "explain", "get", "keys", "list", "logs", "open_output",
        "package", "register", "rotate_key", "update",
    }  # fmt: skip


def test_a_backend_that_does_not_exist_is_named_with_those_that_do(tmp_path):
    settings = read_settings({"SLIPWAY_HOME": str(tmp_path), "SLIPWAY_WORKSPACE": "moon"})
    with pytest.raises(SlipwayError, match="moon") as caught:
        open_workspace(settings)
    assert "local" in caught.value.hint


def test_an_empty_workspace_lists_nothing(workspace):
    """But for the compute that is always there."""
    for noun in ("data", "jobs", "models", "endpoints", "pipelines"):
        if workspace.can(f"{noun}.list"):
            assert getattr(workspace, noun).list() == (), noun
    for reports in ("proofs.gate_reports", "proofs.load_reports"):
        if workspace.can(reports):
            assert attrgetter(reports)(workspace)() == attrgetter(reports)(workspace)("nothing") == ()


def test_what_names_nothing_that_is_there_lists_no_jobs(workspace, registered):
    job = workspace.jobs.submit(TrainingSpec(registered.ref, "bought"))
    assert workspace.jobs.list(data=registered.ref) == (job,)
    assert workspace.jobs.list(JobKind.GATE) == workspace.jobs.list(data=DataRef("people", 2)) == ()
    assert workspace.jobs.list(endpoint="nothing") == workspace.jobs.list(experiment_name="nothing") == ()


def test_lists_come_newest_first_and_at_least_one(workspace, registered):
    jobs = [workspace.jobs.submit(TrainingSpec(registered.ref, "bought")) for _ in range(3)]
    assert [job.id for job in workspace.jobs.list(limit=2)] == [jobs[2].id, jobs[1].id]
    with pytest.raises(SpecInvalid, match="0"):
        workspace.jobs.list(limit=0)


def test_a_table_without_a_name_takes_its_sources(workspace, people):
    assert workspace.data.register("", str(people)).name == "people"


def test_a_registered_table_knows_its_shape_and_source(workspace, registered):
    assert (registered.name, registered.version, registered.rows) == ("people", 1, 60)
    assert registered.columns == ("id", "age", "colour", "member", "bought")
    assert registered.source is DataSource.FILE
    assert re.fullmatch(r"[0-9a-f]{64}", registered.sha256)
    assert workspace.data.list() == (registered,)


def test_a_table_keeps_what_was_done_to_it_and_another_reading_is_another_version(workspace, tmp_path):
    path = tmp_path / "spelled.csv"
    path.write_text("n;y\n" + "".join(f"{i},5;{('Yes', 'yes', 'No')[i % 3]}\n" for i in range(60)))
    apart = workspace.data.register("spelled", str(path))
    assert [note.kind for note in apart.notes] == [NoteKind.NUMBERS, NoteKind.SPELLINGS]
    assert workspace.data.get(apart.ref) == apart == workspace.data.register("spelled", str(path))
    merged = workspace.data.register("spelled", str(path), Reading(merge_spellings=True))
    assert merged.version == 2
    assert {level.value for level in workspace.data.profile(merged.ref).column("y").levels} == {"Yes", "No"}
    assert {level.value for level in workspace.data.profile(apart.ref).column("y").levels} == {"Yes", "yes", "No"}


def test_the_same_bytes_are_the_same_version_and_other_bytes_the_next(workspace, registered, people):
    assert workspace.data.register("people", str(people)) == registered
    people.write_text(people.read_text() + "c999,30,red,True,yes\n")
    assert workspace.data.register("people", str(people)).version == 2
    assert workspace.data.get(DataRef("people")).version == 2
    assert workspace.data.get(DataRef("people", 1)) == registered


def test_a_profile_tells_kinds_roles_and_gaps(workspace, registered):
    profile = workspace.data.profile(registered.ref)
    assert {c.name: c.kind for c in profile.columns} == {
        "id": ColumnKind.STRING,
        "age": ColumnKind.INTEGER,
        "colour": ColumnKind.STRING,
        "member": ColumnKind.BOOLEAN,
        "bought": ColumnKind.STRING,
    }
    assert profile.column("id").role is ColumnRole.ID
    assert profile.column("age").missing == 1


def test_a_profile_with_a_target_gives_its_rate_per_level(workspace, registered):
    levels = workspace.data.profile(registered.ref, target="bought").column("colour").levels
    assert [(level.value, level.count, level.target_rate) for level in levels] == [("red", 40, 0.75), ("blue", 20, 1.0)]


def test_a_profile_of_an_unknown_target_names_the_columns(workspace, registered):
    with pytest.raises(SpecInvalid, match="nothing") as caught:
        workspace.data.profile(registered.ref, target="nothing")
    assert "bought" in caught.value.hint


def test_a_sample_gives_the_first_rows(workspace, registered):
    sample = workspace.data.sample(registered.ref, rows=2)
    assert sample.columns == registered.columns
    assert sample.rows[0] == ("c000", 20, "blue", True, "yes")
    assert len(sample.rows) == 2


@pytest.mark.parametrize(
    ("verb", "arguments", "error"),
    [
        ("data.get", (DataRef("nothing"),), DataNotFound),
        ("data.profile", (DataRef("nothing"),), DataNotFound),
        ("data.sample", (DataRef("nothing"),), DataNotFound),
        ("data.lineage", (DataRef("nothing"),), DataNotFound),
        ("jobs.get", ("nothing",), JobNotFound),
        ("jobs.cancel", ("nothing",), JobNotFound),
        ("jobs.trials", ("nothing",), JobNotFound),
        ("jobs.logs", ("nothing",), JobNotFound),
        ("pipelines.get_run", ("nothing",), JobNotFound),
        ("schedules.get", ("nothing",), PipelineNotFound),
        ("schedules.enable", ("nothing", True), PipelineNotFound),
        ("schedules.delete", ("nothing",), PipelineNotFound),
        ("schedules.run_now", ("nothing",), PipelineNotFound),
        ("schedules.fires", ("nothing",), PipelineNotFound),
        ("pipelines.step_log", ("nothing", "prepare"), JobNotFound),
        ("pipelines.open_output", ("nothing", "prepare", "data"), JobNotFound),
        ("models.register", ("m", "nothing"), JobNotFound),
        ("models.get", ("nothing",), ModelNotFound),
        ("endpoints.get", ("nothing",), EndpointNotFound),
        ("endpoints.keys", ("nothing",), EndpointNotFound),
        ("endpoints.rotate_key", ("nothing", "primary"), EndpointNotFound),
        ("endpoints.set_traffic", ("nothing", {"v1": 100}), EndpointNotFound),
        ("endpoints.invoke", ("nothing", b"{}"), EndpointNotFound),
        ("records.telemetry", ("nothing",), EndpointNotFound),
        ("proofs.run_gate", ("nothing",), EndpointNotFound),
        ("endpoints.delete", ("nothing",), EndpointNotFound),
        ("pipelines.trigger", ("nothing", "an-experiment"), PipelineNotFound),
        ("endpoints.deploy", (DeploymentSpec("an-endpoint", "nothing"),), ModelNotFound),
    ],
)
def test_what_does_not_exist_is_not_found_by_name(workspace, verb, arguments, error):
    need(workspace, verb)
    with pytest.raises(error, match="nothing"):
        attrgetter(verb)(workspace)(*arguments)


def test_what_explains_a_trial_asks_for_a_job_that_is_there(workspace):
    """In one test: a backend that cannot explain need not say so verb by verb."""
    for verb in ("curves", "thresholds", "fold_metrics", "importance", "winner", "signature"):
        if workspace.can(f"jobs.{verb}"):
            with pytest.raises(JobNotFound, match="nothing"):
                getattr(workspace.jobs, verb)(*(("nothing",) if verb in ("winner", "signature") else ("nothing", 0)))
    if workspace.can("models.explain", "models.curves"):
        with pytest.raises(ModelNotFound, match="nothing"):
            workspace.models.explain("nothing", 0, {})
        with pytest.raises(ModelNotFound, match="nothing"):
            workspace.models.curves("nothing", 0)


def test_a_job_that_has_not_trained_has_nothing_to_explain(workspace, registered):
    if not workspace.can("jobs.winner", "jobs.signature", "jobs.curves"):
        return
    job = workspace.jobs.submit(TrainingSpec(registered.ref, "bought"))
    assert workspace.jobs.signature(job.id).target == "bought"
    with pytest.raises(Conflict):
        workspace.jobs.winner(job.id)
    with pytest.raises(JobNotFound, match="0"):
        workspace.jobs.curves(job.id, 0)


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        ("", TableUnusable, "empty"),
        ("a,b\n", TableUnusable, "row"),
        ("a,a\n1,2\n", TableUnusable, "a"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_and_leaves_nothing(workspace, tmp_path, content, error, said):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    with pytest.raises(error, match=said):
        workspace.data.register("bad", str(path))
    assert workspace.data.list() == ()


def test_a_file_that_is_no_table_is_unreadable(workspace, tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(SourceUnreadable, match=r"bad\.parquet"):
        workspace.data.register("bad", str(path))


def test_a_path_that_does_not_exist_is_unreadable(workspace, tmp_path):
    with pytest.raises(SourceUnreadable, match=r"nowhere\.csv"):
        workspace.data.register("bad", str(tmp_path / "nowhere.csv"))


def test_a_submitted_job_is_queued_with_its_experiment(workspace, registered):
    job = workspace.jobs.submit(TrainingSpec(DataRef("people"), "bought", experiment_name="first try"))
    assert (job.state, job.experiment_name) == (JobState.QUEUED, "first try")
    assert workspace.jobs.get(job.id) == job
    assert workspace.jobs.list() == (job,)
    assert job.spec.data == DataRef("people", 1)
    assert workspace.data.lineage(registered.ref).jobs == (job.id,)


@pytest.mark.parametrize("target", ["nothing", "id"])
def test_a_target_that_cannot_be_learned_is_refused_at_once(workspace, tmp_path, target):
    path = tmp_path / "many.csv"
    path.write_text("id,a\n" + "".join(f"i{i},{i % 2}\n" for i in range(150)))
    workspace.data.register("many", str(path))
    with pytest.raises(TableUnusable, match=target):
        workspace.jobs.submit(TrainingSpec(DataRef("many"), target))
    assert workspace.jobs.list() == ()


def test_a_target_with_one_class_is_refused(workspace, tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("a,y\n" + "".join(f"{i},yes\n" for i in range(30)))
    workspace.data.register("one", str(path))
    with pytest.raises(TableUnusable, match="one value 'yes'") as caught:
        workspace.jobs.submit(TrainingSpec(DataRef("one"), "y"))
    assert "two classes" in caught.value.hint


def test_excluding_an_unknown_column_names_the_columns(workspace, registered):
    with pytest.raises(SpecInvalid, match="shoe") as caught:
        workspace.jobs.submit(TrainingSpec(registered.ref, "bought", exclude=("shoe",)))
    assert "colour" in caught.value.hint


def test_an_unknown_compute_is_refused(workspace, registered):
    with pytest.raises(SpecInvalid, match="cloud"):
        workspace.jobs.submit(TrainingSpec(registered.ref, "bought", compute="cloud"))


def test_a_queued_job_is_canceled_at_once_and_stays_so(workspace, registered):
    job = workspace.jobs.submit(TrainingSpec(registered.ref, "bought"))
    assert workspace.jobs.cancel(job.id).state is JobState.CANCELED
    assert workspace.jobs.cancel(job.id).state is JobState.CANCELED


def test_a_job_that_has_not_succeeded_has_no_model(workspace, registered):
    job = workspace.jobs.submit(TrainingSpec(registered.ref, "bought"))
    with pytest.raises(Conflict, match="queued"):
        workspace.models.register("people", job.id)


def test_a_compute_is_created_and_then_changed(workspace):
    need(workspace, "computes.create", "computes.list")
    workspace.computes.create(Compute("small", memory_mb=512))
    workspace.computes.create(Compute("small", memory_mb=1024))
    known = {compute.name: compute for compute in workspace.computes.list()}
    assert known["small"].memory_mb == 1024
    assert "local" in known


def test_a_new_endpoint_has_keys_no_deployment_and_no_traffic(workspace):
    endpoint = workspace.endpoints.create(EndpointSpec("an-endpoint"))
    keys = workspace.endpoints.keys("an-endpoint")
    assert (endpoint.deployments, endpoint.traffic) == ((), {})
    assert endpoint.scoring_uri.endswith("/score")
    assert len(keys.primary) >= 43
    assert keys.primary != keys.secondary
    assert workspace.endpoints.list() == (endpoint,)


def test_an_endpoint_name_is_taken_once(workspace):
    workspace.endpoints.create(EndpointSpec("an-endpoint"))
    with pytest.raises(Conflict, match="an-endpoint"):
        workspace.endpoints.create(EndpointSpec("an-endpoint"))


@pytest.mark.contract("K1")
def test_each_key_is_rotated_alone(workspace):
    need(workspace, "endpoints.rotate_key")
    workspace.endpoints.create(EndpointSpec("an-endpoint"))
    before = workspace.endpoints.keys("an-endpoint")
    after = workspace.endpoints.rotate_key("an-endpoint", "secondary")
    assert after.primary == before.primary
    assert after.secondary != before.secondary
    with pytest.raises(SpecInvalid, match="third"):
        workspace.endpoints.rotate_key("an-endpoint", "third")


@pytest.mark.parametrize("traffic", [{"v1": 50}, {"v1": 101}, {"v1": -1, "v2": 101}])
def test_traffic_sums_to_nothing_or_a_hundred(workspace, traffic):
    workspace.endpoints.create(EndpointSpec("an-endpoint"))
    with pytest.raises(SpecInvalid, match="100"):
        workspace.endpoints.set_traffic("an-endpoint", traffic)


def test_nothing_is_changed_that_is_not_as_expected(workspace):
    need(workspace, "endpoints.update", "endpoints.set_traffic")
    before = workspace.endpoints.create(EndpointSpec("an-endpoint"))
    seen = before.limits.max_concurrent
    workspace.endpoints.update("an-endpoint", {"max_concurrent": 7}, expected={"max_concurrent": seen})

    with pytest.raises(StateChanged, match=r"max_concurrent .* is 7"):
        workspace.endpoints.update("an-endpoint", {"workers": 2}, expected={"max_concurrent": seen})
    with pytest.raises(StateChanged, match="it is none"):
        workspace.endpoints.set_traffic("an-endpoint", {}, expected={"v1": 100})

    assert workspace.endpoints.get("an-endpoint").limits == replace(before.limits, max_concurrent=7)
    assert not workspace.endpoints.set_traffic("an-endpoint", {}, expected={"v1": 0}).traffic


@pytest.mark.parametrize("mirror", [{"v1": 51}, {"v1": 30, "v2": 30}, {"v1": -1}])
def test_no_more_than_half_of_the_requests_are_mirrored(workspace, mirror):
    workspace.endpoints.create(EndpointSpec("an-endpoint"))
    with pytest.raises(SpecInvalid, match="50"):
        workspace.endpoints.set_traffic("an-endpoint", {}, mirror)


def test_a_pipeline_is_published_once_and_triggered_by_name(workspace):
    need(workspace, "pipelines.publish", "pipelines.trigger", "pipelines.get_run", "pipelines.list_runs")
    spec = PipelineSpec(
        "train",
        (PipelineStep("prepare", StepKind.PREPARE, (), {"data": "people"}),),
        parameters=(Parameter("timeout_s", ParameterType.NUMBER, 30),),
    )
    published = workspace.pipelines.publish(spec)
    assert workspace.pipelines.publish(spec) == published
    run = workspace.pipelines.trigger("train", "nightly", {"timeout_s": 15})
    assert [step.state for step in run.steps] == [StepState.QUEUED]
    assert workspace.pipelines.get_run(run.id) == run
    assert [listed.id for listed in workspace.pipelines.list_runs(published.id)] == [run.id]
    assert workspace.jobs.get(run.id).spec.parameters == {"timeout_s": 15}


def test_a_step_that_has_not_begun_has_an_empty_log_and_no_outputs(workspace):
    need(workspace, "pipelines.publish", "pipelines.trigger", "pipelines.step_log", "pipelines.open_output")
    settings = {"command": ["python", "--version"]}
    step = PipelineStep("own", StepKind.COMMAND, settings=settings, outputs={"report": ValueType.FILE})
    workspace.pipelines.publish(PipelineSpec("report", (step,)))
    run = workspace.pipelines.trigger("report", "nightly")
    assert workspace.pipelines.step_log(run.id, "own") == ()
    with pytest.raises(Conflict, match="report"):
        workspace.pipelines.open_output(run.id, "own", "report")
    with pytest.raises(JobNotFound, match="another"):
        workspace.pipelines.step_log(run.id, "another")
    with pytest.raises(JobNotFound, match="another"):
        workspace.pipelines.open_output(run.id, "own", "another")


def test_a_parameter_that_a_pipeline_does_not_have_is_refused(workspace):
    need(workspace, "pipelines.publish", "pipelines.trigger")
    workspace.pipelines.publish(
        PipelineSpec("train", (PipelineStep("prepare", StepKind.PREPARE, (), {"data": "people"}),))
    )
    with pytest.raises(SpecInvalid, match="speed"):
        workspace.pipelines.trigger("train", "nightly", {"speed": 1})


TRAIN = PipelineSpec("train", (PipelineStep("prepare", StepKind.PREPARE, (), {"data": "people"}),))
NEWER = replace(TRAIN, description="newer")


def test_the_next_version_of_a_pipeline_has_a_label_and_runs_where_none_is_named(workspace):
    need(workspace, "pipelines.publish", "pipelines.versions", "pipelines.set_default", "pipelines.trigger")
    first = workspace.pipelines.publish(TRAIN, label="spring")
    second = workspace.pipelines.publish(NEWER)
    assert [(p.version, p.label, p.default) for p in (first, second)] == [(1, "spring", True), (2, "2", True)]
    assert [p.id for p in workspace.pipelines.versions("train")] == [second.id, first.id]
    assert workspace.pipelines.get("train") == second
    assert workspace.pipelines.get("train", 1) == workspace.pipelines.get(first.id)
    assert (workspace.pipelines.get(first.id).spec, workspace.pipelines.get(first.id).default) == (TRAIN, False)
    with pytest.raises(Conflict, match="spring"):
        workspace.pipelines.publish(replace(TRAIN, description="newest"), label="spring")
    with pytest.raises(PipelineNotFound, match="no version 3"):
        workspace.pipelines.set_default("train", 3)
    assert workspace.pipelines.set_default("train", 1).id == first.id
    asked = [("train", 0), ("train", 2), (second.id, 0)]
    runs = [workspace.pipelines.trigger(name, "nightly", version=version) for name, version in asked]
    assert [run.version for run in runs] == [1, 2, 2]


def test_a_disabled_pipeline_starts_no_run_in_any_version(workspace):
    need(workspace, "pipelines.publish", "pipelines.enable", "pipelines.trigger")
    first = workspace.pipelines.publish(TRAIN)
    workspace.pipelines.publish(NEWER)
    assert not workspace.pipelines.enable("train", False).enabled
    for name in ("train", first.id):
        with pytest.raises(Conflict, match="disabled"):
            workspace.pipelines.trigger(name, "nightly")
    assert workspace.pipelines.enable("train", True).enabled
    assert workspace.pipelines.trigger("train", "nightly").state is JobState.QUEUED


def test_a_pipelines_keys_are_its_own_and_are_replaced_one_at_a_time(workspace):
    need(workspace, "pipelines.publish", "pipelines.keys", "pipelines.rotate_key")
    workspace.pipelines.publish(TRAIN)
    workspace.pipelines.publish(replace(TRAIN, name="other"))
    keys = workspace.pipelines.keys("train")
    others = workspace.pipelines.keys("other")
    assert len({keys.primary, keys.secondary, others.primary, others.secondary}) == 4
    workspace.pipelines.publish(NEWER)
    assert workspace.pipelines.keys("train") == keys, "a new version has the keys of its name"
    rotated = workspace.pipelines.rotate_key("train", "secondary")
    assert (rotated.primary, rotated == keys) == (keys.primary, False)
    assert workspace.pipelines.keys("train") == rotated
    with pytest.raises(SpecInvalid, match="third"):
        workspace.pipelines.rotate_key("train", "third")


def test_a_repeated_trigger_gives_the_run_that_it_started(workspace):
    need(workspace, "pipelines.publish", "pipelines.trigger", "pipelines.list_runs", "pipelines.retry")
    workspace.pipelines.publish(TRAIN)
    run = workspace.pipelines.trigger("train", "nightly", repeat_key="k")
    assert workspace.pipelines.trigger("train", "nightly", repeat_key="k").id == run.id
    with pytest.raises(Conflict, match="idempotency key"):
        workspace.pipelines.trigger("train", "weekly", repeat_key="k")
    with pytest.raises(SpecInvalid, match="idempotency key"):
        workspace.pipelines.trigger("train", "nightly", repeat_key="a b")
    assert [found.id for found in workspace.pipelines.list_runs()] == [run.id]


def test_runs_are_listed_newest_first_by_what_is_asked_for_and_in_pages(workspace):
    need(workspace, "pipelines.publish", "pipelines.trigger", "pipelines.cancel", "pipelines.list_runs")
    for name in ("train", "other"):
        workspace.pipelines.publish(replace(TRAIN, name=name))
    asked = [("train", "a"), ("other", "a"), ("train", "b"), ("train", "a")]
    first, foreign, second, third = (workspace.pipelines.trigger(*one).id for one in asked)
    workspace.pipelines.cancel(second)

    def ids(*given, **filters):
        return [run.id for run in workspace.pipelines.list_runs(*given, **filters)]

    assert ids() == [third, second, foreign, first]
    assert ids("train") == [third, second, first]
    assert ids("train", 2) == [third, second]
    assert ids("train", 2, before=second) == [first]
    assert ids(before=first) == []
    assert ids(state=JobState.CANCELED) == [second]
    assert ids("train", state=JobState.QUEUED, experiment_name="a") == [third, first]
    assert ids(schedule="nightly") == []
    with pytest.raises(PipelineNotFound, match="nothing"):
        ids("nothing")
    with pytest.raises(SpecInvalid, match="limit"):
        ids(limit=0)


def test_a_canceled_run_can_be_retried_and_one_that_goes_on_cannot(workspace):
    need(workspace, "pipelines.publish", "pipelines.trigger", "pipelines.cancel", "pipelines.retry")
    workspace.pipelines.publish(TRAIN)
    run = workspace.pipelines.trigger("train", "nightly")
    with pytest.raises(Conflict, match="queued"):
        workspace.pipelines.retry(run.id)
    canceled = workspace.pipelines.cancel(run.id)
    assert (canceled.state, [step.state for step in canceled.steps]) == (JobState.CANCELED, [StepState.CANCELED])
    again = workspace.pipelines.retry(run.id)
    assert (again.retry_of, again.origin, again.number, again.state) == (run.id, RunOrigin.RETRY, 2, JobState.QUEUED)
    assert workspace.pipelines.cancel(run.id) == canceled, "what has ended stays as it is"


@pytest.mark.parametrize(
    ("text", "name"),
    [("Bank Marketing", "bank-marketing"), ("2024 sales", "e-2024-sales"), ("x", "x-endpoint"), ("a" * 40, "a" * 32)],
)
def test_any_name_becomes_an_endpoint_name(text, name):
    assert endpoint_name(text) == name
    EndpointSpec(name)


def test_an_uploaded_table_is_known_by_its_own_name_and_read_again_from_what_was_kept(workspace):
    need(workspace, "data.upload", "data.read_again")
    table = b"n;y\n" + b"".join(f"{i},5;{('Yes', 'yes', 'No')[i % 3]}\n".encode() for i in range(60))
    asset = workspace.data.upload("", "C:\\Tische\\Käufer/Größe.csv", BytesIO(table))
    assert (asset.name, asset.source, asset.origin) == ("Größe", DataSource.UPLOAD, "Größe.csv")
    assert workspace.data.upload("Größe", "again.csv", BytesIO(table)) == asset, "the same bytes are the same version"
    merged = workspace.data.read_again(asset.ref, Reading(merge_spellings=True))
    assert (merged.name, merged.version, merged.origin, merged.source) == ("Größe", 2, "Größe.csv", DataSource.UPLOAD)
    once_more = workspace.data.read_again(merged.ref, Reading(header=False))
    assert (once_more.version, once_more.rows) == (3, 61)
    assert workspace.data.read_again(once_more.ref, Reading()) == asset


@pytest.mark.parametrize(
    ("filename", "content"),
    [("t.csv", b"a,y\n1,n\n2,n\n3,p\n"), ("t.tsv", b"a\ty\n1\tn\n2\tn\n3\tp\n"), ("t.txt", b"a|y\n1|n\n2|n\n3|p\n"),
     ("t.csv.gz", gzip.compress(b"a,y\n1,n\n2,n\n3,p\n", mtime=0)),
     ("t.csv.xz", lzma.compress(b"a,y\n1,n\n2,n\n3,p\n")),
     ("t.json", b'[{"a":1,"y":"n"},{"a":2,"y":"n"},{"a":3,"y":"p"}]'), ("called.png", b"a,y\n1,n\n2,n\n3,p\n")],
)  # fmt: skip
def test_an_upload_is_told_by_what_it_is(workspace, filename, content):
    need(workspace, "data.upload")
    asset = workspace.data.upload("t", filename, BytesIO(content))
    assert (asset.rows, asset.columns, asset.origin) == (3, ("a", "y"), filename)


@pytest.mark.parametrize(
    ("filename", "content", "said"),
    [("t.csv", b"", "is empty"),
     ("t.csv.gz", gzip.compress(b"a,y\n1,n\n" * 99, mtime=0)[:-9], "is damaged or incomplete"),
     ("t.zip", b"PK\x03\x04rest", "a zip archive"), ("t.csv", b"a,y\n", "no rows"),
     ("t.parquet", b"PAR1no", "t.parquet"), ("../..", b"a,y\n1,2\n", "is no name of a file"),
     ("t.csv", b"a,a\n1,2\n3,4\n", "a")],
)  # fmt: skip
def test_an_upload_that_is_no_table_is_refused_by_its_name_and_leaves_nothing(workspace, filename, content, said):
    need(workspace, "data.upload")
    with pytest.raises((SourceUnreadable, TableUnusable), match=re.escape(said)) as refused:
        workspace.data.upload("t", filename, BytesIO(content))
    assert "/" not in refused.value.message.replace("../..", ""), "no path of ours is told"
    assert workspace.data.list() == ()


def test_an_upload_above_the_limit_is_refused_before_it_is_read_to_its_end(tmp_path):
    workspace = open_workspace(
        read_settings({"SLIPWAY_HOME": str(tmp_path), "SLIPWAY_UPLOAD_MAX_MB": "3", "SLIPWAY_OFFLINE": "1"})
    )
    need(workspace, "data.upload")
    endless = Endless()
    with pytest.raises(PayloadTooLarge, match="larger than 3 MB") as refused:
        workspace.data.upload("big", "big.csv", endless)
    assert endless.largest <= 1 << 20
    assert endless.given < 6_000_000
    assert "SLIPWAY_UPLOAD_MAX_MB" in refused.value.hint


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_upload_that_unpacks_to_more_than_the_limit_is_refused_and_leaves_nothing(tmp_path, kind):
    environ = {"SLIPWAY_HOME": str(tmp_path / "home"), "SLIPWAY_UNPACKED_MAX_MB": "3", "SLIPWAY_OFFLINE": "1"}
    workspace = open_workspace(read_settings(environ))
    need(workspace, "data.upload")
    packed = BytesIO(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))
    if kind == "parquet":
        packed = BytesIO()
        pd.DataFrame({"a": [1] * 2_000_000}).to_parquet(packed)
        packed.seek(0)
    assert packed.getbuffer().nbytes < 100_000
    with pytest.raises(PayloadTooLarge, match="larger than 3 MB once it is unpacked") as refused:
        workspace.data.upload("bomb", f"bomb.{kind}", packed)
    assert "SLIPWAY_UNPACKED_MAX_MB" in refused.value.hint
    assert workspace.data.list() == ()
    assert [path for path in (tmp_path / "home").rglob("*") if "bomb" in path.name or path.suffix == ".parquet"] == []


class Endless(BytesIO):
    """A file that never ends; how much of it was asked for."""

    given = largest = 0

    def read(self, size=-1, /):
        assert size > 0, "all of it at once"
        self.given, self.largest = self.given + size, max(self.largest, size)
        return b"1" * size


def test_what_is_behind_a_page_reads_below_the_allowed_folders_alone(tmp_path, people):
    environ = {"SLIPWAY_HOME": str(tmp_path / "home"), "SLIPWAY_OFFLINE": "1", "SLIPWAY_DATA_DIR": str(tmp_path / "d")}
    free = open_workspace(read_settings(environ))
    asset = free.data.register("people", str(people))
    behind = open_workspace(read_settings(environ), confined=True)
    for ask in (
        lambda: behind.data.register("people", str(people)),
        lambda: behind.data.read_again(asset.ref, Reading(header=False)),
    ):
        with pytest.raises(SourceUnreadable, match="is outside the folders"):
            ask()
    assert behind.data.list() == (asset,)
    assert behind.data.sample(asset.ref, 1).rows, "what is registered is there for everybody"
    allowed = open_workspace(read_settings({**environ, "SLIPWAY_READ_DIR": str(tmp_path)}), confined=True)
    assert allowed.data.register("people", str(people)) == asset


def test_what_a_name_alone_means_is_told_and_can_be_registered(tmp_path, people):
    (tmp_path / "d").mkdir()
    people.rename(tmp_path / "d" / "people.csv")
    environ = {"SLIPWAY_HOME": str(tmp_path / "home"), "SLIPWAY_OFFLINE": "1", "SLIPWAY_DATA_DIR": str(tmp_path / "d")}
    workspace = open_workspace(read_settings(environ), confined=True)
    need(workspace, "data.available")
    assert [table.name for table in workspace.data.available()] == ["bank-marketing", "people"]
    assert workspace.data.register("", "people").rows == 60


def test_a_version_is_deleted_and_its_number_is_not_given_to_another(workspace, people, registered):
    need(workspace, "data.delete")
    people.write_text("a,y\n1,n\n2,p\n")
    second = workspace.data.register("people", str(people))
    assert workspace.data.delete(second.ref) == (second.ref,)
    with pytest.raises(DataNotFound):
        workspace.data.get(second.ref)
    assert workspace.data.list() == (registered,)
    assert workspace.data.register("people", str(people)).version == 3
    assert workspace.data.sample(DataRef("people"), 1).rows == ((1, "n"),)
    assert workspace.data.delete(DataRef("people"), all_versions=True) == (DataRef("people", 3), DataRef("people", 1))
    people.write_text("a,y\n3,n\n4,p\n")
    assert workspace.data.register("people", str(people)).version == 4


def test_what_is_used_is_not_deleted_and_its_users_are_named(workspace, people, registered):
    need(workspace, "data.delete")
    job = workspace.jobs.submit(TrainingSpec(registered.ref, "bought"))
    people.write_text("a,y\n1,n\n2,p\n")
    workspace.data.register("people", str(people))
    for everything in (False, True):
        with pytest.raises(Conflict, match=f"people:1 .job {job.id}") as refused:
            workspace.data.delete(registered.ref, all_versions=everything)
        assert "in use" in refused.value.message
    assert len(workspace.data.list()) == 2
    with pytest.raises(DataNotFound, match="nothing"):
        workspace.data.delete(DataRef("nothing"))
