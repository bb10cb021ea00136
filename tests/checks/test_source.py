"""Where the promises come from, and what is said when they cannot be had."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure_like import loose_document
from own_tls import certificate, serving_tls

from contract_tests.mutants.shape import PublishesNothingToScore
from contract_tests.reference import KEY, Reference, Refused, Reply, Request, serving
from contract_tests.reference_document import document
from core.checks import Source, run_checks
from core.checks.document.description import describe
from core.checks.document.overlay import with_schema
from core.checks.probe.source import fetch
from core.domain.errors import NoVerdict, SpecInvalid
from core.domain.proof import CheckResult, Target

PARTS = ("wire",)


class NeedsAKeyForItsDocument(Reference):
    def swagger(self, request: Request) -> Reply:
        if not self.authorized(request.headers.get("Authorization", "")):
            raise Refused(401, "A key is needed")
        return super().swagger(request)


class LikeFastApi(Reference):
    """Publishes where FastAPI does."""

    def route(self, request: Request) -> Reply:
        return self.swagger(request) if request.path == "/openapi.json" else super().route(request)

    def swagger(self, request: Request) -> Reply:
        if request.path == "/swagger.json":
            raise Refused(404, "There is none")
        return super().swagger(request)


class Silent(Reference):
    def swagger(self, request: Request) -> Reply:
        raise Refused(404, "There is none")


class Page(Reference):
    def swagger(self, request: Request) -> Reply:
        return Reply(200, b"<html>Welcome</html>", "text/html")


class Poem(Reference):
    def swagger(self, request: Request) -> Reply:
        return Reply(200, b'{"roses": "red"}')


class HangsUp(Reference):
    def respond(self, request: Request) -> Reply:
        raise ConnectionAbortedError


def told(server: Reference, key: str = KEY, headers: dict[str, str] | None = None) -> NoVerdict:
    with serving(server) as url, pytest.raises(NoVerdict) as raised:
        run_checks(Target(url, key, headers or {}), parts=PARTS)
    return raised.value


def first(server: Reference) -> CheckResult:
    with serving(server) as url:
        return run_checks(Target(url, KEY), parts=PARTS)[0]


def test_a_wrong_key_is_no_verdict_on_the_endpoint() -> None:
    error = told(Reference(), key="another")
    assert "POST http" in error.message
    assert "/score rejected the key: 401" in error.message
    assert error.hint == "Is it the key of this endpoint?"


def test_a_missing_key_says_how_to_give_one() -> None:
    error = told(Reference(), key="")
    assert "/score asks for a key: 401" in error.message
    assert error.hint == "Give the key with --key-file or in SLIPWAY_KEY"


@pytest.mark.parametrize(("key", "words"), [("", "asks for a key"), ("another", "rejected the key")])
def test_a_document_behind_a_key_says_so_too(key: str, words: str) -> None:
    assert f"/swagger.json?version=3.1 {words}: 401" in told(NeedsAKeyForItsDocument(), key=key).message


def test_an_unknown_deployment_is_no_verdict() -> None:
    class Deployed(Reference):
        def score(self, request: Request) -> Reply:
            if request.headers.get("azureml-model-deployment", "v1") != "v1":
                raise Refused(404, "There is no such deployment")
            return super().score(request)

    error = told(Deployed(), headers={"azureml-model-deployment": "v9"})
    assert "has no deployment 'v9': 404" in error.message


def test_a_key_that_is_refused_at_times_is_for_the_checks_to_judge() -> None:
    class Forgets(Reference):
        scored = 0

        def authorized(self, header: str) -> bool:
            self.scored += 1
            return self.scored != 1 and super().authorized(header)

    with serving(Forgets()) as url:
        assert any(result.passed for result in run_checks(Target(url, KEY), parts=PARTS))


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        ("http://127.0.0.1:1", "Nothing answers at http://127.0.0.1:1", "Is the endpoint running?"),
        ("http://nowhere.invalid", "There is no host 'nowhere.invalid'", "Is the address spelled correctly?"),
    ],
)
def test_a_host_that_is_not_there_is_named(url: str, message: str, hint: str) -> None:
    with pytest.raises(NoVerdict) as raised:
        run_checks(Target(url), parts=PARTS)
    assert message in raised.value.message
    assert raised.value.hint == hint


def test_tls_where_there_is_none_is_told_apart() -> None:
    with serving(Reference()) as url, pytest.raises(NoVerdict, match="it does not speak TLS") as raised:
        run_checks(Target(url.replace("http", "https"), KEY), parts=PARTS)
    assert "http:// and not https://" in raised.value.hint


@pytest.fixture
def self_signed(tmp_path: Path) -> Iterator[str]:
    """The address of a server with a certificate that nobody vouches for."""
    with serving_tls(certificate(tmp_path / "server.pem")) as url:
        yield url


def test_a_certificate_that_nobody_vouches_for_is_named(self_signed: str) -> None:
    with pytest.raises(NoVerdict, match="its certificate: self-signed certificate") as raised:
        run_checks(Target(self_signed, KEY), parts=PARTS)
    assert "SSL_CERT_FILE" in raised.value.hint


def test_a_server_that_hangs_up_at_once_may_want_tls(capfd: pytest.CaptureFixture[str]) -> None:
    error = told(HangsUp())
    assert "closed the connection instead of answering GET /swagger.json" in error.message
    assert error.hint == "Is it https:// rather than http://?"
    capfd.readouterr()  # the server's own traceback


@pytest.mark.parametrize(
    ("server", "evidence"),
    [
        (
            Silent,
            "(/swagger.json got 404, /openapi.json got 404, /docs.json got 404); use --schema to give one",
        ),
        (Page, "The answer is not JSON: 200 <html>Welcome</html>"),
        (Poem, 'Not an OpenAPI document: 200 {"roses": "red"}'),
    ],
)
def test_what_is_no_document_is_told(server: type[Reference], evidence: str) -> None:
    result = first(server())
    assert (result.name, result.passed) == ("document_is_usable", False)
    assert evidence in result.evidence
    assert "curl" in result.curl


def test_a_document_is_found_where_fastapi_publishes_it() -> None:
    with serving(LikeFastApi()) as url:
        assert fetch(Target(url, KEY)).score_path == "/score"


def test_the_version_that_the_address_asks_for_is_read() -> None:
    with serving(Reference()) as url:
        assert fetch(Target(url, KEY), Source("/swagger.json?version=2")).document["swagger"] == "2.0"
        assert fetch(Target(url, KEY)).document["openapi"] == "3.1.0"


ROW: dict[str, Any] = {
    "properties": {
        "job": {"enum": ["nurse"]},
        "age": {"type": ["integer", "null"], "maximum": 50},
        "new": {"type": "number"},
    },
    "required": ["new"],
    "additionalProperties": False,
    "x-classes": ["a", "b"],
}


@pytest.mark.parametrize("published", [loose_document(), document("3"), document("3.1")], ids=["2", "3", "3.1"])
def test_a_schema_of_a_row_is_read_as_if_published(published: dict[str, Any]) -> None:
    before = copy.deepcopy(published)
    described = describe(with_schema(published, ROW))
    columns = {column.name: column for column in described.signature.columns}
    assert (columns["job"].levels, columns["job"].closed) == (("nurse",), True)
    assert columns["age"].nullable
    assert columns["age"].high == 50
    assert columns["new"].used
    assert {"new", "age"} <= described.required
    assert described.strict
    assert described.signature.classes == ("a", "b")
    assert published == before


@pytest.mark.parametrize("schema", [{}, {"properties": 3}, {"properties": {"age": "integer"}}, {"type": "object"}])
def test_a_schema_that_names_no_columns_is_wrong_use(schema: dict[str, Any]) -> None:
    with pytest.raises(SpecInvalid, match="a JSON Schema of one row") as raised:
        with_schema(loose_document(), schema)
    assert "For example" in raised.value.hint


def test_a_document_without_records_has_no_place_for_a_schema() -> None:
    formless = loose_document()
    formless["paths"]["/score"]["post"]["parameters"][0]["schema"] = {"type": "object"}
    with pytest.raises(SpecInvalid, match="no array of records"):
        with_schema(formless, ROW)


def test_a_document_that_nothing_can_be_scored_by_is_shown_with_the_request_for_it() -> None:
    with serving(PublishesNothingToScore()) as url:
        (found,) = [result for result in run_checks(Target(url, KEY), parts=("contract",)) if result.passed is False]
    assert f"{url}/swagger.json" in found.curl
