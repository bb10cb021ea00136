"""`contract`: prove an endpoint from its address and key, and end with a code that says how it went."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from quickstart_fakes import LifecycleFake

from contract_tests.reference import KEY, Reference, Refused, Reply, Request, serving
from core.cli.command import Context
from core.cli.main import main

HEADER = "azureml-model-deployment"


class WithKey(Context):
    """A context that finds the key in SLIPWAY_KEY, and no endpoint of the workspace."""

    def __init__(self, workspace: LifecycleFake, key: str) -> None:
        super().__init__(workspace.workspace.settings, {"SLIPWAY_KEY": key} if key else {}, sleep=lambda seconds: None)
        self.__dict__["workspace"] = workspace.workspace  # where cached_property keeps what it has opened


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str, key: str = KEY) -> tuple[int, str, str]:
        code = main(["contract", *words], lambda settings: WithKey(LifecycleFake(settings), key))
        return code, *capsys.readouterr()

    return run


class AnswersTwo(Reference):
    """Gives one answer too many, and remembers what every request asked for."""

    def __init__(self) -> None:
        self.deployments: set[str | None] = set()

    def respond(self, request: Request) -> Reply:
        self.deployments.add(request.headers.get(HEADER))
        return super().respond(request)

    def wrap(self, answers: list[Any], form: str) -> Any:
        return super().wrap([*answers, *answers[:1]], form)


class Silent(Reference):
    def swagger(self, request: Request) -> Reply:
        raise Refused(404, "There is none")


def test_a_violation_ends_with_1_and_every_report_tells_it(cli, tmp_path: Path) -> None:
    server, junit, page = AnswersTwo(), tmp_path / "j.xml", tmp_path / "p.html"
    with serving(server) as url:
        code, out, err = cli(
            f"{url}/score", "--json", "--deployment", "v7", "--junit", str(junit), "--html", str(page), "--seed", "3"
        )
    told = json.loads(out)
    assert (code, told["passed"], told["url"], told["deployment"], told["seed"]) == (1, False, url, "v7", 3)
    failures = [check for check in told["checks"] if check["passed"] is False]
    failed = next(failure for failure in failures if "answers came back" in failure["evidence"])
    assert f"-H '{HEADER}: v7'" in failed["curl"]
    assert "$SLIPWAY_KEY" in failed["curl"]
    assert failed["evidence"] in err
    suites = ElementTree.parse(junit).getroot()
    assert suites.get("tests") == str(len(told["checks"]))
    assert failed["evidence"] in page.read_text("utf-8").replace("&#x27;", "'").replace("&quot;", '"')
    assert all(KEY not in text for text in (out, err, junit.read_text(), page.read_text()))
    assert server.deployments == {"v7"}


def test_an_endpoint_that_holds_ends_with_0_and_says_how_much_held(cli) -> None:
    with serving(Reference()) as url:
        code, out, err = cli(f"{url}/swagger.json")
    assert code == 0
    assert out.startswith(f"{url}: ")
    assert " hold, " in out
    assert "violated" not in out
    assert "FAILS" not in err


@pytest.mark.parametrize("address", ["{}", "{}/", "{}/score", "{}/swagger.json", "{}/swagger.json?version=3"])
def test_the_root_is_found_from_any_of_its_addresses(cli, address: str) -> None:
    with serving(Silent()) as url:
        code, out, _ = cli(address.format(url), "--json")
    assert (code, json.loads(out)["url"]) == (1, url)


def test_a_document_elsewhere_is_asked_for_there(cli) -> None:
    with serving(Silent()) as url:
        _, out, _ = cli(f"{url}/api/v2/their-openapi.json?pretty=1", "--json")
    told = json.loads(out)
    assert told["url"] == f"{url}/api/v2"
    assert "curl -i -X GET" in told["checks"][0]["curl"]
    assert f"{url}/api/v2/their-openapi.json?pretty=1" in told["checks"][0]["curl"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ftp://somewhere"], "'ftp://somewhere' is not an address"),
        (["http://h", "--profile", "lenient"], "lenient"),
        (["http://h", "--key-file", "/no/such/key"], "Cannot read the key from '/no/such/key'"),
        (["http://h", "--schema", "/no/such/schema"], "Cannot read a schema from '/no/such/schema'"),
        (["http://h", "--schema", __file__], "Cannot read a schema from"),
        (["http://h", "--junit", "/no/such/folder/f.xml"], "There is no folder /no/such/folder"),
        (["http://h", "--html", "/no/such/folder/f.html"], "There is no folder /no/such/folder"),
    ],
)
def test_wrong_use_ends_with_2_before_anything_is_sent(cli, words: list[str], said: str) -> None:
    code, _, err = cli(*words)
    assert code == 2
    assert said in err


def test_a_schema_that_is_no_object_is_wrong_use(cli, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    code, _, err = cli("http://h", "--schema", str(tmp_path / "list.json"))
    assert code == 2
    assert "holds no JSON object" in err


def test_what_could_not_run_ends_with_3(cli) -> None:
    assert cli("http://127.0.0.1:1")[0] == 3
    with serving(Reference()) as url:
        code, out, err = cli(url, key="another")
        assert (code, out) == (3, "")
        assert "rejected the key: 401" in err
        assert "Is it the key of this endpoint?" in err
        code, out, _ = cli(url, "--json", key="")
        assert code == 3
        assert json.loads(out)["error"]["hint"] == "Give the key with --key-file or in SLIPWAY_KEY"
