"""Deploy: begin a deployment, watch its proof, try the endpoint, hand it over."""

import json
from dataclasses import replace

from bank_story import GATE_ID, checks, two_deployments
from fakes import without
from reading import by_label, text

from core.domain.batch import BatchResult, BatchSpec
from core.domain.endpoint import (
    DeploymentSpec,
    DeploymentState,
    EndpointLimits,
    EndpointState,
    GateState,
    ScoreReply,
)
from core.domain.errors import Conflict, EndpointNotFound, TableUnusable
from core.domain.job import JobState, LogLine
from core.domain.monitoring import Origin


def test_deploying_asks_for_the_chosen_model_and_follows_it(visit, bank):
    bank.endpoints = []
    app = visit("deploy")

    by_label(app.button, "Deploy").click().run()

    assert bank.called("endpoints.deploy") == [(DeploymentSpec("bank-marketing", "bank-marketing", 3),)]
    assert "Starting" in text(app)
    assert "Starting:** its server is not up yet" in text(app)
    assert "model" not in app.query_params, "the form is closed"
    assert by_label(app.button, "Score"), "the form is there when the server comes up"


def test_deploy_it_opens_the_form_with_its_model_and_the_form_closes_when_it_is_done(visit, bank):
    bank.models.append(replace(bank.models[0], version=2))
    app = visit("deploy", model="bank-marketing:2")
    assert by_label(app.selectbox, "Model").value == "bank-marketing:2"
    by_label(app.text_input, "Endpoint").set_value("second")

    by_label(app.button, "Deploy").click().run()

    assert bank.called("endpoints.deploy") == [(DeploymentSpec("second", "bank-marketing", 2),)]
    assert by_label(app.selectbox, "Endpoint").value == "second", "the page shows what was made"
    assert "Model" not in [e.label for e in app.selectbox]
    assert "model" not in app.query_params


def test_the_form_is_closed_until_it_is_asked_for(visit, bank):
    app = visit("deploy")
    assert "Model" not in [e.label for e in app.selectbox]

    by_label(app.button, "Deploy a model").click().run()

    assert by_label(app.selectbox, "Model").value == "bank-marketing:3"


def test_a_model_that_is_not_there_is_named(visit, bank):
    assert "There is no model **gone:9** here" in visit("deploy", model="gone:9").warning[0].value


def test_a_name_that_no_endpoint_may_have_is_refused_with_one_that_may(visit, bank):
    app = visit("deploy", model="bank-marketing:3")
    by_label(app.text_input, "Endpoint").set_value("Bank Marketing!")

    by_label(app.button, "Deploy").click().run()

    assert "is not an endpoint name" in app.error[0].value
    assert "bank-marketing" in app.error[0].value


def test_a_gate_that_runs_shows_what_it_has_checked(visit, bank):
    endpoint = bank.endpoints[0]
    proving = replace(endpoint.deployments[0], gate=GateState.RUNNING, gate_job_id=GATE_ID)
    bank.endpoints = [replace(endpoint, traffic={}, deployments=(proving,))]
    bank.jobs = [replace(j, state=JobState.RUNNING) if j.id == GATE_ID else j for j in bank.jobs]
    bank.judged[GATE_ID] = list(checks()[:4])
    app = visit("deploy")

    assert "612 replies match their schema" in text(app)
    badges = "\n".join(e.value for e in app.markdown)
    assert "Gate running" in badges
    assert "Contract 3" in badges

    bank.endpoints = [replace(bank.endpoints[0], traffic={"v3": 100}, deployments=endpoint.deployments)]
    app.run()
    assert "**bank-marketing is live:** v3 has passed its gate" in app.success[0].value


def test_a_setting_is_changed_and_the_others_stay(visit, bank):
    app = visit("deploy", use="Details")
    by_label(app.number_input, "Max rows per request").set_value(500)

    by_label(app.button, "Save").click().run()

    assert bank.endpoints[0].limits == replace(EndpointLimits(), max_rows=500)


def test_an_endpoint_is_deleted_only_after_its_name_was_typed(visit, bank):
    app = visit("deploy", use="Details")
    assert by_label(app.button, "Delete the endpoint").disabled

    by_label(app.text_input, "To delete the endpoint, type its name").set_value("bank-marketing").run()
    by_label(app.button, "Delete the endpoint").click().run()

    assert not bank.endpoints
    assert "Nothing is deployed yet" in text(app)


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

    bodies = [json.loads(body) for _, body in bank.called("endpoints.invoke")]
    assert [b["data"][0]["age"] for b in bodies] == [51, 51]
    assert {sent["origin"] for sent in bank.kwargs("endpoints.invoke")} == {Origin.APP}, "no client's request"
    assert bodies[0]["data"][0]["poutcome"] is None
    assert bodies[1]["method"] == "predict_proba"
    assert by_label(app.metric, "Prediction").value == "No"
    assert "Predicts yes at 50 % or above · by deployment v3 · in 2.4 ms" in text(app)


def test_the_answer_to_a_row_is_explained_column_by_column(visit, bank):
    app = visit("deploy")
    by_label(app.number_input, "age").set_value(51)

    by_label(app.button, "Score").click().run()

    ((name, version, row),) = bank.called("models.explain")
    assert (name, version, row["age"]) == ("bank-marketing", 3, 51), "the model that answered"
    assert "Shapley values of the trees. The average is -2.1" in text(app)
    app.run()
    assert len(bank.called("models.explain")) == 1, "another look asks no more"


def test_an_answer_that_cannot_be_explained_stands_all_the_same(visit, bank):
    bank.failures["models.explain"].append(Conflict("The model is of another version", hint="Train again"))
    app = visit("deploy")

    by_label(app.button, "Score").click().run()

    assert by_label(app.metric, "Prediction").value == "No"
    assert "Train again" in app.error[0].value


def test_a_backend_that_explains_nothing_shows_the_answer_alone(visit, bank):
    bank.workspace = without(bank.workspace, "models.explain")
    app = visit("deploy")

    by_label(app.button, "Score").click().run()

    assert by_label(app.metric, "Prediction").value == "No"
    assert "Why this answer" not in text(app)


def test_a_refused_body_shows_every_problem(visit, bank):
    problem = {"row": 0, "column": "age", "problem": 'expected an integer, got "old"'}
    bank.replies.append(ScoreReply(400, {"message": "1 problem", "details": [problem]}, {}, 0.9))
    app = visit("deploy")
    by_label(app.toggle, "JSON").set_value(True).run()
    by_label(app.text_area, "Body").set_value('{"data": [{"age": "old"}]}')

    by_label(app.button, "Score").click().run()

    assert bank.called("endpoints.invoke") == [("bank-marketing", b'{"data": [{"age": "old"}]}')]
    assert "Rejected with 400" in app.error[0].value
    assert app.dataframe[0].value["Problem"].tolist() == [problem["problem"]]
    assert list(app.dataframe[0].value) == ["Column", "Problem"], "one row needs no number"


def test_an_endpoint_that_went_away_while_scoring_is_explained(visit, bank):
    app = visit("deploy")
    bank.failures["endpoints.invoke"].append(
        EndpointNotFound("There is no endpoint 'bank-marketing'", hint="Deploy it again")
    )

    by_label(app.button, "Score").click().run()

    assert "Deploy it again" in app.error[0].value


def test_keys_are_neither_fetched_nor_shown_until_asked(visit, bank):
    app = visit("deploy", use="Keys")
    assert bank.called("endpoints.keys") == []
    assert "primary-key-of-the-fake" not in text(app)

    by_label(app.toggle, "Show the keys").set_value(True).run()

    assert "primary-key-of-the-fake" in text(app)


def test_one_key_is_replaced_alone(visit, bank):
    app = visit("deploy", use="Keys")
    by_label(app.toggle, "Show the keys").set_value(True).run()

    app.button(key="endpoints.rotate.primary").click().run()

    assert bank.called("endpoints.rotate_key") == [("bank-marketing", "primary")]


def test_snippets_name_the_address_and_no_key(visit, bank):
    app = visit("deploy", use="Consume")

    clients = [code.value for code in app.code if code.value != bank.endpoints[0].scoring_uri]
    assert len(clients) == 8
    assert all("SLIPWAY_KEY" in client for client in clients)
    # The one for Azure asks Azure for the address.
    assert sum("http://127.0.0.1:8701/score" in client for client in clients) == 7
    assert bank.called("endpoints.keys") == []


def test_snippets_follow_the_chosen_form(visit, bank):
    app = visit("deploy", use="Consume")

    by_label(app.selectbox, "Request format").set_value("mlflow").run()

    client = next(code.value for code in app.code if code.value != bank.endpoints[0].scoring_uri)
    assert "dataframe_split" in client or "input_data" in client


def test_one_of_several_deployments_is_asked_by_name(visit, bank):
    two_deployments(bank)
    app = visit("deploy")
    by_label(app.selectbox, "Answered by").set_value("v4").run()

    by_label(app.button, "Score").click().run()

    assert [kwargs["deployment"] for kwargs in bank.kwargs("endpoints.invoke")] == ["v4", "v4"]


def test_the_probabilities_are_asked_of_the_deployment_that_gave_the_label(visit, bank):
    two_deployments(bank)
    by_label(visit("deploy").button, "Score").click().run()

    assert [kwargs["deployment"] for kwargs in bank.kwargs("endpoints.invoke")] == ["", "v3"]


def test_where_a_threshold_decides_the_answer_says_so(visit, bank):
    bank.models = [replace(bank.models[0], signature=replace(bank.models[0].signature, threshold=0.31))]
    app = visit("deploy")

    by_label(app.button, "Score").click().run()

    assert "Predicts yes at 31 % or above" in text(app)


def test_a_table_that_is_here_is_scored_as_a_job_and_can_be_taken(visit, bank, tmp_path):
    app = visit("deploy", use="Batch")
    by_label(app.button, "Score the table").click().run()
    assert "waiting" in text(app)
    assert bank.called("jobs.submit") == [(BatchSpec("bank-marketing", "bankmarketing-train", 1),)]

    scored = tmp_path / "scored.csv"
    scored.write_text("age,prediction\n41,no\n52,yes\n")
    done = replace(bank.jobs[0], state=JobState.SUCCEEDED, result=BatchResult(2, 2, 0))
    bank.jobs[0], bank.outputs[done.id] = done, scored
    app.run()

    assert "2 rows scored, 0 rejected" in text(app)
    assert app.dataframe[0].value["prediction"].tolist() == ["no", "yes"]
    assert list(app.dataframe[0].value) == ["prediction", "age"], "the answers first: a wide table hides its end"


def test_an_uploaded_file_is_given_to_its_job_as_a_stream_and_a_refusal_is_said(visit, bank):
    bank.failures["jobs.submit_file"].append(TableUnusable("'mine.csv' lacks a column that the model reads: job"))
    app = visit("deploy", use="Batch")
    app.file_uploader[0].set_value(("mine.csv", b"age\n1\n", "text/csv")).run()
    assert app.file_uploader[0].proto.max_upload_size_mb == bank.settings.upload_max_mb
    by_label(app.button, "Score the file").click().run()
    assert "'mine.csv' lacks a column" in app.error[0].value
    batches = [job for job in bank.jobs if isinstance(job.spec, BatchSpec)]
    assert (batches, bank.called("data.register")) == ([], []), "nothing is registered for it"

    by_label(app.button, "Score the file").click().run()
    assert [call[0] for call in bank.called("jobs.submit_file")] == [BatchSpec("bank-marketing", source="mine.csv")] * 2
    assert (bank.jobs[0].spec.source, "mine.csv" in text(app)) == ("mine.csv", True)


def test_no_scored_file_is_read_again_while_the_page_looks_at_its_jobs(visit, bank, tmp_path):
    scored = tmp_path / "scored.csv"
    scored.write_text("age,prediction\n41,no\n")
    for _ in range(3):
        job = bank.workspace.jobs.submit(BatchSpec("bank-marketing", "bankmarketing-train", 1))
        bank.jobs[0] = replace(job, state=JobState.SUCCEEDED, result=BatchResult(1, 1, 0))
        bank.outputs[job.id] = scored
    app = visit("deploy", use="Batch")
    for _ in range(3):
        app.run()
    assert len(bank.called("jobs.open_output")) == 1, "the newest one's first rows, once; the others when asked for"


def test_the_log_is_asked_for_by_level_and_request(visit, bank):
    bank.logs["bank-marketing"] += [LogLine(1.0, "error", "req-7 failed"), LogLine(2.0, "error", "req-8 failed")]
    app = visit("deploy", use="Logs")
    assert len(app.dataframe[0].value) == 4

    by_label(app.selectbox, "Level").set_value("error").run()
    by_label(app.text_input, "Request ID").set_value("req-7").run()

    assert app.dataframe[0].value["Line"].tolist() == ["req-7 failed"]


def test_a_load_is_run_watched_and_compared_with_earlier_ones(visit, bank):
    app = visit("deploy", use="Load test")
    assert len(app.dataframe[0].value) == 1

    by_label(app.selectbox, "Load").set_value("1,000 requests, one client").run()
    by_label(app.button, "Run").click().run()
    assert "Load test running" in text(app)
    (spec,) = bank.called("jobs.submit")[0]
    assert (spec.max_requests, spec.concurrency, spec.target.key) == (1000, 1, "")
    assert spec.label == "1,000 requests"

    slow = replace(bank.loads[0], id="l-2", p99_ms=9.1, histogram=((1.0, 900), (9.1, 100)))
    bank.jobs[0] = replace(bank.jobs[0], state=JobState.SUCCEEDED)
    bank.loads.insert(0, slow)
    app.run()

    assert app.dataframe[0].value["p99"].tolist() == ["9.1 ms", "2.4 ms"]
    assert "9.1 ms" in [metric.value for metric in app.metric], "the newest load is shown"

    by_label(app.multiselect, "Compare").set_value([]).run()
    app.run()
    assert "9.1 ms" not in [metric.value for metric in app.metric], "until the visitor chooses otherwise"

    for use in ("Logs", "Load test"):
        app.segmented_control(key="choice.use").set_value(use).run()
    assert "9.1 ms" in [metric.value for metric in app.metric], "and again when the visitor comes back"


def test_a_sweep_is_a_load_for_each_number_of_clients(visit, bank):
    app = visit("deploy", use="Load test")
    by_label(app.selectbox, "Load").set_value("Concurrency sweep, 1 to 50 clients").run()

    by_label(app.button, "Run").click().run()

    assert [spec.concurrency for (spec,) in bank.called("jobs.submit")] == [1, 2, 5, 10, 20, 50]


def test_a_sweep_is_drawn_with_its_knee_and_what_failed(visit, bank):
    sweep = [
        replace(bank.loads[0], id=f"s-{n}", label="Concurrency sweep", concurrency=n, created_at=100.0 + n, **figures)
        for n, figures in {
            1: {"requests_per_s": 900.0, "failed": 0},
            5: {"requests_per_s": 3900.0, "failed": 0},
            50: {"requests_per_s": 4000.0, "failed": 3},
        }.items()
    ]
    bank.loads[:0] = sweep[::-1]

    app = visit("deploy", use="Load test")

    assert "Knee at 5 clients: 3,900 requests/s, at least 90 % of the highest throughput (4,000)" in text(app)
    assert "Requests failed at 50 clients" in text(app)


def test_the_address_opens_a_load(visit, bank):
    bank.loads.append(replace(bank.loads[0], id="l-old", p99_ms=7.7))

    app = visit("deploy", use="Load test", load="l-old")

    assert app.multiselect[0].value == ["l-old"]
    assert "7.7 ms" in [metric.value for metric in app.metric]


def test_what_another_tool_printed_is_shown(visit, bank):
    bank.loads[0] = replace(bank.loads[0], tool="ab", output="This is ApacheBench")

    assert "This is ApacheBench" in text(visit("deploy", use="Load test"))


def test_an_endpoint_shows_the_addresses_that_it_has(visit, bank):
    """Not every server has a page of its own, or counters."""
    root = bank.endpoints[0].scoring_uri.removesuffix("/score")
    pages = {f"{root}/docs", f"{root}/metrics"}
    assert not pages & {code.value for code in visit("deploy", use="Details").code}
    assert "The endpoint's own page" not in text(visit("deploy", use="Swagger"))

    bank.endpoints[0] = replace(bank.endpoints[0], docs_uri=f"{root}/docs", metrics_uri=f"{root}/metrics")
    assert pages <= {code.value for code in visit("deploy", use="Details").code}
    assert f"({root}/docs)" in text(visit("deploy", use="Swagger"))


def test_an_answer_and_what_was_typed_are_kept_while_other_tabs_are_looked_at(visit, bank):
    app = visit("deploy")
    by_label(app.number_input, "age").set_value(51)
    by_label(app.button, "Score").click().run()

    for use in ("Consume", "Test"):
        app.segmented_control(key="choice.use").set_value(use).run()

    assert by_label(app.metric, "Prediction").value == "No"
    assert by_label(app.number_input, "age").value == 51


def test_the_form_follows_the_model_of_the_deployment_that_is_asked(visit, bank):
    two_deployments(bank)
    first = bank.models[0]
    bank.models.append(
        replace(first, version=4, signature=replace(first.signature, columns=first.signature.columns[:2]))
    )
    endpoint = bank.endpoints[0]
    newer = replace(endpoint.deployments[1], model_version=4)
    bank.endpoints = [replace(endpoint, deployments=(endpoint.deployments[0], newer))]
    app = visit("deploy")
    assert len(app.number_input) == 10

    by_label(app.selectbox, "Answered by").set_value("v4").run()

    assert [e.label for e in app.number_input] == ["age"]


def test_lineage_links_carry_what_they_name(visit, bank):
    links = {link.proto.page: link.proto.query_string for link in visit("deploy", use="Details").get("page_link")}

    assert "data=bankmarketing-train" in links["explore"]
    assert "job=" in links["leaderboard"]
    assert "trial=8" in links["leaderboard"]
