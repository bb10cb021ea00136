"""The lifecycle over any workspace: what it leaves behind, what it says, how it ends."""

import json
from dataclasses import replace

import pytest
from fakes import without
from quickstart_fakes import LEAK, RED, UNDECIDED, LifecycleFake, Ticking

from core.domain.errors import ServiceUnavailable, SpecInvalid, TrainingFailed
from core.domain.job import JobState
from core.domain.names import table_name
from core.quickstart import QuickstartOptions, QuickstartReport, run
from core.settings import read_settings


@pytest.fixture
def settings(tmp_path):
    return read_settings({"SLIPWAY_HOME": str(tmp_path)})


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def live(said):
    def live(workspace: LifecycleFake, **options) -> QuickstartReport:
        clock = Ticking()
        return run(workspace.workspace, QuickstartOptions(**options), say=said.append, clock=clock, sleep=clock.sleep)

    return live


def test_the_document_has_exactly_the_promised_keys(live, settings):
    document = live(LifecycleFake(settings)).document()
    assert {part: sorted(value) for part, value in document.items()} == {
        "data": ["columns", "name", "notes", "rows", "sha256", "source", "version"],
        "job": ["best", "id", "state", "trials"],
        "model": ["name", "version"],
        "endpoint": ["name", "primary_key", "scoring_uri", "swagger_uri"],
        "score": ["body", "status"],
        "gate": ["checks", "passed"],
        "seconds": ["automl", "data", "deploy", "gate", "total"],
    }
    assert json.loads(json.dumps(document)) == document


def test_the_document_says_what_came_of_each_step(live, settings):
    document = live(LifecycleFake(settings)).document()
    assert document["data"] | {"sha256": ""} == {
        "name": "bankmarketing_train", "version": 1, "rows": 100, "columns": 3, "source": "file", "sha256": "",
        "notes": [],
    }  # fmt: skip
    assert document["job"]["best"] == {"algorithm": "LightGBM", "metrics": {"AUC_weighted": 0.94}}
    assert document["model"] == {"name": "bank-marketing", "version": 1}
    assert document["score"] == {"status": 200, "body": {"result": ["no", "yes"]}}
    assert document["gate"]["passed"] is True
    assert document["gate"]["checks"][1] == {"name": "shadow", "passed": None, "evidence": "does not apply"}


def test_the_phases_add_up_to_the_total(live, settings):
    seconds = dict(live(LifecycleFake(settings)).seconds)
    assert seconds.pop("total") == pytest.approx(sum(seconds.values()))


def test_the_gated_deployment_takes_all_traffic_and_the_one_before_keeps_none(live, settings):
    workspace = LifecycleFake(settings)
    live(workspace)
    report = live(workspace)
    assert report.model.version == 2
    assert workspace.traffic == {"v1": 0, "v2": 100}
    assert workspace.forced_by == ""


def test_it_says_that_the_model_leaks(live, settings, said):
    assert live(LifecycleFake(settings)).notes == (LEAK,)
    assert LEAK in said


def test_every_trial_is_told_once(live, settings, said):
    live(LifecycleFake(settings))
    assert [line for line in said if line.startswith("Trial ")] == [
        f"Trial {n}: LightGBM, AUC_weighted 0.9400, 1.0 s" for n in (0, 1)
    ]


def test_a_red_gate_gives_the_report_without_traffic(live, settings):
    workspace = LifecycleFake(settings, verdict=RED)
    report = live(workspace)
    assert workspace.traffic == {}
    assert report.document()["gate"]["passed"] is False
    assert report.document()["score"]["status"] == 503
    assert report.exit_code == 1


def test_a_gate_without_a_verdict_ends_with_3(live, settings):
    report = live(LifecycleFake(settings, verdict=UNDECIDED))
    assert report.document()["gate"]["passed"] is False
    assert report.exit_code == 3


def test_a_failed_check_weighs_more_than_a_missing_verdict(live, settings):
    assert live(LifecycleFake(settings, verdict=(*RED, *UNDECIDED))).exit_code == 1


def test_a_failed_training_is_explained_by_its_own_message(live, settings):
    with pytest.raises(TrainingFailed, match="every trial ran out of memory") as failed:
        live(LifecycleFake(settings, failure="every trial ran out of memory"))
    assert failed.value.hint == "Look at the table"


def test_a_deployment_that_does_not_load_is_explained(live, settings):
    workspace = LifecycleFake(settings)
    workspace.deployment_error = "arrays.npz is damaged"
    with pytest.raises(ServiceUnavailable, match=r"arrays\.npz is damaged"):
        live(workspace)


def test_a_service_that_dies_meanwhile_is_started_again(live, settings, said):
    workspace = LifecycleFake(settings, crash=True)
    assert live(workspace).exit_code == 0
    assert workspace.started == 2
    assert "The service has stopped; starting it again" in said


ENOUGH = frozenset(
    {
        "data.register",
        *("jobs.submit", "jobs.get", "jobs.list", "jobs.trials"),
        *("models.register", "models.list"),
        *("endpoints.deploy", "endpoints.get", "endpoints.keys", "endpoints.set_traffic", "endpoints.invoke"),
        *("proofs.run_gate", "proofs.gate_reports"),
    }
)
"""What a backend must do for a quickstart; it may lack everything else, a service too."""


@pytest.mark.parametrize("reuse", [False, True])
def test_a_backend_without_a_service_and_with_few_verbs_is_enough(live, settings, reuse):
    fake = LifecycleFake(settings)
    fake.running = True  # what is queued is done by whoever does it there
    fake.workspace = without(fake.workspace, *fake.workspace.capabilities - ENOUGH)
    assert fake.workspace.capabilities == ENOUGH
    assert live(fake, reuse=reuse).exit_code == 0
    assert fake.started == 0


def test_nonsense_is_refused_before_anything_is_started(live, settings):
    workspace = LifecycleFake(settings)
    with pytest.raises(SpecInvalid, match="at least 3 seconds"):
        live(workspace, timeout_s=1)
    assert workspace.started == 0


def test_reuse_keeps_the_model_the_deployment_and_its_gate(live, settings):
    workspace = LifecycleFake(settings)
    first = live(workspace)
    jobs = len(workspace.jobs)
    again = live(workspace, reuse=True)
    assert (again.job.id, again.model.ref, len(workspace.jobs)) == (first.job.id, first.model.ref, jobs)
    assert again.exit_code == 0


def test_reuse_waits_for_the_training_that_is_under_way(live, settings):
    workspace = LifecycleFake(settings)
    first = live(workspace)
    unfinished = LifecycleFake(settings)
    unfinished.assets = workspace.assets
    unfinished.jobs = {first.job.id: replace(first.job, state=JobState.RUNNING, result=None)}
    assert live(unfinished, reuse=True).job.id == first.job.id


def test_reuse_trains_anew_for_another_target_or_other_columns(live, settings):
    workspace = LifecycleFake(settings)
    jobs = {live(workspace).job.id}
    for options in ({"target": "job"}, {"exclude": ("age",)}, {}):
        jobs.add(live(workspace, reuse=True, **options).job.id)
    assert len(jobs) == 3


def test_reuse_gates_anew_what_had_not_passed(live, settings):
    workspace = LifecycleFake(settings, verdict=RED)
    live(workspace)
    workspace.verdict = RED[:2]
    assert live(workspace, reuse=True).exit_code == 0
    assert workspace.traffic == {"v1": 100}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("bankmarketing_train", "bankmarketing_train"),
        ("tables/adult.csv.xz", "adult"),
        ("/a/My Table.parquet", "My Table"),
        (".hidden", ".hidden"),
        ("sales.2024.csv", "sales.2024"),
    ],
)
def test_a_table_is_named_after_its_file(data, name):
    assert table_name(data) == name
