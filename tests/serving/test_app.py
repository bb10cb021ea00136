"""The routes, refusals and headers of one endpoint, in process."""

import asyncio
import gzip
import json
import logging
import re
import uuid

import pytest
from openapi_spec_validator import validate
from serving_fakes import BODY, KEY, ROW, SCORE_HEAD, SECOND_KEY, Client, parsed
from signatures import mixed_signature

from core.contract import samples
from core.domain.version import VERSION


def shape_of_refusal(response):
    said = response.json()
    assert set(said) == {"message", "details"}
    assert "Traceback" not in response.text
    assert KEY not in response.text
    return said["message"]


@pytest.mark.contract("R1")
def test_health_needs_no_key(client):
    response = client.get("/")
    assert (response.status_code, response.text) == (200, "Healthy")
    assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(("form", "reply"), [("v1", {"result": [0]}), ("v2", {"Results": [0]}), ("mlflow", [0])])
@pytest.mark.contract("R2", "B2")
def test_each_form_is_scored(client, form, reply):
    response = client.score(samples.body([ROW], form))
    assert (response.status_code, response.json()) == (200, reply)


@pytest.mark.contract("B3", "B6")
def test_probabilities_are_given_when_asked_for(client):
    response = client.score(samples.body([ROW | {"count": 4}], method="predict_proba"))
    assert response.json() == {"result": [[0.6, 0.4]]}


@pytest.mark.contract("B5")
def test_an_empty_request_never_reaches_the_model(client):
    assert client.score(b'{"data":[]}').json() == {"result": []}
    assert client.loader.made["one"].calls == []


@pytest.mark.parametrize("key", [KEY, SECOND_KEY])
@pytest.mark.contract("K1")
def test_both_keys_are_good(client, key):
    assert client.score(key=key).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        f"Basic {KEY}",
        KEY,
        f"Bearer {KEY}x",
        f"Bearer {KEY[:-1]}",
        "Bearer \u00e9".encode(),
    ],
)
@pytest.mark.contract("K1", "E4")
def test_anything_but_a_key_of_the_endpoint_is_401(client, authorization):
    response = client.score(key=None, headers={"authorization": authorization})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    shape_of_refusal(response)


@pytest.mark.contract("K1")
def test_the_scheme_is_read_in_any_letter_case(client):
    assert client.score(headers={"authorization": f"bearer {KEY}"}).status_code == 200


@pytest.mark.contract("K1", "K2")
def test_a_rotated_key_is_in_force_with_the_next_version(client):
    client.change(key_digests=client.files.content["key_digests"][1:])
    assert client.score(key=KEY).status_code == 401
    assert client.score(key=SECOND_KEY).status_code == 200


@pytest.mark.contract("E1", "E2", "E4")
def test_a_bad_body_is_400_with_every_problem(client):
    response = client.score(samples.body([ROW | {"count": "old", "flag": 1}]))
    assert response.status_code == 400
    assert shape_of_refusal(response).startswith("2 problems")
    assert [d["column"] for d in response.json()["details"]] == ["count", "flag"]


@pytest.mark.parametrize("path", ["/nope", "/score/", "/SCORE", "/docs/x"])
@pytest.mark.contract("R6", "E4")
def test_an_unknown_path_is_404(client, path):
    response = client.get(path)
    assert response.status_code == 404
    shape_of_refusal(response)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/score", "OPTIONS, POST"),
        ("HEAD", "/score", "OPTIONS, POST"),
        ("DELETE", "/score", "OPTIONS, POST"),
        ("POST", "/", "GET, HEAD"),
        ("PUT", "/swagger.json", "GET, HEAD"),
        ("OPTIONS", "/docs", "GET, HEAD"),
    ],
)
@pytest.mark.contract("R6", "E4")
def test_another_method_on_a_known_path_is_405(client, method, path, allowed):
    response = client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allowed)


@pytest.mark.contract("R2")
def test_options_of_score_is_200_and_empty(client):
    response = client.request("OPTIONS", "/score")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/swagger.json", "/docs", "/metrics"])
@pytest.mark.contract("R6")
def test_head_is_answered_wherever_get_is(client, path):
    got, head = client.get(path), client.request("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ('application/json;charset="UTF-8"; x=y', 200),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
        ("application/json-patch+json", 415),
        ("application/x-www-form-urlencoded", 415),
        (None, 415),
    ],
)
@pytest.mark.contract("B1", "E4")
def test_only_json_is_taken(client, content_type, status):
    assert client.score(headers={"content-type": content_type}).status_code == status


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
@pytest.mark.contract("B1")
def test_a_packed_body_is_unpacked(client, encoding):
    assert client.score(gzip.compress(BODY), headers={"content-encoding": encoding}).status_code == 200


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (BODY, "identity", 200),
        (BODY, "br", 415),
        (BODY, "gzip, gzip", 415),
        (BODY, "gzip", 400),
        (gzip.compress(BODY)[:-4], "gzip", 400),
        (gzip.compress(BODY) + b"more", "gzip", 400),
        (gzip.compress(b" " * 3_000_000), "gzip", 413),
    ],
)
@pytest.mark.contract("B1", "E4")
def test_packing_is_checked_and_bounded(client, content, encoding, status):
    client.limit(max_body_mb=1)
    assert client.score(content, headers={"content-encoding": encoding}).status_code == status


@pytest.mark.contract("E4")
def test_a_body_over_the_limit_is_413_by_its_length(client):
    client.limit(max_body_mb=0.001)
    response = client.score(b" " * 2000)
    assert response.status_code == 413
    shape_of_refusal(response)


@pytest.mark.contract("E4")
def test_a_chunked_body_is_counted_while_it_is_read(client):
    client.limit(max_body_mb=0.001)
    sent = []

    async def chunks():
        for _ in range(50):
            sent.append(1)
            yield b" " * 100

    assert client.score(chunks()).status_code == 413
    assert len(sent) == 50  # the rest was read, so that the client gets to see its refusal


@pytest.mark.contract("E4")
def test_an_endless_body_is_413_and_the_connection_ends(client):
    client.limit(max_body_mb=0.001, body_timeout_s=0.1)

    async def pour():
        async with client.connected() as (reader, writer):
            writer.write(SCORE_HEAD + b"transfer-encoding: chunked\r\n\r\n")
            reply = asyncio.create_task(reader.read())
            while not reply.done():
                writer.write(b"64\r\n" + b" " * 100 + b"\r\n")
                await asyncio.sleep(0.001)
            return reply.result()

    status, headers, _ = parsed(client.run(pour()))
    assert (status, headers["connection"]) == (413, "close")


@pytest.mark.contract("E4")
def test_more_rows_than_allowed_are_413(client):
    client.limit(max_rows=2)
    assert client.score(samples.body([ROW] * 2)).status_code == 200
    assert client.score(samples.body([ROW] * 3)).status_code == 413


@pytest.mark.contract("E4")
def test_a_body_that_does_not_arrive_is_408_and_the_connection_ends(client):
    client.limit(body_timeout_s=0.05)

    async def stall():
        async with client.connected() as (reader, writer):
            writer.write(SCORE_HEAD + b"content-length: 1000\r\n\r\n" + BODY[:5])
            return await reader.read()

    status, headers, body = parsed(client.run(stall()))
    assert (status, headers["connection"]) == (408, "close")
    assert "did not arrive within 0.05 s" in json.loads(body)["message"]


@pytest.mark.contract("E3", "E4", "H2")
def test_a_model_that_fails_is_424_and_says_so_in_the_header(client, caplog):
    client.loader.made["one"].failures.append(ValueError("could not convert 'secret value'"))
    with caplog.at_level(logging.ERROR, logger="core.serving"):
        response = client.score()
    assert response.status_code == 424
    assert response.headers["x-ms-run-function-failed"] == "True"
    assert "secret value" not in response.text
    assert "the model of deployment v1 failed" in caplog.text
    assert client.score().headers["x-ms-run-function-failed"] == "False"


@pytest.mark.contract("E4")
def test_one_request_too_many_is_429_with_a_time_to_wait(client):
    client.limit(max_concurrent=2)

    async def crowd():
        go = asyncio.Event()

        async def slow():
            yield BODY[:5]
            await go.wait()
            yield BODY[5:]

        headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
        waiting = [asyncio.create_task(client.send("POST", "/score", content=slow(), headers=headers)) for _ in "ab"]
        while "slipway_requests_in_flight 2" not in (await client.send("GET", "/metrics")).text:
            await asyncio.sleep(0)
        refused = await client.send("POST", "/score", content=BODY, headers=headers)
        health = await client.send("GET", "/")
        go.set()
        return refused, health, await asyncio.gather(*waiting)

    refused, health, served = client.run(crowd())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert health.status_code == 200
    assert [r.status_code for r in served] == [200, 200]
    assert client.score().status_code == 200


def test_health_is_answered_while_a_large_body_is_scored(client):
    model = client.loader.made["one"]
    rows = samples.rows(mixed_signature(), 2000, seed=0)

    async def both():
        headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
        model.held.clear()
        large = asyncio.create_task(client.send("POST", "/score", content=samples.body(rows), headers=headers))
        await asyncio.to_thread(model.entered.wait, 10)
        health = await client.send("GET", "/")
        model.held.set()
        return health, await large

    health, large = client.run(both())
    assert (health.status_code, large.status_code) == (200, 200)
    assert len(large.json()["result"]) == 2000


@pytest.mark.parametrize(
    ("header", "status"),
    [("x-request-id", 431), ("x-ms-client-request-id", 431), ("x-ms-request-id", 431), ("traceid", 200)],
)
@pytest.mark.contract("E4", "H1")
def test_an_id_of_more_than_100_characters_is_431(client, header, status):
    assert client.score(headers={header: "i" * 100}).status_code == 200
    response = client.score(headers={header: "i" * 101})
    assert response.status_code == status
    assert client.get("/", **{header: "i" * 101}).status_code == status
    assert uuid.UUID(response.headers["x-request-id"])


@pytest.mark.contract("H1")
def test_ids_come_back_as_azures_server_sends_them(client):
    assert uuid.UUID(client.score().headers["x-request-id"])
    plain = client.score(headers={"x-request-id": "r"}).headers
    assert (plain["x-request-id"], plain["x-ms-request-id"]) == ("r", "r")
    assert "x-ms-client-request-id" not in plain
    asked = client.score(headers={"x-ms-client-request-id": "c"}).headers
    assert (asked["x-ms-client-request-id"], asked["x-ms-request-id"]) == ("c", "c")
    old = client.score(headers={"x-ms-request-id": "o", "TraceId": "t"}).headers
    assert (old["x-ms-client-request-id"], old["x-ms-request-id"], old["traceid"]) == ("o", "o", "t")


@pytest.mark.parametrize("path", ["/", "/nope", "/score", "/swagger.json?version=9"])
@pytest.mark.contract("H2")
def test_every_reply_carries_the_headers(client, path):
    headers = client.get(path, **{"x-request-id": "mine"}).headers
    assert headers["x-request-id"] == "mine"
    assert headers["x-ms-server-version"] == f"slipway/{VERSION}"
    assert headers["x-ms-run-function-failed"] == "False"
    assert headers["x-ms-run-fn-exec-ms"] == "0.000"
    assert "access-control-allow-origin" not in headers


@pytest.mark.contract("H2")
def test_the_time_of_the_model_has_three_decimals(client):
    assert re.fullmatch(r"\d+\.\d{3}", client.score().headers["x-ms-run-fn-exec-ms"])


@pytest.mark.parametrize(("version", "says"), [(None, "2.0"), ("2", "2.0"), ("3", "3.0.3"), ("3.1", "3.1.0")])
@pytest.mark.contract("R3")
def test_the_document_is_published_in_three_versions(client, version, says):
    response = client.get("/swagger.json" + (f"?version={version}" if version else ""))
    published = response.json()
    validate(published)
    assert says in (published.get("swagger"), published.get("openapi"))
    assert published["info"] == published["info"] | {"title": "bank-marketing", "version": "1"}


@pytest.mark.parametrize("query", ["version=1", "version=", "version=2&version=3"])
@pytest.mark.contract("R3")
def test_another_version_of_the_document_is_404(client, query):
    assert client.get(f"/swagger.json?{query}").status_code == 404


@pytest.mark.contract("R3")
def test_the_document_may_need_the_key(client):
    client.limit(swagger_requires_key=True)
    assert client.get("/swagger.json").status_code == 401
    assert client.get("/swagger.json", authorization=f"Bearer {KEY}").status_code == 200


@pytest.mark.contract("R4")
def test_the_documentation_page_loads_nothing_from_elsewhere(client):
    response = client.get("/docs")
    assert response.status_code == 200
    assert "https://" not in response.text
    assert "default-src 'none'; script-src 'self'" in response.headers["content-security-policy"]


@pytest.mark.contract("R4")
@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css", "docs.js"])
def test_what_the_documentation_page_is_made_of_is_ours_and_is_sent_once(client, name):
    first = client.get(f"/docs/{name}")
    assert first.status_code == 200
    again = client.get(f"/docs/{name}", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.request("HEAD", f"/docs/{name}").headers["content-length"] == str(len(first.content))
    assert client.request("POST", f"/docs/{name}").headers["allow"] == "GET, HEAD"


@pytest.mark.contract("R5")
def test_metrics_count_requests_rows_and_latencies(client):
    client.score(samples.body([ROW] * 3))
    client.score(key="wrong")
    text = client.get("/metrics").text
    assert 'slipway_requests_total{status="200",deployment="v1"} 1' in text
    assert 'slipway_requests_total{status="401",deployment=""} 1' in text
    assert "slipway_rows_total 3" in text
    assert 'slipway_request_seconds_bucket{le="+Inf"} 2' in text
    assert "slipway_telemetry_dropped_total 0" in text


@pytest.mark.contract("R5")
def test_metrics_need_the_key_unless_the_endpoint_is_bound_to_loopback(client):
    client.change(host="0.0.0.0")
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", authorization=f"Bearer {KEY}").status_code == 200


@pytest.mark.contract("H5")
def test_other_origins_may_call_only_where_they_are_named(client):
    asks = {"origin": "https://a.example", "access-control-request-method": "POST"}
    assert "access-control-allow-origin" not in client.request("OPTIONS", "/score", headers=asks).headers
    client.limit(cors_origins=["https://a.example"])
    allowed = client.request("OPTIONS", "/score", headers=asks).headers
    assert (allowed["access-control-allow-origin"], allowed["access-control-allow-methods"]) == (asks["origin"], "POST")
    assert client.score(headers={"origin": asks["origin"]}).headers["access-control-allow-origin"] == asks["origin"]
    refused = client.score(key="wrong", headers={"origin": asks["origin"]})
    assert refused.headers["access-control-allow-origin"] == asks["origin"]
    assert "access-control-allow-origin" not in client.score(headers={"origin": "https://b.example"}).headers
    client.limit(cors_origins=["*"])
    assert client.score(headers={"origin": "https://b.example"}).headers["access-control-allow-origin"] == "*"


@pytest.mark.contract("B7")
def test_the_legacy_reply_is_a_setting_of_the_deployment(client):
    client.change(deployments={"v1": client.files.deployment("one", legacy_reply=True)})
    assert client.score(samples.body([ROW, ROW])).content == b'"{\\"result\\": [0, 0]}"'
    assert json.loads(client.get("/swagger.json").text)["definitions"]["ServiceOutput"]["type"] == "string"


@pytest.mark.contract("C3")
def test_unseen_categories_may_be_accepted(client):
    green = samples.body([ROW | {"colour": "green"}])
    assert client.score(green).status_code == 400
    client.change(deployments={"v1": client.files.deployment("one", unseen_categories="accept")})
    assert client.score(green).status_code == 200


@pytest.mark.contract("T1")
def test_a_client_that_leaves_gets_nothing_and_is_recorded(files):
    client = Client(files)

    async def leave():
        async with client.connected() as (_, writer):
            writer.write(SCORE_HEAD + b"content-length: 1000\r\n\r\n" + BODY[:5])
            await client.until(lambda: client.metrics.in_flight == 1)
        await client.until(lambda: client.metrics.in_flight == 0)

    client.run(leave())
    client.close()
    assert [(r["status"], r["problem"]) for r in files.records()] == [(499, "ClientGone")]
