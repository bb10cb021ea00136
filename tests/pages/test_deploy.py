"""Deploy: begin a deployment, watch its proof, try the endpoint, hand it over."""

import json
from dataclasses import replace

from reading import by_label, text

from core.domain.endpoint import DeploymentSpec, DeploymentState, EndpointState, GateState, ScoreReply
from core.domain.errors import EndpointNotFound
from core.domain.job import LogLine


def test_deploying_asks_for_the_chosen_model_and_follows_it(visit, bank):
    bank.endpoints = []
    app = visit("deploy")

    by_label(app.button, "Deploy").click().run()

    assert bank.called("deploy") == [(DeploymentSpec("bank-marketing", "bank-marketing", 3),)]
    assert "Starting" in text(app)
    assert "Starting:** its server is not up yet" in text(app)
    assert by_label(app.button, "Score"), "the form is there when the server comes up"


def test_a_name_that_no_endpoint_may_have_is_refused_with_one_that_may(visit, bank):
    app = visit("deploy")
    by_label(app.text_input, "Endpoint").set_value("Bank Marketing!")

    by_label(app.button, "Deploy").click().run()

    assert "is not an endpoint name" in app.error[0].value
    assert "bank-marketing" in app.error[0].value


def test_a_gate_that_runs_shows_what_it_has_checked(visit, bank):
    endpoint = bank.endpoints[0]
    proving = replace(endpoint.deployments[0], gate=GateState.RUNNING, gate_job_id="g")
    bank.endpoints = [replace(endpoint, traffic={}, deployments=(proving,))]
    bank.logs["g"] = [LogLine(0.0, "info", "parity: passed")]

    assert "parity: passed" in text(visit("deploy"))


def test_a_proven_deployment_without_traffic_can_be_given_all(visit, bank):
    endpoint = bank.endpoints[0]
    waiting = replace(endpoint.deployments[0], name="v4", created_at=endpoint.created_at + 9)
    bank.endpoints = [replace(endpoint, deployments=(*endpoint.deployments, waiting))]
    app = visit("deploy")

    by_label(app.button, "Send it all requests").click().run()

    assert bank.endpoints[0].traffic == {"v4": 100}


def test_a_server_that_does_not_come_up_shows_the_end_of_its_log(visit, bank):
    endpoint = bank.endpoints[0]
    dead = replace(endpoint.deployments[0], state=DeploymentState.FAILED, error="arrays.npz is cut short")
    bank.endpoints = [
        replace(endpoint, state=EndpointState.FAILED, error="gave up after 5 starts", traffic={}, deployments=(dead,))
    ]

    shown = text(visit("deploy"))

    assert "gave up after 5 starts" in shown
    assert "arrays.npz is cut short" in shown
    assert "listening on 127.0.0.1:8701" in shown


def test_the_form_has_every_column_with_its_typical_value(visit, bank):
    app = visit("deploy")
    fields = {e.label: e.value for e in (*app.selectbox, *app.number_input)}

    signature = bank.models[0].signature
    assert {c.name: fields[c.name] for c in signature.used} == {c.name: c.typical for c in signature.used}
    assert by_label(app.selectbox, "marital").options == ["divorced", "married", "single", "unknown"]


def test_scoring_sends_the_row_and_shows_answer_and_probabilities(visit, bank):
    app = visit("deploy")
    by_label(app.number_input, "age").set_value(51)
    by_label(app.selectbox, "poutcome").set_value("(missing)")

    by_label(app.button, "Score").click().run()

    bodies = [json.loads(body) for _, body in bank.called("invoke")]
    assert [b["data"][0]["age"] for b in bodies] == [51, 51]
    assert bodies[0]["data"][0]["poutcome"] is None
    assert bodies[1]["method"] == "predict_proba"
    assert by_label(app.metric, "y is").value == "no"
    assert "Answered 200 in 2.4 ms by deployment v3" in text(app)


def test_a_refused_body_shows_every_problem(visit, bank):
    problem = {"row": 0, "column": "age", "problem": 'expected an integer, got "old"'}
    bank.replies.append(ScoreReply(400, {"message": "1 problem", "details": [problem]}, {}, 0.9))
    app = visit("deploy")
    by_label(app.toggle, "Write JSON").set_value(True).run()
    by_label(app.text_area, "Body").set_value('{"data": [{"age": "old"}]}')

    by_label(app.button, "Score").click().run()

    assert bank.called("invoke") == [("bank-marketing", b'{"data": [{"age": "old"}]}')]
    assert "Answered 400" in app.error[0].value
    assert app.dataframe[0].value["Problem"].tolist() == [problem["problem"]]


def test_an_endpoint_that_went_away_while_scoring_is_explained(visit, bank):
    app = visit("deploy")
    bank.failures["invoke"].append(EndpointNotFound("There is no endpoint 'bank-marketing'", hint="Deploy it again"))

    by_label(app.button, "Score").click().run()

    assert "Deploy it again" in app.error[0].value


def test_keys_are_neither_fetched_nor_shown_until_asked(visit, bank):
    app = visit("deploy", use="Keys")
    assert bank.called("endpoint_keys") == []
    assert "primary-key-of-the-fake" not in text(app)

    by_label(app.toggle, "Show the keys").set_value(True).run()

    assert "primary-key-of-the-fake" in text(app)


def test_one_key_is_replaced_alone(visit, bank):
    app = visit("deploy", use="Keys")
    by_label(app.toggle, "Show the keys").set_value(True).run()

    app.button(key="deploy.rotate.primary").click().run()

    assert bank.called("rotate_key") == [("bank-marketing", "primary")]


def test_snippets_name_the_address_and_no_key(visit, bank):
    app = visit("deploy", use="Consume")

    snippets = [code.value for code in app.code]
    assert len(snippets) == 3
    assert all("http://127.0.0.1:8701/score" in s and "SLIPWAY_KEY" in s for s in snippets)
    assert bank.called("endpoint_keys") == []
