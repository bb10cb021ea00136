"""How values become what a page says: the way to live, verdicts, answers, ranks, choices."""

import random
import time
from dataclasses import replace

import pytest
from bank_story import REF, checks, summary, trials
from streamlit.testing.v1 import AppTest

from core.domain.data import DataAsset, DataSource
from core.domain.endpoint import GateBudget
from core.domain.proof import CheckResult, GateReport
from core.domain.ranking import best
from core.ui.deploy import tryit
from core.ui.home import journey
from core.ui.home.journey import Mark
from core.ui.monitor.verdict import failing
from core.ui.quality.report import sentence

ASSET = DataAsset(REF.name, 1, DataSource.FILE, "x.csv", 10, ("a", "y"), "00", 1, 0.0)


def report(*results: CheckResult) -> GateReport:
    return GateReport("g", "e", "v1", "m:1", results, GateBudget(), "default", 0.0, 1.0)


def test_the_way_to_live_begins_with_a_table():
    path = journey.stages((), (), (), (), time.time())

    assert [stage.mark for stage in path] == [Mark.TODO] * 5
    assert journey.stages((ASSET,), (), (), (), time.time())[0].mark is Mark.DONE


def test_a_gate_report_is_one_sentence():
    held, violated = checks(), checks(red=True)
    open_check = CheckResult("latency", "performance", None, "too noisy", no_verdict=True)

    assert sentence(report(*held)) == "**Passed:** all 9 applicable checks passed."
    assert sentence(report(*violated)) == "**Failed:** 1 of 9 checks failed: Missing column is refused."
    assert sentence(report(open_check)) == "**No verdict:** 1 check could not be judged."


@pytest.mark.parametrize(
    "body",
    [{"result": ["no"]}, {"Results": ["no"]}, ["no"], '{"result": ["no"]}'],
    ids=["v1", "v2", "mlflow", "encoded twice"],
)
def test_an_answer_is_read_in_every_form(body):
    assert tryit.results(body) == ["no"]


def test_the_best_trial_is_the_highest_or_for_a_loss_the_lowest():
    tried = trials(time.time())

    assert best(tried, "AUC_weighted") == tried[8]
    assert best(tried, "log_loss") == tried[8]
    assert best((), "AUC_weighted") is None


def test_a_model_that_failed_counts_as_our_failure_not_the_clients():
    hour = replace(summary(0.0, random.Random(7)), by_status={200: 90, 400: 4, 424: 3, 503: 3})

    assert failing(hour) == (4, 6)


def page_of_choices() -> None:
    """A page with two options of one label, as a script."""
    import streamlit as st

    from core.ui.shell import choices

    options = st.session_state.get("options", {"a": "Same", "b": "Same", "c": "Other"})
    st.text(choices.choose("Pick", options, key="pick"))


def test_a_choice_stands_in_the_address_by_its_id():
    app = AppTest.from_function(page_of_choices).run()
    assert app.query_params["pick"] == "a"

    app.selectbox[0].set_value("b").run()

    assert app.text[0].value == "b"
    assert app.query_params["pick"] == "b"
    assert app.selectbox[0].options == ["Same", "Same (2)", "Other"]


def test_an_address_that_names_nothing_we_know_gives_the_first():
    app = AppTest.from_function(page_of_choices)
    app.query_params["pick"] = "gone"

    assert app.run().text[0].value == "a"


def test_a_choice_that_went_away_gives_way_to_the_first():
    app = AppTest.from_function(page_of_choices).run()
    app.selectbox[0].set_value("b").run()
    app.session_state["options"] = {"a": "Same", "c": "Other"}

    assert app.run().text[0].value == "a"
