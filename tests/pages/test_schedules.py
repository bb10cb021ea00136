"""Schedules: create one and see when it would fire, switch it, run it, change it, delete it."""

from dataclasses import replace

import bank_story
import pytest
from bank_story import NIGHTLY
from fakes import FakeWorkspace
from reading import by_label, text

from core.domain.errors import Conflict
from core.domain.schedule import (
    Frequency,
    Misfire,
    Overlap,
    Recurrence,
)

PIPELINE = "Bankmarketing Train"


@pytest.fixture
def nightly(bank: FakeWorkspace) -> FakeWorkspace:
    """The lifecycle with one schedule, whose last run failed."""
    bank_story.nightly(bank)
    return bank


@pytest.fixture
def tab(visit):
    """The Schedules tab."""
    return lambda **query: visit("pipelines", view="Schedules", **query)


@pytest.fixture
def form(tab, bank):
    """The form for a new schedule of the published pipeline."""
    return tab(schedule_for=PIPELINE)


def test_a_schedule_is_a_row_with_all_that_it_does(tab, nightly):
    row = tab().dataframe[0].value.iloc[0]

    assert list(row[["Name", "On", "Pipeline", "When", "Time zone", "Missed fires", "Overlap"]]) == [
        *("nightly", "On", PIPELINE, "Every weekday at 06:00, Berlin time", "Europe/Berlin", "Run once", "Skip")
    ]
    assert row["Next fire"].endswith("CET")
    assert row["Last run"].startswith("Failed, 12 min ago")


def test_an_opened_schedule_tells_what_became_of_each_fire(tab, nightly):
    app = tab(schedule="nightly")

    fires = app.dataframe[1].value
    assert list(fires["What became of it"]) == ["Skipped", "Started a run"]
    assert list(fires["Due"])[1] == "By hand"
    assert list(fires["Why"]) == ["Its last run goes on", ""]
    assert "Missed fires: run once. However many were missed, only the latest runs." in text(app)


def test_nothing_is_scheduled_yet(tab, bank):
    assert "Nothing is scheduled yet" in text(tab())


def test_the_next_five_times_and_the_words_stand_in_the_form_before_it_is_saved(form, bank):
    assert "**Every day at 06:00, UTC**" in text(form)
    assert text(form).count("06:00 UTC") == 5

    by_label(form.segmented_control, "Fires").set_value("cron").run()
    by_label(form.text_input, "Cron expression").set_value("30 7 * * mon").run()
    by_label(form.selectbox, "Time zone").set_value("Europe/Berlin").run()

    assert "**Every Monday at 07:30, Berlin time**" in text(form)
    assert text(form).count(", 07:30 CE") == 5
    assert bank.called("schedules.create") == []


def test_a_wrong_expression_is_explained_in_place_and_cannot_be_saved(form):
    by_label(form.segmented_control, "Fires").set_value("cron").run()
    by_label(form.text_input, "Cron expression").set_value("61 7 * *").run()

    assert "has 4 fields, expected 5" in form.error[0].value
    assert "minute, hour, day of the month" in form.error[0].value
    assert by_label(form.button, "Create").disabled


def test_what_is_created_is_what_was_written(form, bank):
    by_label(form.text_input, "Name").set_value("fortnightly")
    by_label(form.number_input, "Every").set_value(2)
    by_label(form.selectbox, "Unit").set_value(Frequency.WEEK).run()
    by_label(form.multiselect, "Hours").set_value([18, 6])
    by_label(form.selectbox, "Time zone").set_value("America/New_York")
    by_label(form.radio, "Missed fires").set_value(Misfire.ALL)
    by_label(form.radio, "Overlap").set_value(Overlap.QUEUE)
    by_label(form.number_input, "timeout_s").set_value(30).run()

    by_label(form.button, "Create").click().run()

    assert not form.exception
    [(spec,)] = bank.called("schedules.create")
    assert spec.recurrence == Recurrence(Frequency.WEEK, 2, (6, 18), (0,), ("monday",))
    assert (spec.name, spec.pipeline, spec.version, spec.timezone) == ("fortnightly", PIPELINE, 0, "America/New_York")
    assert (spec.misfire, spec.overlap, spec.parameters) == (Misfire.ALL, Overlap.QUEUE, {"timeout_s": 30})
    assert form.query_params["schedule"] == "fortnightly", "it is opened"
    assert "Time zone" not in {box.label for box in form.selectbox}, "its work is done"


def test_a_new_version_of_a_table_can_start_it(form, bank):
    by_label(form.segmented_control, "Fires").set_value("data").run()
    assert "unless a run of the same pipeline made that version" in text(form)

    by_label(form.button, "Create").click().run()

    [(spec,)] = bank.called("schedules.create")
    assert (spec.data, spec.cron, spec.recurrence) == ("bankmarketing-train", "", None)


def test_a_name_that_is_taken_is_explained_and_the_form_stays(form, bank):
    bank.failures["schedules.create"].append(Conflict("There is a schedule 'x' already", hint="Choose another name"))

    by_label(form.button, "Create").click().run()

    assert "There is a schedule 'x' already" in form.error[0].value
    assert by_label(form.text_input, "Name").value == "bankmarketing-train"


def test_it_is_switched_off_and_on(tab, nightly):
    app = tab(schedule="nightly")

    by_label(app.button, "Turn off").click().run()

    assert nightly.called("schedules.enable") == [("nightly", False)]
    assert "It is off: it starts nothing by itself" in text(app)
    by_label(app.button, "Turn on").click().run()
    assert nightly.schedules["nightly"].enabled


def test_run_now_starts_it_and_shows_the_run(tab, nightly):
    app = tab(schedule="nightly")

    by_label(app.button, "Run now").click().run()

    assert not app.exception
    assert nightly.called("schedules.run_now") == [("nightly",)]
    assert app.query_params["run"] == nightly.runs[0].id


def test_it_is_changed_by_the_same_form(tab, nightly):
    app = tab(schedule="nightly")
    app.session_state["panel.schedule.edit.nightly"] = True
    app.run()
    by_label(app.text_input, "Cron expression").set_value("0 7 * * *").run()

    by_label(app.button, "Save").click().run()

    assert nightly.called("schedules.update") == [(replace(NIGHTLY, cron="0 7 * * *"),)]
    assert "Cron expression" not in {field.label for field in app.text_input}


def test_it_is_deleted_after_a_second_click(tab, nightly):
    app = tab(schedule="nightly")

    by_label(app.button, "Delete this schedule").click().run()

    assert nightly.schedules == {}
    assert "Nothing is scheduled yet" in text(app)
