"""Addresses in a document are resolved against its own, and nobody whom the user did not name hears of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from turns import in_turn

from contract_tests.foreign import Flats, Wines
from contract_tests.reference import KEY, Reference, Reply, Request, serving
from contract_tests.reference_document import document
from core.checks import Source, run_checks
from core.checks.document.description import describe
from core.checks.document.home import home, without_addresses
from core.checks.outcome import Violation
from core.domain.errors import NoVerdict
from core.domain.proof import CheckResult, Target

AT = "http://h:8000/api/v2/openapi.json"


@pytest.mark.parametrize(
    ("told", "bases", "other"),
    [
        (".", ("/api/v2",), ""),
        ("./", ("/api/v2",), ""),
        ("..", ("/api",), ""),
        ("../v1", ("/api/v1",), ""),
        ("v3/", ("/api/v2/v3",), ""),
        ("/base", ("/base", "/api/v2/base"), ""),
        ("/v2", ("/v2", "/api/v2"), ""),
        ("/", ("", "/api/v2"), ""),
        ("//h:8000/x", ("/x", "/api/v2/x"), ""),
        ("http://H:8000/x/", ("/x", "/api/v2/x"), ""),
        ("//other/x", ("/x", "/api/v2/x", "/api/v2"), "http://other"),
        ("http://h:8001/x", ("/x", "/api/v2/x", "/api/v2"), "http://h:8001"),
        ("https://h:8000", ("", "/api/v2"), "https://h:8000"),
        ("http://me:secret@other:1/", ("", "/api/v2"), "http://other:1"),
        ("{scheme}://{host}:8000/{base}", ("/b", "/api/v2/b"), ""),
    ],
)
def test_a_servers_address_is_resolved_against_the_documents(told: str, bases: tuple[str, ...], other: str) -> None:
    variables = {"scheme": {"default": "http"}, "host": {"default": "h"}, "base": {"enum": ["b", "c"]}}
    published = document("3") | {"servers": [{"url": told, "variables": variables}]}
    assert home(published, "/score", AT, "/api/v2") == (bases, other)


def test_the_server_that_is_at_hand_comes_before_the_others() -> None:
    published = document("3") | {"servers": [{"url": "https://public.example/v1"}, {"url": "http://h:8000/v1"}]}
    assert home(published, "/score", AT, "") == (("/v1",), "")
    published["paths"]["/score"]["servers"] = [{"url": "/path"}]
    assert home(published, "/score", AT, "").bases == ("/path",)
    published["paths"]["/score"]["post"]["servers"] = [{"url": "/operation"}]
    assert home(published, "/score", AT, "").bases == ("/operation",)


@pytest.mark.parametrize(
    ("told", "bases", "other"),
    [
        ({}, ("/api/v2",), ""),
        ({"schemes": ["https"]}, ("/api/v2",), ""),
        ({"basePath": "/x"}, ("/x", "/api/v2/x"), ""),
        ({"basePath": "x/"}, ("/x", "/api/v2/x"), ""),
        ({"host": "h:8000", "schemes": ["https", "http"]}, ("", "/api/v2"), ""),
        ({"host": "h", "basePath": "/x"}, ("/x", "/api/v2/x", "/api/v2"), "http://h"),
        ({"host": "h:8000", "schemes": ["https"]}, ("", "/api/v2"), "https://h:8000"),
    ],
)
def test_swagger_2_tells_host_path_and_schemes(told: dict[str, Any], bases: tuple[str, ...], other: str) -> None:
    assert home(document("2") | told, "/score", AT, "/api/v2") == (bases, other)


@pytest.mark.parametrize("told", ["http://[half", "http://h:port/"])
def test_what_is_no_address_is_said(told: str) -> None:
    with pytest.raises(Violation, match="an invalid address"):
        home(document("3") | {"servers": [{"url": told}]}, "/score", AT, "")


class Elsewhere(Reference):
    """Somebody whom no user named: whatever comes there is written down."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def respond(self, request: Request) -> Reply:
        self.heard.append(f"{request.method} {request.target} {dict(request.headers)}")
        return super().respond(request)


@contextmanager
def somebody_else() -> Iterator[tuple[str, list[str]]]:
    other = Elsewhere()
    with serving(other) as url:
        yield url, other.heard


class Pointing(Reference):
    """Its document is changed before it is published."""

    old = False
    """It is Swagger 2.0."""

    def __init__(self, other: str) -> None:
        self.other = other

    def document(self, version: str) -> dict[str, Any]:
        published = super().document("2" if self.old else "3.1")
        self.point(published, published["paths"]["/score"]["post"])
        return published

    def point(self, published: dict[str, Any], score: dict[str, Any]) -> None:
        raise NotImplementedError


class NamesOthers(Pointing):
    def point(self, published: dict[str, Any], score: dict[str, Any]) -> None:
        servers = [{"url": self.other}]
        published |= {"servers": servers, "jsonSchemaDialect": f"{self.other}/dialect"}
        published["paths"]["/score"]["servers"] = servers
        score["servers"] = servers
        media = score["requestBody"]["content"]["application/json"]
        media["examples"] = {"far": {"externalValue": f"{self.other}/example.json"}}
        media["schema"]["$schema"] = f"{self.other}/schema"
        score["responses"]["200"]["links"] = {
            "again": {"operationId": "GetSwaggerSpec", "server": servers[0]},
        }


class NamesAnotherHost(Pointing):
    old = True

    def point(self, published: dict[str, Any], score: dict[str, Any]) -> None:
        published |= {"host": self.other.removeprefix("http://"), "basePath": "/", "schemes": ["http"]}


class Redirects(Pointing):
    """Answers bad requests and health with the address of somebody else."""

    def point(self, published: dict[str, Any], score: dict[str, Any]) -> None:
        for item in published["paths"].values():
            for operation in item.values():
                operation["responses"]["307"] = {"description": "Moved"}

    def respond(self, request: Request) -> Reply:
        reply = super().respond(request)
        if reply.status == 200 and request.path != "/swagger.json" and b"method" not in request.body:
            return Reply(307, headers={"Location": self.other + request.target})
        return reply


def judged(server: Reference, **given: Any) -> tuple[CheckResult, ...]:
    with serving(server) as url:
        return run_checks(Target(url, KEY), **given)


@pytest.mark.parametrize("server", in_turn([NamesOthers, NamesAnotherHost], 2, lambda server: server.__name__))
def test_an_endpoint_whose_document_names_another_host_is_examined_where_the_user_said(server: type[Pointing]) -> None:
    with somebody_else() as (other, heard):
        results = judged(server(other))
    assert heard == []
    assert [(result.name, result.evidence) for result in results if result.passed is False] == []
    told = next(result.evidence for result in results if result.name == "document_is_usable")
    assert told.endswith(f"it names {other}, which is not tried")
    assert other not in " ".join(result.curl for result in results)


def test_a_redirect_is_not_followed() -> None:
    with somebody_else() as (other, heard):
        results = judged(Redirects(other))
    assert heard == []
    told = [result.evidence for result in results if "where the key is not sent" in result.evidence]
    assert len(told) == 1


@pytest.mark.parametrize("word", ["$ref", "$dynamicRef"])
@pytest.mark.parametrize("to", ["{other}/row.json", "{other}/row.json#/Row", "row.json", "//127.0.0.1:1/row.json"])
def test_what_a_document_refers_to_elsewhere_is_not_fetched(word: str, to: str) -> None:
    class Refers(Pointing):
        def point(self, published: dict[str, Any], score: dict[str, Any]) -> None:
            rows = score["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]["properties"]["data"]
            rows["items"] = {word: to.format(other=self.other)}

    with somebody_else() as (other, heard):
        with pytest.raises(NoVerdict, match="nothing is fetched from elsewhere") as raised:
            judged(Refers(other))
        assert "--schema" in raised.value.hint
    assert heard == []


def test_columns_may_bear_the_names_of_words_for_places() -> None:
    row = {"type": "object", "properties": {"servers": {"type": "integer"}, "host": {"type": "string"}}}
    published = document("3") | {"servers": [{"url": "http://other"}]}
    published["components"]["schemas"]["Row"] = row
    cleared = without_addresses(published)
    assert cleared["components"]["schemas"]["Row"] == row
    assert "servers" not in cleared
    assert cleared["paths"].keys() == published["paths"].keys()


class Below(Reference):
    """Serves everything below a path, and says so in one way."""

    def __init__(self, base: str, server: dict[str, Any]) -> None:
        self.base, self.server = base, server

    def respond(self, request: Request) -> Reply:
        if not request.path.startswith(self.base):
            return Reply(404, b'{"message": "nothing is here", "details": []}')
        return super().respond(
            Request(request.method, request.target.removeprefix(self.base), request.headers, request.body)
        )

    def document(self, version: str) -> dict[str, Any]:
        return super().document("3.1") | {"servers": [self.server]}


@pytest.mark.parametrize(
    "server",
    in_turn(
        [
            {"url": "."},
            {"url": "/base/v1"},
            {"url": "../v1/"},
            {"url": "/"},
            {"url": "/{what}/v1", "variables": {"what": {"default": "base"}}},
            {"url": "https://public.example/elsewhere"},
        ],
        3,
        lambda server: server["url"],
    ),
)
def test_a_server_below_a_path_is_found(server: dict[str, Any]) -> None:
    with serving(Below("/base/v1", server)) as url:
        results = run_checks(Target(f"{url}/base/v1", KEY), parts=("semantic",), source=Source("/swagger.json"))
    assert all(result.passed or "x-classes" in result.evidence for result in results)


@pytest.mark.parametrize("server", [Flats, Wines])
def test_a_root_that_ends_with_the_documents_prefix_is_not_given_it_twice(server: type[Flats | Wines]) -> None:
    published = server().document("")
    assert describe(published, server.prefix, f"http://h{server.prefix}/openapi.json").home.bases == (server.prefix,)
    assert describe(published).home.bases == (server.prefix,)
