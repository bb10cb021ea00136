"""Deploy, traffic: shares that keep their sum, steps of one click, and forms that follow the state they show."""

from dataclasses import replace

import pytest
from bank_story import two_deployments
from reading import by_label, text

from core.domain.endpoint import DeploymentState, EndpointLimits, GateState
from core.domain.job import LogLine
from core.domain.monitoring import DeploymentTraffic
from core.ui.deploy import shares


def test_one_slider_shares_the_traffic_of_two_deployments(visit, bank):
    two_deployments(bank)
    app = visit("deploy", use="Traffic")

    by_label(app.slider, "Requests to v4, %").set_value(1).run()
    assert "v3 99 %, v4 1 %** · Total: 100 %" in text(app)
    by_label(app.button, "Apply").click().run()

    assert bank.endpoints[0].traffic == {"v3": 99, "v4": 1}


@pytest.mark.parametrize(
    ("traffic", "label", "then", "shares_then"),
    [
        ({"v3": 100}, "Give v4 10 %", "Then v3 90 %, v4 10 %", {"v3": 90, "v4": 10}),
        ({"v3": 100}, "Promote v4", "Then v4 100 %, v3 0 %", {"v3": 0, "v4": 100}),
        ({"v3": 0, "v4": 100}, "Roll back to v3", "Then v3 100 %, v4 0 %", {"v3": 100, "v4": 0}),
    ],
)
def test_one_click_does_what_stands_beside_it(visit, bank, traffic, label, then, shares_then):
    two_deployments(bank)
    bank.endpoints = [replace(bank.endpoints[0], traffic=traffic)]
    app = visit("deploy", use="Traffic")
    assert then in text(app)

    by_label(app.button, label).click().run()

    assert bank.endpoints[0].traffic == shares_then


def test_a_slider_follows_what_a_gate_gave_and_a_stale_save_changes_nothing(visit, bank):
    """The slider stood at 0; the gate gave 100 %; 'Apply' then took the endpoint off the air."""
    two_deployments(bank)
    bank.endpoints = [replace(bank.endpoints[0], traffic={"v3": 0, "v4": 100})]
    app = visit("deploy", use="Traffic")
    by_label(app.slider, "Requests to v4, %").set_value(40).run()

    bank.endpoints = [replace(bank.endpoints[0], traffic={"v3": 100, "v4": 0})]
    by_label(app.button, "Apply").click().run()

    assert bank.called("endpoints.set_traffic") == []
    assert bank.endpoints[0].traffic == {"v3": 100, "v4": 0}
    shown = "".join(e.value for e in (*app.warning, *app.error, *app.info))
    assert "Nothing was" in shown
    assert "v4" in shown
    assert "100 %" in shown
    assert by_label(app.slider, "Requests to v4, %").value == 0, "the form shows the new state"

    by_label(app.slider, "Requests to v4, %").set_value(40).run()
    by_label(app.button, "Apply").click().run()
    assert bank.endpoints[0].traffic == {"v3": 60, "v4": 40}, "and is saved when it was seen"


def test_a_settings_form_does_not_overwrite_what_was_changed_elsewhere(visit, bank):
    app = visit("deploy", use="Details")
    by_label(app.number_input, "Max concurrent requests").set_value(7)
    bank.endpoints = [replace(bank.endpoints[0], limits=replace(EndpointLimits(), max_rows=500))]

    by_label(app.button, "Save").click().run()

    assert bank.called("endpoints.update") == []
    assert by_label(app.number_input, "Max rows per request").value == 500
    shown = "".join(e.value for e in (*app.warning, *app.error, *app.info))
    assert "Max rows per request" in shown
    assert "500" in shown


def test_three_sliders_keep_their_sum(visit, bank):
    two_deployments(bank)
    endpoint = bank.endpoints[0]
    third = replace(endpoint.deployments[1], name="v5", created_at=endpoint.created_at + 20)
    bank.endpoints = [
        replace(endpoint, deployments=(*endpoint.deployments, third), traffic={"v3": 60, "v4": 40, "v5": 0})
    ]
    app = visit("deploy", use="Traffic")

    by_label(app.slider, "Requests to v5, %").set_value(50).run()
    assert [by_label(app.slider, f"Requests to {v}, %").value for v in ("v3", "v4", "v5")] == [30, 20, 50]
    by_label(app.button, "Apply").click().run()

    assert bank.endpoints[0].traffic == {"v3": 30, "v4": 20, "v5": 50}


@pytest.mark.parametrize("percent", range(101))
def test_shares_keep_their_sum_at_every_percent(percent):
    found = shares.given({"a": 33, "b": 33, "c": 34}, ["a", "b", "c"], "a", percent)
    assert (found["a"], sum(found.values()), min(found.values()) >= 0) == (percent, 100, True)
    assert sum(shares.given({"a": 100}, ["a", "b"], "a", percent).values()) == 100


def test_taking_an_endpoint_off_the_air_says_what_that_means_and_is_asked_twice(visit, bank):
    app = visit("deploy", use="Traffic")
    assert "Each request is then answered with 503" in text(app)

    by_label(app.button, "Yes, answer all requests with 503").click().run()

    assert bank.endpoints[0].traffic == {"v3": 0}
    assert "Off the air" in text(app)


def test_requests_are_mirrored_to_a_deployment(visit, bank):
    two_deployments(bank)
    app = visit("deploy", use="Traffic")

    by_label(app.slider, "Copies to v4, %").set_value(20).run()
    by_label(app.button, "Save mirror").click().run()

    assert bank.endpoints[0].mirror == {"v3": 0, "v4": 20}


def test_whoever_overrides_a_red_gate_gives_a_name(visit, bank):
    endpoint = bank.endpoints[0]
    red = replace(endpoint.deployments[0], gate=GateState.FAILED)
    bank.endpoints = [replace(endpoint, traffic={}, deployments=(red,))]
    app = visit("deploy", use="Traffic")
    assert by_label(app.button, "Promote v3").disabled
    assert "Its gate has not passed" in text(app)

    by_label(app.text_input, "Your name, to force traffic without a passed gate").set_value("Ada").run()
    by_label(app.button, "Promote v3").click().run()

    assert bank.endpoints[0].traffic == {"v3": 100}
    assert bank.kwargs("endpoints.set_traffic")[-1]["by"] == "Ada"


def test_both_versions_stand_side_by_side_and_past_traffic_is_not_denied(visit, bank):
    two_deployments(bank)
    answered = {
        "v3": DeploymentTraffic(90, 90, 1, 0, 1.2, 2.0, 3.4),
        "v4": DeploymentTraffic(17_000, 17_000, 0, 2, 1.1, 2.0, 2.2),
    }
    bank.summaries["bank-marketing"] = replace(bank.summaries["bank-marketing"], by_deployment=answered)
    app = visit("deploy", use="Traffic")

    table = app.dataframe[0].value
    assert table["Deployment"].tolist() == ["v4", "v3"]
    assert table["Requests"].tolist() == [17_000, 90]
    assert table["Server errors"].tolist() == [2, 0]
    assert table["p99"].tolist() == ["2.2 ms", "–"], "fewer than 100 requests have no 99th percentile"
    assert "answered 17,000 requests of all kinds in the last 7 days" in text(app)


def test_a_deployment_without_traffic_is_deleted(visit, bank):
    two_deployments(bank)
    app = visit("deploy", use="Traffic")

    by_label(app.button, "Delete v4").click().run()

    assert [d.name for d in bank.endpoints[0].deployments] == ["v3"]


def test_a_deployment_that_does_not_load_shows_what_the_server_said_last(visit, bank):
    two_deployments(bank)
    endpoint = bank.endpoints[0]
    dead = replace(endpoint.deployments[1], state=DeploymentState.FAILED, error="arrays.npz is cut short")
    bank.endpoints = [replace(endpoint, deployments=(endpoint.deployments[0], dead))]
    bank.logs["bank-marketing"].append(
        LogLine(0.0, "error", 'deployment v4 does not load: cut short\n  File "bundle.py", line 9')
    )

    shown = text(visit("deploy", use="Traffic"))

    assert "arrays.npz is cut short" in shown
    assert 'File "bundle.py", line 9' in shown
