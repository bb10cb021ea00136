"""A value refuses nonsense at birth, and every state knows where it can go."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import names
from core.domain.autoscale import Autoscale
from core.domain.batch import BatchSpec
from core.domain.compute import Compute
from core.domain.data import DataAsset, DataRef, DataSource, Note, NoteKind, Reading
from core.domain.endpoint import (
    DeploymentSpec,
    EndpointKeys,
    EndpointLimits,
    EndpointSpec,
    GateBudget,
    check_traffic,
)
from core.domain.errors import DefinitionInvalid, JobStateInvalid, NotFound, SlipwayError, SpecInvalid
from core.domain.job import NEXT, JobState, move
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.proof import CheckResult, GateReport, LoadSpec, Target
from core.domain.training import TrainingSpec


@pytest.mark.parametrize(
    "nonsense",
    [
        {"target": ""},
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"timeout_s": 10**400},
        {"primary_metric": "luck"},
        {"exclude": ("y",)},
        {"max_trials": 0},
        {"n_cross_validations": 1},
    ],
    ids=str,
)
def test_a_training_spec_refuses_nonsense(nonsense):
    with pytest.raises(SpecInvalid):
        TrainingSpec(**{"data": DataRef("bank"), "target": "y", **nonsense})


@pytest.mark.parametrize(
    "make",
    [
        lambda: EndpointSpec("Bank Marketing"),
        lambda: EndpointSpec("bank", 70_000),
        lambda: DeploymentSpec("bank", "m", primary_form="v3"),
        lambda: DeploymentSpec("bank", "m", unseen_categories="maybe"),
        lambda: DeploymentSpec("bank", "m", name="Blue Green"),
        *(
            lambda wrong=wrong: LoadSpec(Target("http://127.0.0.1:1"), **wrong)
            for wrong in (
                {"duration_s": 0},
                {"duration_s": float("inf")},
                {"rate_per_s": float("nan")},
                {"rate_per_s": 1e9},
                {"warmup_s": -1},
                {"concurrency": 10**9},
                {"max_requests": -1},
            )
        ),
        lambda: Compute("tiny", memory_mb=1),
        lambda: PipelineSpec("empty", ()),
        lambda: PipelineSpec("loop", (PipelineStep("a", StepKind.PREPARE, needs=("b",)),)),
        lambda: PipelineSpec("twice", (PipelineStep("a", StepKind.PREPARE), PipelineStep("a", StepKind.AUTOML))),
    ],
)
def test_a_spec_refuses_nonsense(make):
    with pytest.raises(SpecInvalid):
        make()


def test_a_refused_endpoint_name_comes_with_one_that_works():
    with pytest.raises(SpecInvalid) as caught:
        EndpointSpec("Bank Marketing")
    assert "bank-marketing" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("données été", "donnees-ete"),
        ("Straße", "strasse"),
        ("Łódź Ærø", "lodz-aero"),
        ("ﬁnal ½", "final-1-2"),
        ("Ünïcode_Täble", "unicode-table"),
    ],
)
def test_letters_with_marks_are_written_without_in_an_endpoints_name(text, name):
    assert names.endpoint_name(text) == name


def test_names_of_which_no_letter_is_left_do_not_meet():
    assert len({names.endpoint_name(text) for text in ("状态", "数据", "🙂", "данные")}) == 4


def test_no_error_is_longer_than_people_read():
    error = SpecInvalid("It is " + "x" * 10_000 + " at the end", hint="y" * 10_000)
    assert len(error.message) <= 600 >= len(error.hint)
    assert error.message.startswith("It is x")
    assert error.message.endswith(" at the end")
    assert str(error) == error.message


def test_an_asset_is_another_where_more_was_done_to_its_bytes():
    plain = DataAsset("t", 1, DataSource.FILE, "t.csv", 3, ("a", "Late Or Not "), "ab" * 32, 1, 0.0)
    assert plain.content_id == plain.sha256
    trimmed = replace(plain, notes=(Note(NoteKind.TRIMMED, "Blanks were removed", ("a",)),))
    told = replace(plain, notes=(Note(NoteKind.SPELLINGS, "Yes and yes", ("a",)),), reading=Reading(target="a"))
    asked = replace(plain, reading=Reading(header=False))
    assert len({plain.content_id, trimmed.content_id, asked.content_id}) == 3
    assert told.content_id == plain.content_id, "a finding and a target change nothing"


@pytest.mark.parametrize(
    ("said", "meant"), [("Late Or Not", "Late Or Not "), ("Late Or Not ", "Late Or Not "), ("a ", "a"), ("b", "b")]
)
def test_a_column_is_meant_without_the_blanks_around_its_name(said, meant):
    assert DataAsset("t", 1, DataSource.FILE, "t", 3, ("a", "Late Or Not "), "ab", 1, 0.0).named(said) == meant


@given(st.text(max_size=60))
def test_every_text_becomes_a_valid_endpoint_name(text):
    assert names.ENDPOINT.fullmatch(names.endpoint_name(text))


@pytest.mark.parametrize("now", list(JobState))
@pytest.mark.parametrize("to", list(JobState))
def test_a_job_moves_only_where_its_state_allows(now, to):
    if to in NEXT.get(now, ()):
        assert move(now, to) is to
    else:
        with pytest.raises(JobStateInvalid):
            move(now, to)


def test_a_final_state_has_no_next():
    assert {state for state in JobState if state.final} == set(JobState) - set(NEXT)


def a_report(*verdicts):
    checks = tuple(CheckResult(f"c{i}", "wire", v, "seen", no_verdict=v is None) for i, v in enumerate(verdicts))
    return GateReport("r", "bank", "v1", "m:1", checks, GateBudget(), "default", 1.0, 1.0)


@pytest.mark.parametrize(("verdicts", "passed"), [((True,), True), ((True, False), False), ((True, None), False)])
def test_a_gate_passes_when_nothing_failed_and_nothing_lacks_a_verdict(verdicts, passed):
    assert a_report(*verdicts).passed is passed


def test_a_check_that_does_not_apply_does_not_stop_a_gate():
    check = CheckResult("shadow", "shadow", None, "not applicable: first deployment")
    report = GateReport("r", "bank", "v1", "m:1", (check,), GateBudget(), "default", 1.0, 1.0)
    assert report.passed


def test_keys_never_show_in_a_representation():
    assert "geheim" not in repr(EndpointKeys("geheim", "geheim"))
    assert "geheim" not in repr(Target("http://127.0.0.1:1", "geheim"))


def every_error(kind=SlipwayError):
    yield kind
    for sub in kind.__subclasses__():
        yield from every_error(sub)


OWN_WORDS = {DefinitionInvalid}
OF_THE_DOMAIN = [k for k in every_error() if k.__module__ == "core.domain.errors" and k not in OWN_WORDS]
"""Those of higher layers, and those whose words follow from what they are given, are tested where they live."""


@pytest.mark.parametrize("kind", sorted(OF_THE_DOMAIN, key=lambda k: k.__name__))
def test_every_error_carries_a_status_a_message_and_a_hint(kind):
    error = kind("what was found", hint="what to do")
    assert (400 <= error.status <= 599, error.message, error.hint) == (True, "what was found", "what to do")


def test_what_does_not_exist_is_always_a_404():
    assert {kind.status for kind in every_error(NotFound)} == {404}
    assert len(OF_THE_DOMAIN) > 10


NAN, INF = float("nan"), float("inf")
NONSENSE = [
    *((EndpointLimits, {name: value}) for name in ("max_rows", "max_concurrent", "workers") for value in (0, -1, 1.5)),
    *((EndpointLimits, {"max_body_mb": value}) for value in (0, -1, NAN, INF, "16")),
    *((EndpointLimits, {f"{name}_timeout_s": 0}) for name in ("header", "body", "idle")),
    *((EndpointLimits, {name: 0}) for name in ("max_header_kb", "max_connections", "collect_model_data")),
    (EndpointLimits, {"app_insights": "on"}),
    *((EndpointLimits, {"collect_sample_pct": value}) for value in (0, -1, 100.1, NAN, "10", True)),
    *((EndpointLimits, {"masked_columns": value}) for value in ("age", (1,), ("",))),
    *((EndpointLimits, {"cors_origins": value}) for value in ("https://a.b", ("a.b",), ("https://a.b/c",), (1,))),
    (EndpointLimits, {"max_rows": True}),
    *((GateBudget, {"p99_ms": value}) for value in (0, -1, NAN, INF, "50", None)),
    *((GateBudget, {"requests_per_s": value}) for value in (-1, NAN, INF)),
    *((GateBudget, {name: 0}) for name in ("rows", "concurrency", "window_s", "windows")),
    *((Autoscale, {"min_instances": 2, "max_instances": 4, "default_instances": 2, **wrong}) for wrong in (
        {"min_instances": 0}, {"max_instances": 1}, {"default_instances": 5}, {"scale_out_above": 101},
        {"scale_in_below": 70.0}, {"scale_out_above": NAN}, {"window_min": 4}, {"cooldown_min": 0}, {"metric": "luck"},
    )),
    *((BatchSpec, {"endpoint": "e", "data": "d", **wrong}) for wrong in ({"endpoint": ""}, {"data_version": -1})),
    (BatchSpec, {"endpoint": "e"}),
    (BatchSpec, {"endpoint": "e", "data": "d", "source": "d.csv"}),
    *((TrainingSpec, {"data": DataRef("d"), "target": "y", name: value}) for name, value in (
        ("timeout_s", "60"), ("timeout_s", INF), ("max_trials", 2.0), ("seed", -1), ("seed", 2**40), ("exclude", "age"),
        ("allowed_training_algorithms", ("Magic",)), ("model_name", "a/b"), ("model_name", ".."), ("model_name", " "),
        ("compute", ""),
        ("model_name", "m" * 300), ("model_name", "a\nb"), ("experiment_name", " "), ("target", 7),
    )),
    (DataRef, {"name": ""}),
    (DataRef, {"name": "d", "version": -1}),
    (Compute, {"name": "c", "threads": "2"}),
    (Compute, {"name": "c", "executor": "magic"}),
    (Compute, {"name": "c", "ray_address": "head:6379"}),
    (EndpointSpec, {"name": "bank", "address": 80}),
    (LoadSpec, {"target": Target("http://127.0.0.1:1"), "rows": "2"}),
    (LoadSpec, {"target": Target("http://127.0.0.1:1"), "duration_s": "10"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values"), NONSENSE, ids=[f"{kind.__name__} {values}" for kind, values in NONSENSE])
def test_a_value_refuses_nonsense_with_a_sentence_that_names_what_was_found(kind, values):
    with pytest.raises(SpecInvalid) as refused:
        kind(**values)
    assert refused.value.message
    assert len(refused.value.message) < 400


@pytest.mark.parametrize("name", ["v1", "1", "blue-green", "a" * 32])
def test_a_deployments_name_is_up_to_32_characters(name):
    assert DeploymentSpec("bank", "m", name=name).name == name


@pytest.mark.parametrize("name", ["a" * 33, "a" * 40, "v1-", "-v1", "V1", "v 1", "v1\n", "ü"])
def test_a_deployments_name_is_checked_whole(name):
    with pytest.raises(SpecInvalid, match="is not a deployment name"):
        DeploymentSpec("bank", "m", name=name)


@pytest.mark.parametrize("name", ["Zürich 2024", "данные", "a:b", "x\u00a0y", "people.v2", "é" * 100])
def test_a_model_may_be_called_as_people_call_their_tables(name):
    assert TrainingSpec(DataRef(name), "y", model_name=name).model_name == name


@pytest.mark.parametrize(
    ("traffic", "mirror"), [({"v1": True, "v2": 99}, None), ({"v1": 100.0}, None), ({"v1": 100}, {"v2": "10"})]
)
def test_percents_are_whole_numbers(traffic, mirror):
    with pytest.raises(SpecInvalid, match="expected a whole number"):
        check_traffic(traffic, mirror)
