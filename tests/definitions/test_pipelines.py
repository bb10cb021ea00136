"""Pipeline definitions: what YAML gives, and how each mistake is named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.definitions import parse_pipeline, plan, shipped
from core.definitions.pipelines import bind, values_of
from core.domain.automl_settings import AutomlSettings
from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.parameters import converted, limits
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.domain.step_settings import CommandSettings
from core.domain.steps import typed
from core.domain.training import TrainingSpec

SMALL = """
name: Small
parameters: {target: y, seconds: 60}
steps:
  - {kind: prepare, settings: {data: "table-${target}"}}
  - {name: search, kind: automl, needs: [prepare], settings: {target: "${target}", timeout_s: "${seconds}"}}
"""


def test_the_shipped_pipeline_prepares_searches_and_registers():
    (train,) = [spec for spec in shipped() if spec.name == "Bankmarketing Train"]
    assert [step.kind for step in train.steps] == [StepKind.PREPARE, StepKind.AUTOML, StepKind.REGISTER]
    assert [step.needs for step in train.steps] == [(), ("prepare",), ("automl",)]


def test_the_shipped_pipeline_takes_parameters_from_its_trigger():
    (train,) = [spec for spec in shipped() if spec.name == "Bankmarketing Train"]
    prepare, automl, register = bind(train, {"timeout_s": 15, "model": "other", "exclude": ["duration"]})
    assert prepare.settings == {"data": "bankmarketing_train", "target": "y"}
    assert automl.settings == {"target": "y", "timeout_s": 15, "exclude": ["duration"]}
    assert register.settings == {"model": "other"}


def test_what_is_shipped_can_be_run_as_it_is():
    assert [spec.name for spec in shipped()] == ["Bankmarketing Train", "Quickstart", "Retrain and promote"]
    for spec in shipped():
        assert all(p.description for p in spec.parameters)
        assert len(plan(spec, {})) == len(spec.steps)


def test_retraining_deploys_only_what_is_better_and_promotes_only_what_has_passed_while_the_same_one_is_live():
    (retrain,) = [spec for spec in shipped() if spec.name == "Retrain and promote"]
    kinds = ["prepare", "guardrails", "automl", "evaluate", "register", "deploy", "gate", "promote"]
    assert [step.kind for step in retrain.steps] == kinds
    planned = {step.name: step for step in plan(retrain, {})}
    assert planned["prepare"].settings["holdout_pct"] == 10
    assert planned["register"].when == "evaluate.better"
    assert planned["deploy"].waits_for == ("register",)
    assert planned["evaluate"].inputs == {"job": "automl.job", "holdout": "prepare.holdout"}
    assert "gate" in planned["promote"].waits_for
    assert planned["promote"].inputs["live"] == "evaluate.live"


def test_a_whole_reference_keeps_its_type_and_one_inside_text_becomes_text():
    prepare, search = bind(parse_pipeline(SMALL), {"seconds": 7.5})
    assert search.settings["timeout_s"] == 7.5
    assert prepare.settings["data"] == "table-y"


def test_a_step_without_a_name_is_called_by_its_kind():
    assert parse_pipeline(SMALL).steps[0].name == "prepare"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("name: Small", "nom: Small"), "unknown key 'nom'"),
        (("name: Small", "name: 7"), "'name' is 7, expected text"),
        (("name: Small", "name:"), "needs a name"),
        (
            ("kind: automl", "kind: magic"),
            "line 6: Step 2: the kind is 'magic', expected one of prepare, guardrails, ",
        ),
        (("needs: [prepare]", "needs: [clean]"), "needs 'clean'"),
        (("name: search", "name: prepare"), "Two steps are named 'prepare'"),
        (("timeout_s:", "timeout:"), "kind automl has no setting 'timeout'"),
        (('target: "${target}", ', ""), "needs the setting 'target'"),
        (("${seconds}", "${minutes}"), "refers to parameter 'minutes'"),
        (("seconds: 60", "seconds: soon"), "'timeout_s' is parameter 'seconds' of type string, expected type number"),
        (("seconds: 60", "seconds: true"), "'timeout_s' is parameter 'seconds' of type boolean"),
        (("name: Small", "name: [Small"), "is not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_place(change, message):
    with pytest.raises(SpecInvalid, match=message.replace("{", r"\{").replace("$", r"\$")):
        parse_pipeline(SMALL.replace(*change))


@pytest.mark.parametrize("text", ["[]", "text", "7"])
def test_a_document_that_is_no_mapping_is_refused(text):
    with pytest.raises(SpecInvalid, match="expected a mapping"):
        parse_pipeline(text)


def test_a_trigger_cannot_assign_a_parameter_that_does_not_exist():
    with pytest.raises(SpecInvalid, match="no parameter 'sconds'") as refused:
        bind(parse_pipeline(SMALL), {"sconds": 1})
    assert "seconds" in refused.value.hint


def test_a_definition_made_in_code_is_checked_before_it_is_published():
    made = PipelineSpec("made", (PipelineStep("keep", StepKind.REGISTER, settings={"nom": "m"}),))
    with pytest.raises(SpecInvalid, match="kind register has no setting 'nom'"):
        plan(made, {}, complete=False)


def test_yaml_cannot_make_objects():
    with pytest.raises(SpecInvalid, match=r"The tag .* is not read"):
        parse_pipeline("!!python/object/apply:os.getcwd []")


TYPED = PipelineSpec(
    "typed",
    (PipelineStep("prepare", StepKind.PREPARE, settings={"data": "${table}", "target": "${target}"}),),
    parameters=(
        Parameter("table", ParameterType.DATA),
        Parameter("target", ParameterType.STRING, "y", maximum=5),
        Parameter("trials", ParameterType.INTEGER, 10, minimum=1, maximum=100),
        Parameter("seconds", ParameterType.NUMBER, 60, minimum=5),
        Parameter("careful", ParameterType.BOOLEAN, False),
        Parameter("exclude", ParameterType.LIST, [], maximum=2),
        Parameter("metric", ParameterType.STRING, "accuracy", choices=("accuracy", "AUC_weighted")),
    ),
)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"table": 7}, "Parameter 'table' is 7, expected a table's path or name, as text"),
        ({"table": "a\0b"}, "Parameter 'table' is 'a\\x00b', expected a table's path or name, as text"),
        ({"target": "\ud800"}, "Parameter 'target' is '\\ud800', expected a text"),
        ({"target": "longer"}, "Parameter 'target' has 6 characters, expected at most 5 characters"),
        ({"trials": "10"}, "Parameter 'trials' is '10', expected a whole number"),
        ({"trials": True}, "Parameter 'trials' is True, expected a whole number"),
        ({"trials": 1.5}, "Parameter 'trials' is 1.5, expected a whole number"),
        ({"trials": 10**400}, "expected a whole number"),
        ({"trials": 2**60}, "expected a whole number"),
        ({"trials": 0}, "Parameter 'trials' is 0, expected 1 to 100"),
        ({"seconds": float("nan")}, "Parameter 'seconds' is nan, expected a number"),
        ({"seconds": float("inf")}, "Parameter 'seconds' is inf, expected a number"),
        ({"seconds": None}, "Parameter 'seconds' is None, expected a number"),
        ({"seconds": 1}, "Parameter 'seconds' is 1, expected at least 5"),
        ({"careful": "true"}, "Parameter 'careful' is 'true', expected true or false"),
        ({"careful": 1}, "Parameter 'careful' is 1, expected true or false"),
        ({"exclude": "a,b"}, "Parameter 'exclude' is 'a,b', expected a list of texts"),
        ({"exclude": [1]}, "Parameter 'exclude' is [1], expected a list of texts"),
        ({"exclude": ["a", "b", "c"]}, "Parameter 'exclude' has 3 entries, expected at most 2 entries"),
        ({"metric": "auc"}, "Parameter 'metric' is 'auc', expected one of accuracy, AUC_weighted"),
        ({}, "Parameter 'table' has no value, expected a table's path or name, as text"),
    ],
)
def test_a_parameter_is_checked_by_its_type_its_limits_and_its_choices(given, message):
    with pytest.raises(SpecInvalid) as refused:
        values_of(TYPED, {"table": "people"} | given if given else given)
    assert message in refused.value.message


def test_a_whole_number_may_come_as_10_point_0_and_a_number_as_a_whole_one():
    values = values_of(TYPED, {"table": "people", "trials": 10.0, "seconds": 7})
    assert (values["trials"], type(values["trials"]), values["seconds"]) == (10, int, 7)


def test_all_that_is_wrong_with_the_parameters_is_said_at_once():
    with pytest.raises(SpecInvalid) as refused:
        values_of(TYPED, {"trials": "x", "seconds": "y", "targt": "z"})
    for name in ("'trials'", "'seconds'", "'targt'", "'table' has no value", "Did you mean 'target'?"):
        assert name in refused.value.message + refused.value.hint


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([p.name for p in TYPED.parameters] + ["other"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4),
    )
)
def test_whatever_a_trigger_sends_is_taken_as_its_type_or_refused_by_name(given):
    try:
        values = values_of(TYPED, given)
    except SpecInvalid:
        return
    assert all(converted(p.type, values[p.name]) == values[p.name] for p in TYPED.parameters)


def test_words_of_a_command_are_texts_and_a_list_gives_each_of_its_entries():
    words = ["train.py", "--n=${n}", "${n}", "${careful}", "${columns}"]
    spec = PipelineSpec(
        "words",
        (PipelineStep("train", StepKind.COMMAND, settings={"command": words}),),
        parameters=(
            Parameter("n", ParameterType.INTEGER, 3),
            Parameter("careful", ParameterType.BOOLEAN, True),
            Parameter("columns", ParameterType.LIST, []),
        ),
    )
    (step,) = plan(spec, {"columns": ["a b", "$(c)"]})
    assert step.settings["command"] == ["train.py", "--n=3", "3", "true", "a b", "$(c)"]
    assert typed(step.kind, step.settings) == CommandSettings(("train.py", "--n=3", "3", "true", "a b", "$(c)"))


def test_a_training_step_that_says_nothing_trains_as_a_training_that_says_nothing():
    assert AutomlSettings("y").training(DataRef("people", 3)) == TrainingSpec(DataRef("people", 3), "y")


def test_a_number_among_a_commands_words_is_the_text_that_people_mean() -> None:
    step = "{name: a, kind: command, settings: {command: [python, train.py, 20, 0.5]}}"
    (planned,) = plan(parse_pipeline(f"name: p\nsteps:\n  - {step}\n"), {})
    assert typed(planned.kind, planned.settings).command == ("python", "train.py", "20", "0.5")


def test_a_large_limit_is_said_in_full() -> None:
    lines = "name: p\nsteps: [{name: a, kind: command, command: [ls], timeout_s: 1.0e+9}]"
    with pytest.raises(SpecInvalid, match="expected a number above 0 and at most 10,000,000"):
        parse_pipeline(lines)
    assert limits(Parameter("rows", ParameterType.INTEGER, maximum=2_500_000)) == "at most 2,500,000"
