"""Leaderboard: a finished training is made a pipeline, of any table."""

from dataclasses import replace

import pytest
from bank_story import AUTOML_ID, RUNNING_ID
from reading import by_label, text

from core.domain.errors import Conflict
from core.domain.pipeline import StepKind


@pytest.fixture
def form(visit, bank):
    """The form of the finished training, unfolded."""

    def go(job=AUTOML_ID):
        app = visit("leaderboard", job=job)
        app.session_state[f"panel.pipeline.{job}"] = True
        return app.run()

    return go


def test_it_trains_again_and_registers_the_model_as_the_training_did(form, bank):
    app = form()
    by_label(app.text_input, "Pipeline name").set_value("Nightly").run()

    by_label(app.button, "Publish the pipeline").click().run()

    assert not app.exception
    [(spec,)] = bank.called("pipelines.publish")
    assert (spec.name, [s.kind for s in spec.steps]) == (
        "Nightly",
        [StepKind.PREPARE, StepKind.AUTOML, StepKind.REGISTER],
    )
    training = next(job for job in bank.jobs if job.id == AUTOML_ID).spec
    assert spec.defaults["target"] == training.target
    assert spec.defaults["timeout_s"] == training.timeout_s
    assert app.query_params["pipeline"] == "Nightly", "it is opened"


def test_it_can_promote_only_what_is_better_and_be_scheduled_next(form, bank):
    app = form()
    by_label(app.selectbox, "Deploy to").set_value("bank-marketing").run()
    assert "Compare with the live model" in text(app), "the steps stand there before it is published"
    by_label(app.checkbox, "Then schedule it").check().run()

    by_label(app.button, "Publish the pipeline").click().run()

    [(spec,)] = bank.called("pipelines.publish")
    assert {StepKind.EVALUATE, StepKind.DEPLOY, StepKind.GATE, StepKind.PROMOTE} <= {s.kind for s in spec.steps}
    assert spec.defaults["endpoint"] == "bank-marketing"
    assert app.query_params["schedule_for"] == spec.name


def test_it_can_deploy_to_a_new_endpoint_and_leave_it_without_traffic(form, bank):
    app = form()
    by_label(app.selectbox, "Deploy to").set_value("+").run()
    by_label(app.text_input, "Endpoint name").set_value("fresh")
    by_label(app.selectbox, "After deploying").set_value("deploy").run()

    by_label(app.button, "Publish the pipeline").click().run()

    [(spec,)] = bank.called("pipelines.publish")
    assert [s.kind for s in spec.steps][-1] is StepKind.DEPLOY
    assert spec.defaults["endpoint"] == "fresh"


def test_a_name_that_cannot_be_is_explained_in_place(form, bank):
    app = form()

    by_label(app.text_input, "Pipeline name").set_value("").run()

    assert "needs a name" in app.error[0].value
    assert by_label(app.button, "Publish the pipeline").disabled


def test_what_the_workspace_refuses_is_explained_and_the_form_stays(form, bank):
    bank.failures["pipelines.publish"].append(Conflict("The name is taken"))
    app = form()

    by_label(app.button, "Publish the pipeline").click().run()

    assert "The name is taken" in app.error[0].value
    assert by_label(app.text_input, "Pipeline name")


def test_a_training_that_goes_on_is_not_made_a_pipeline(form, bank):
    bank.jobs = [replace(job, cancel_requested=False) for job in bank.jobs]

    assert "Pipeline name" not in {field.label for field in form(RUNNING_ID).text_input}
