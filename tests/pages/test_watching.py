"""Monitor: what happened, whether it is well, and where to look."""

import time
from dataclasses import replace

import monitored
import pytest
from bank_story import two_deployments
from reading import by_label, text

from core.definitions import shipped
from core.domain.alerts import AlertMetric, AlertState, UnreadableAlert
from core.domain.drift import DriftVerdict
from core.domain.monitoring import Availability, Disagreement, Origin
from core.domain.outcomes import Measured
from core.ui.shell import cached
from core.workspace.pace import Pace

BANK = "bank-marketing"


def figures(app):
    return {m.label: m.value for m in app.metric}


@pytest.fixture
def bank(bank):
    """The lifecycle, on a day on which nothing has drifted."""
    told = bank.monitored.drift
    quiet = tuple(replace(c, verdict=DriftVerdict.SAME, unseen=None, began=None) for c in told.columns)
    bank.monitored.drift = replace(told, columns=quiet)
    bank.monitored.quality = replace(bank.monitored.quality, trained={"AUC_weighted": 0.94})
    return bank


def test_the_tiles_tell_failed_requests_response_time_requests_and_availability(visit, bank):
    app = visit("monitor")

    assert list(figures(app)) == ["Failed requests", "Server response time", "Server requests", "Availability"]
    assert figures(app)["Server requests"] == "2,101"
    assert figures(app)["Availability"] == "100.0 %"
    assert app.metric[1].delta == "p99 3.9 ms"
    assert "**All is well:** 2,101 requests in the last hour; none failed; 1.2 % rejected" in app.success[0].value


def test_monitor_asks_for_the_window_in_the_address(visit, bank):
    visit("monitor", window="15m")

    assert (BANK, 900.0, 30) in bank.called("records.telemetry")


def test_monitor_shows_clients_unless_another_sender_is_chosen(visit, bank):
    app = visit("monitor")
    assert bank.kwargs("records.telemetry")[-1]["origin"] is Origin.CLIENT
    by_label(app.selectbox, "Sent by").set_value("loadtest").run()
    assert bank.kwargs("records.telemetry")[-1]["origin"] is Origin.LOADTEST
    by_label(app.selectbox, "Sent by").set_value("Everyone").run()
    assert bank.kwargs("records.telemetry")[-1]["origin"] is None


def test_window_and_sender_stand_in_the_address_by_id(visit, bank):
    app = visit("monitor", window="7d", origin="batch")

    assert by_label(app.selectbox, "Sent by").value == "batch"
    assert bank.kwargs("records.telemetry")[-1]["origin"] is Origin.BATCH
    assert (app.query_params["window"], app.query_params["origin"]) in (("7d", "batch"), (["7d"], ["batch"]))


def test_an_endpoint_nobody_asked_says_how_to_ask_it(visit, bank):
    bank.summaries.clear()
    bank.records.clear()

    app = visit("monitor")

    assert "No requests in this window (Clients)" in text(app)
    assert "**Nothing to judge yet:** no request in the last hour." in app.info[0].value
    assert len(app.get("plotly_chart")) == 1, "availability is known without requests"


def test_where_only_others_sent_something_monitor_says_who(visit, bank):
    quiet = bank.summaries[BANK]
    bank.summaries[BANK] = replace(quiet, requests=0, by_status={}, by_origin={"loadtest": 17_000})

    app = visit("monitor")

    assert "Others sent requests in this window: Load tests (17,000)" in text(app)
    assert app.query_params["origin"] == "client"


def test_a_p99_of_a_few_requests_is_not_told(visit, bank):
    bank.summaries[BANK] = replace(bank.summaries[BANK], requests=3, by_status={200: 3})

    app = visit("monitor")

    assert (app.metric[1].value, app.metric[1].delta) == ("1.3 ms", "p99 –")


def test_both_deployments_stand_side_by_side(visit, bank):
    two_deployments(bank)
    told = bank.summaries[BANK]
    v4 = replace(told.by_deployment["v3"], requests=200, client_errors=0, server_errors=10)
    bank.summaries[BANK] = replace(told, by_deployment={**told.by_deployment, "v4": v4})
    bank.endpoints[0] = replace(bank.endpoints[0], mirror={"v4": 20})
    bank.monitored.disagreement = (Disagreement("v3", "v4", 400, 800, 8, 0.01, 0.2),)

    app = visit("monitor")

    table = next(t.value for t in app.dataframe if "Server p99" in t.value)
    assert table[["Deployment", "Failed"]].values.tolist() == [["v3", "0.0 %"], ["v4", "5.0 %"]]
    mirrored = next(t.value for t in app.dataframe if "Mirrored" in t.value)
    assert mirrored["Rows answered otherwise"].tolist() == ["8 (1.0 %)"]


@pytest.mark.parametrize(
    ("wrong", "said", "tab"),
    [
        (lambda bank, told: {"by_status": {200: 2_000, 500: 101}}, "4.8 % of requests failed", "Failures"),
        (lambda bank, told: {"by_status": {200: 1_601, 401: 500}}, "23.8 % of requests were rejected", "Failures"),
    ],
)
def test_what_is_wrong_with_requests_is_said_with_the_way_to_it(visit, bank, wrong, said, tab):
    told = bank.summaries[BANK]
    bank.summaries[BANK] = replace(told, **wrong(bank, told))

    app = visit("monitor")

    assert said in text(app)
    assert f"Open {tab}" in [link.proto.label for link in app.get("page_link")]


def test_an_alert_drift_and_outcomes_all_count_the_worst_leads(visit, bank):
    bank.monitored.alerts["slow"] = monitored.alert(monitored.RULE, time.time(), AlertState.FIRING, 80.0)
    bank.monitored.drift = monitored.drift()
    bank.monitored.quality = replace(
        monitored.quality(), metrics={"AUC_weighted": Measured(0.8, 0.78, 0.82)}, trained={"AUC_weighted": 0.95}
    )
    bank.monitored.availability = Availability(BANK, 0.0, 3600.0, 3420.0, 180.0)

    app = visit("monitor")

    assert "**Something is wrong:** alert **too-slow** fires" in app.error[0].value
    assert "See 3 more things below." in app.error[0].value
    assert "It could be reached 95.0 % of the time." in text(app)
    assert "Inputs have drifted where the model leans on them: age." in text(app)
    assert "Live AUC is 0.8000, training's was 0.9500." in text(app)


def test_failures_are_grouped_by_cause_and_refusals_by_reason(visit, bank):
    bank.monitored.exceptions, bank.monitored.refusals = monitored.exceptions(time.time()), monitored.refusals()

    app = visit("monitor", watch="Failures")

    assert "**ValueError** at `score.py:41 in predict`: no such class" in text(app)
    assert "Traceback (most recent call last)" in app.code[0].value
    refused = next(t.value for t in app.dataframe if "Reason" in t.value)
    assert refused[["Reason", "Column", "Requests"]].values.tolist()[0] == ["Unseen category", "job", 17]


def test_a_request_is_found_by_what_its_id_begins_with(visit, bank):
    app = visit("monitor", watch="Requests", find="5b1c0004")

    table = next(t.value for t in app.dataframe if "Request ID" in t.value)
    assert table["Request ID"].tolist() == ["5b1c0004-2f0e-4c1b"]
    assert bank.kwargs("endpoints.logs")[-1]["request_id"] == "5b1c0004-2f0e-4c1b"
    assert bank.called("records.search")[-1][1].since is None, "all that is kept is searched"


def test_the_slowest_requests_of_an_outcome_come_first(visit, bank):
    visit("monitor", watch="Requests", order="slowest", outcome="rejected")

    query = bank.called("records.search")[-1][1]
    assert (query.slowest, sorted(query.statuses)) == (True, [400, 401])


def test_live_metrics_ask_for_one_minute_in_seconds(visit, bank):
    app = visit("monitor", watch="Live metrics")

    assert (BANK, 60, 60) in bank.called("records.telemetry")
    assert "Requests/s" in figures(app)


def test_drift_leads_with_what_matters(visit, bank):
    bank.monitored.drift = monitored.drift()

    app = visit("monitor", watch="Drift")

    table = next(t.value for t in app.dataframe if "PSI" in t.value)
    assert table["Column"].tolist() == ["age", "job", "euribor3m", "(score)"]
    assert "2 columns have drifted; the model leans on **age**." in text(app)
    assert "It began about" in text(app)


def test_a_columns_limit_can_be_changed(visit, bank):
    app = visit("monitor", watch="Drift", drifted="job")

    by_label(app.number_input, "PSI limit of this column").set_value(0.5)
    by_label(app.button, "Save").click().run()

    assert bank.monitored.limits == {"job": 0.5}
    assert "astronaut" not in text(app)


def test_too_few_rows_are_said_and_nothing_is_colored(visit, bank):
    bank.monitored.drift = replace(bank.monitored.drift, rows=40)

    app = visit("monitor", watch="Drift")

    assert "**Too few rows to say anything:** 40 rows in the last 24 hours, 200 are needed." in text(app)
    assert not app.dataframe


@pytest.mark.parametrize("tab", ["Drift", "Predictions"])
def test_where_no_inputs_are_kept_the_switch_is_named(visit, bank, tab):
    bank.monitored.drift = bank.monitored.predictions = None

    app = visit("monitor", watch=tab)

    assert not app.error
    assert "Inputs and predictions are not kept" in text(app)


def test_predictions_are_told_over_time_and_against_training(visit, bank):
    app = visit("monitor", watch="Predictions")

    assert "Rows predicted **yes**" in text(app)
    assert "4,100 rows of v3" in text(app)


def test_outcomes_stand_beside_training_with_their_intervals(visit, bank):
    app = visit("monitor", watch="Outcomes")

    table = next(t.value for t in app.table if "95 % interval" in t.value)
    assert table.values.tolist()[0] == ["AUC", "0.9310", "0.9050 to 0.9570", "0.9400", "As in training"]
    assert table.values.tolist()[-1][:3] == ["Cost of a decision", "1.21", "1.0200 to 1.4000"]


def test_a_file_of_outcomes_is_sent_and_what_matches_nothing_is_named(visit, bank):
    app = visit("monitor", watch="Outcomes")
    app.session_state["panel.monitor.outcomes"] = True
    app.run()

    app.file_uploader[0].upload("outcomes.csv", b"request_id,row,actual\na,0,yes\n?b,1,no\n", "text/csv").run()
    by_label(app.button, "Send").click().run()

    assert "**2 outcomes received for bank-marketing:** 1 matched; 1 match no kept answer." in text(app)
    assert "?b" in next(t.value for t in app.dataframe if "Why it matches nothing" in t.value)["Request ID"].tolist()


def test_an_alert_is_made_changed_and_deleted(visit, bank):
    app = visit("monitor", watch="Alerts")
    by_label(app.selectbox, "Watch").set_value(AlertMetric.P99).run()
    by_label(app.text_input, "Name").set_value("slow")
    by_label(app.number_input, "Fires above, ms").set_value(80.0)
    by_label(app.button, "Create").click().run()
    made = bank.monitored.alerts["slow"].rule
    assert (made.metric, made.limit, made.clears_at) == (AlertMetric.P99, 80.0, 72.0)
    assert "Fires when server latency p99 over 5 min is above 80 ms, clears at 72 ms" in text(app)

    by_label(app.button, "Change").click().run()
    by_label(app.number_input, "Fires above, ms").set_value(90.0)
    by_label(app.button, "Save").click().run()
    assert bank.monitored.alerts["slow"].rule.limit == 90.0

    by_label(app.button, "Delete the alert").click().run()
    assert bank.monitored.alerts == {}


def test_an_alert_that_cannot_be_read_is_shown_and_can_be_deleted(visit, bank):
    bank.monitored.unreadable_alerts = (UnreadableAlert("old", BANK, "its limit is missing"),)
    assert "Alert **old** watches nothing" in text(visit("home"))
    app = visit("monitor", watch="Alerts")
    assert "**old** watches nothing: its limit is missing" in app.error[0].value
    by_label(app.button, "Delete the alert").click().run()
    assert bank.monitored.unreadable_alerts == ()


def test_an_alert_that_starts_a_pipeline_gives_its_parameters_first_of_all_the_endpoint_that_is_watched(visit, bank):
    bank.workspace.pipelines.publish(next(spec for spec in shipped() if spec.name == "Retrain and promote"))
    app = visit("monitor", watch="Alerts")
    by_label(app.selectbox, "Start a pipeline").set_value("Retrain and promote").run()
    by_label(app.text_input, "Retrain and promote: timeout_s").set_value("30")
    by_label(app.button, "Create").click().run()
    (made,) = (alert.rule for alert in bank.monitored.alerts.values())
    assert (made.pipeline, made.parameters) == ("Retrain and promote", {"endpoint": BANK, "timeout_s": "30"})

    by_label(app.button, "Change").click().run()
    assert by_label(app.text_input, "Retrain and promote: timeout_s").value == "30"


def test_records_and_collection_are_turned_on_for_a_running_endpoint(visit, bank):
    app = visit("monitor", watch="Collection")

    by_label(app.toggle, "Collect inputs and predictions").set_value(True)
    by_label(app.multiselect, "Masked columns").set_value(["age"])
    by_label(app.button, "Save").click().run()

    limits = bank.endpoints[0].limits
    assert (limits.app_insights, limits.collect_model_data, limits.masked_columns) == (True, True, ("age",))


def test_where_nothing_is_recorded_the_switch_is_named(visit, bank):
    bank.summaries.clear()
    bank.records.clear()
    endpoint = bank.endpoints[0]
    bank.endpoints[0] = replace(endpoint, limits=replace(endpoint.limits, app_insights=False))

    assert "Requests are not recorded" in text(visit("monitor"))


def test_where_records_come_late_the_page_says_so(visit, bank):
    assert "may show up as late as" not in text(visit("monitor"))

    bank.workspace = replace(bank.whole, pace=Pace(records_s=300.0))
    cached.opened.cache_clear()

    assert "Requests may show up as late as 5 min after they were answered" in text(visit("monitor"))
