"""Application Insights of the emulation: its query language by itself, and over REST on real records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import azure_models
import emulating
import living
import pytest
import requests
from azure.identity import ClientSecretCredential
from azure_models import BODY
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_until

from core.emulator.insights.parsing import parsed
from core.emulator.insights.running import Table, run
from core.emulator.insights.words import QueryError, words
from core.emulator.server import Running

sdk = pytest.importorskip("azure.ai.ml.entities", reason="the SDK of Azure ML is not here")

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
COLUMNS = {"timestamp": "datetime", "code": "string", "duration": "real", "ok": "bool", "about": "dynamic"}
ROWS = [
    {
        "timestamp": NOW - timedelta(minutes=10 * i), "code": "200" if i % 3 else "500", "duration": float(i),
        "ok": bool(i % 3), "about": {"id": f"r{i}", "n": i},
    }
    for i in range(6)
]  # fmt: skip


def ask(query: str) -> Table:
    return run(parsed(query), Table(COLUMNS, ROWS), NOW)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("requests | where code == '500' | count", [[2]]),
        ("requests | where ok and duration >= 2 | project duration", [[2.0], [4.0], [5.0]]),
        ("requests | where timestamp > ago(25m) | summarize n = count()", [[3]]),
        ("requests | summarize count() by code | order by code asc", [["200", 4], ["500", 2]]),
        ("requests | summarize avg(duration), max(duration), min(duration)", [[2.5, 5.0, 0.0]]),
        ("requests | summarize percentile(duration, 50), dcount(code)", [[2.0, 2]]),
        ("requests | order by duration desc | take 2 | project d = duration * 2 + 1", [[11.0], [9.0]]),
        ("requests | top 1 by duration | project about.id, about['n']", [["r5", 5]]),
        ("requests | extend slow = duration > 3 | where slow | distinct code", [["200"]]),
        ("requests | where code in ('500', '404') or duration between (4 .. 5) | count", [[4]]),
        ("requests | where about.id !contains 'R1' and isnotempty(code) | count", [[5]]),
        ("requests | summarize countif(not(ok)) * 100.0 / count()", [[100.0 / 3]]),
        ("requests // a remark\n| where timestamp between (datetime(2026-01-02 11:30) .. now()) | count", [[4]]),
        ("requests | where -duration < -4 | count", [[1]]),
        ("requests | where code == 'nothing' | summarize avg(duration)", [[None]]),
        ("requests | project iff(ok, strcat('good ', code), toupper('bad')) | take 2", [["BAD"], ["good 200"]]),
    ],
)
def test_a_query_gives_what_kusto_gives(query: str, rows: list[list[Any]]):
    found = ask(query)
    assert [[row.get(name) for name in found.columns] for row in found.rows] == rows


def test_time_is_put_into_bins_and_columns_that_nobody_named_have_kustos_names():
    found = ask("requests | summarize count(), avg(duration) by bin(timestamp, 30m) | order by timestamp asc")
    assert found.columns == {"timestamp": "datetime", "count_": "long", "avg_duration": "real"}
    assert [(row["timestamp"].isoformat()[11:16], row["count_"]) for row in found.rows] == [
        ("11:00", 2), ("11:30", 3), ("12:00", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("requests | join traces on id", "join"),
        ("requests | mv-expand about", "mv-expand"),
        ("requests | project missing", "missing"),
        ("requests | extend x = geo_distance(1, 2)", "geo_distance"),
        ("requests | where count() > 1", "count"),
        ("requests | where", "end of the query"),
        ("requests | where (code == '200'", "'[)]'"),
        ("requests | take many", "whole number"),
        ("requests | summarize code", "aggregate"),
        ("requests | where " + "(" * 500 + "1" + ")" * 500, "nested"),
        ("requests | where 1" + " + 1" * 5000, "nested"),
        ("requests | summarize avg(count())", "count"),
        ("requests | where timestamp > ago('a')", "cannot take"),
        ("requests ° where", "°"),
    ],
)
def test_what_the_emulation_cannot_do_is_refused_by_its_name(query: str, said: str):
    with pytest.raises(QueryError, match=said):
        ask(query)


@given(st.text(max_size=60))
def test_whatever_is_asked_is_answered_or_refused(text: str):
    for query in (text, f"requests | where {text}", f"requests | summarize {text}"):
        with suppress(QueryError):
            ask(query)


PIECES = ["requests", "|", "where", "summarize", "by", "bin", "(", ")", "duration", "code", ",", "==", "1", "5m", "'a'",
          "and", "-", "avg", "count", "take", "order", "ago", ".", "about", "[", "]", "*", "/", "0", "in"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_words_of_the_language_in_any_order_are_answered_or_refused(pieces: list[str]):
    with suppress(QueryError):
        ask("requests | where " + " ".join(pieces))


@given(st.text(max_size=40))
def test_any_text_can_stand_in_a_query(text: str):
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert [word.value for word in words(f"'{quoted}'")][:1] == [text]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An endpoint that tells, after two requests that it answered and one that it refused."""
    home = tmp_path_factory.mktemp("insights")
    with emulating.emulation(home) as started:
        started.emulation.workspace.service.start()
        ml = emulating.ml_client(started)
        ml.online_endpoints.begin_create_or_update(sdk.ManagedOnlineEndpoint(name="told", auth_mode="key")).result()
        model = azure_models.registered(started, "bank")
        wanted = sdk.ManagedOnlineDeployment(
            name="blue", endpoint_name="told", model=model, instance_type="Standard_DS3_v2", instance_count=1,
            app_insights_enabled=True,
        )  # fmt: skip
        ml.online_deployments.begin_create_or_update(wanted).result()
        key = ml.online_endpoints.get_keys("told").primary_key
        for number, body in enumerate((BODY, BODY, b"{}")):
            headers = {
                "Authorization": f"Bearer {key}", "Content-Type": "application/json",
                "x-ms-client-request-id": f"mine-{number}", "azureml-model-deployment": "blue",
            }  # fmt: skip
            requests.post("https://told.westeurope.inference.ml.azure.com/score", body, headers=headers, timeout=20)
        yield started
        living.close(home)


def insights(running: Running, path: str, query: str, **more: str) -> requests.Response:
    names = running.emulation.names
    credential = ClientSecretCredential(names.tenant, names.client, running.emulation.secret)
    token = credential.get_token("https://api.loganalytics.io/.default").token
    host = "api.applicationinsights.io" if "/apps/" in path else "api.loganalytics.io"
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(f"https://{host}/v1{path}", json={"query": query, **more}, headers=headers, timeout=20)


def rows_of(reply: requests.Response) -> list[list[Any]]:
    assert reply.status_code == 200, reply.text
    (found,) = reply.json()["tables"]
    assert found["name"] == "PrimaryResult"
    return found["rows"]


def test_requests_are_told_by_all_three_ways_with_the_clients_own_ids(running: Running):
    names = running.emulation.names
    wait_until(lambda: rows_of(insights(running, f"/apps/{names.workspace_id}/query", "requests | count")) == [[3]], 15)
    by_code = insights(
        running, f"/workspaces/{names.workspace_id}/query",
        "AppRequests | summarize count() by ResultCode, Success | order by ResultCode asc", timespan="PT1H",
    )  # fmt: skip
    assert rows_of(by_code) == [["200", True, 2], ["400", False, 1]]
    by_resource = insights(
        running, f"{names.group_path}/providers/Microsoft.Insights/components/{names.workspace}/query",
        "AppRequests | where TimeGenerated > ago(1h) | extend id = tostring(Properties['Client Request Id'])"
        " | project id, AppRoleName, DurationMs | order by id asc",
    )  # fmt: skip
    assert [row[:2] for row in rows_of(by_resource)] == [[f"mine-{number}", "told"] for number in range(3)]
    assert all(row[2] > 0 for row in rows_of(by_resource))


def test_traces_are_the_servers_log_and_a_span_in_the_past_is_empty(running: Running):
    app = f"/apps/{running.emulation.names.workspace_id}/query"
    assert rows_of(insights(running, app, "traces | where severityLevel == 1 | take 1 | project message"))
    assert rows_of(insights(running, app, "requests", timespan="2020-01-01/2020-01-02")) == []
    assert rows_of(insights(running, app, "exceptions | summarize count() by type")) == []


@pytest.mark.parametrize(
    ("path", "query", "status", "said"),
    [
        ("/apps/another/query", "requests", 404, "another"),
        ("/workspaces/another/query", "requests", 404, "another"),
        ("/subscriptions/other/resourceGroups/x/providers/Y/query", "requests", 404, "not found"),
        ("/workspaces/emulated/query", "Heartbeat | count", 400, "Heartbeat"),
        ("/workspaces/emulated/query", "AppRequests | render timechart", 400, "render"),
    ],
)
def test_a_refusal_says_what_is_wrong(running: Running, path: str, query: str, status: int, said: str):
    reply = insights(running, path, query)
    assert (reply.status_code, said in reply.json()["error"]["message"]) == (status, True), reply.text


def arm(running: Running, method: str, path: str, body: Any = None) -> requests.Response:
    names = running.emulation.names
    credential = ClientSecretCredential(names.tenant, names.client, running.emulation.secret)
    headers = {"Authorization": f"Bearer {credential.get_token('https://management.azure.com/.default').token}"}
    url = f"https://management.azure.com{names.group_path}/providers/Microsoft.Insights{path}?api-version=2022-10-01"
    return requests.request(method, url, json=body, headers=headers, timeout=20)


def test_the_workspaces_component_is_found_with_what_a_query_needs(running: Running):
    found = arm(running, "GET", f"/components/{running.emulation.names.workspace}").json()["properties"]
    assert found["AppId"] in found["ConnectionString"]
    assert found["InstrumentationKey"]
    assert arm(running, "GET", "/components/another").status_code == 404


def test_autoscale_settings_are_kept_and_their_least_capacity_is_in_force(running: Running):
    target = f"{running.emulation.names.workspace_path}/onlineEndpoints/told/deployments/blue"
    profile = {"name": "usual", "capacity": {"minimum": "2", "maximum": "5", "default": "2"}, "rules": []}
    body = {"location": "westeurope", "properties": {"targetResourceUri": target, "profiles": [profile]}}
    assert arm(running, "PUT", "/autoscalesettings/blue-scale", body).status_code == 201
    assert arm(running, "GET", "/autoscaleSettings/blue-scale").json()["properties"]["profiles"] == [profile]
    assert emulating.ml_client(running).online_deployments.get("blue", "told").instance_count == 2
    profile["capacity"]["maximum"] = "1"
    assert arm(running, "PUT", "/autoscalesettings/blue-scale", body).status_code == 400
    assert [arm(running, "DELETE", "/autoscalesettings/blue-scale").status_code for _ in range(2)] == [200, 204]
    assert arm(running, "GET", "/autoscalesettings/blue-scale").status_code == 404
