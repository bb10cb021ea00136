"""Monitor: what happened."""

from dataclasses import replace

from reading import by_label, text

from core.domain.monitoring import Origin


def test_monitor_counts_refusals_apart_from_failures(visit, bank):
    metrics = {m.label: m.value for m in visit("monitor").metric}

    assert metrics["Requests"] == "2,101"
    assert metrics["Server p99"] == "3.9 ms"
    assert metrics["Rejected"] == "1.2 %"
    assert metrics["Failed"] == "0.0 %"


def test_monitor_asks_for_the_window_in_the_address(visit, bank):
    visit("monitor", window="15m")

    assert ("bank-marketing", 900.0, 30) in bank.called("records.telemetry")


def asked_for(bank):
    """Whose requests were asked for last."""
    return {bank.kwargs(f"records.{verb}")[-1]["origin"] for verb in ("telemetry", "requests")}


def test_monitor_shows_clients_unless_another_sender_is_chosen(visit, bank):
    app = visit("monitor")
    assert asked_for(bank) == {Origin.CLIENT}
    by_label(app.selectbox, "Sent by").set_value("loadtest").run()
    assert (
        bank.kwargs("records.telemetry")[-1]["origin"]
        == bank.kwargs("records.requests")[-1]["origin"]
        == Origin.LOADTEST
    )
    by_label(app.selectbox, "Sent by").set_value("Everyone").run()
    assert asked_for(bank) == {None}


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
    assert app.get("plotly_chart") == []


def test_where_only_others_sent_something_monitor_says_who(visit, bank):
    quiet = bank.summaries["bank-marketing"]
    bank.summaries["bank-marketing"] = replace(quiet, requests=0, by_status={}, by_origin={"loadtest": 17_000})

    app = visit("monitor")

    assert "Others sent requests in this window: Load tests (17,000)" in text(app)
    assert not bank.kwargs("records.requests"), "what is not shown is not looked for"
    assert app.query_params["origin"] == "client"


def test_a_p99_of_a_few_requests_is_not_told(visit, bank):
    bank.summaries["bank-marketing"] = replace(bank.summaries["bank-marketing"], requests=3, by_status={200: 3})

    metrics = {m.label: m.value for m in visit("monitor").metric}

    assert (metrics["Server p50"], metrics["Server p95"], metrics["Server p99"]) == ("1.3 ms", "–", "–")


def test_both_deployments_stand_side_by_side(visit, bank):
    told = bank.summaries["bank-marketing"]
    v4 = replace(told.by_deployment["v3"], requests=200, client_errors=0, server_errors=10)
    bank.summaries["bank-marketing"] = replace(told, by_deployment={**told.by_deployment, "v4": v4})

    table = next(t.value for t in visit("monitor").dataframe if "Server p99" in t.value)

    assert table[["Deployment", "Failed"]].values.tolist() == [["v3", "0.0 %"], ["v4", "5.0 %"]]
