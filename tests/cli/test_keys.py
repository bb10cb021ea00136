"""Where a client verb's key comes from, how it is read, to whom it goes; and that nothing ever shows it."""

import codecs
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import FakeEndpoints, FakeWorkspace
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.reference import KEY, Reference, serving
from core.cli.command import Context
from core.cli.main import main
from core.domain.endpoint import Endpoint, EndpointLimits, EndpointState
from core.domain.errors import SpecInvalid
from core.domain.keys import key_in
from core.domain.monitoring import Origin
from core.domain.proof import LoadSpec, Target
from core.settings import Settings

Cli = Callable[..., tuple[int, str]]


class Known(Context):
    """A context with this environment and a workspace whose endpoints listen at these addresses."""

    def __init__(self, workspace: FakeWorkspace, environ: dict[str, str], *urls: str) -> None:
        super().__init__(workspace.workspace.settings, environ, sleep=lambda seconds: None)
        workspace.endpoints = [an_endpoint(url) for url in urls]
        self.__dict__["workspace"] = workspace.workspace  # where cached_property keeps what it has opened


def an_endpoint(url: str) -> Endpoint:
    uris = (f"{url}/score", f"{url}/swagger.json")
    return Endpoint("an-endpoint", EndpointState.READY, *uris, {}, {}, (), EndpointLimits(), 1.0)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Reference()) as at:
        yield at


@pytest.fixture
def cli(url: str, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Send two requests; the exit code and everything that was printed."""

    def run(*words: str, key: str = "") -> tuple[int, str]:
        line = ["loadtest", url, "--requests", "2", "--warmup", "0", "--no-ceiling", *words]
        environ = {"SLIPWAY_KEY": key} if key else {}
        code = main(line, lambda settings: Known(FakeWorkspace(settings), environ))
        return code, "".join(capsys.readouterr())

    return run


@pytest.mark.parametrize(
    "content",
    [
        KEY.encode(),
        KEY.encode() + b"\r\n",
        codecs.BOM_UTF8 + KEY.encode() + b"\n",
        KEY.encode("utf-16"),
        codecs.BOM_UTF16_BE + f"{KEY}\r\n".encode("utf-16-be"),
    ],
    ids=["plain", "line end", "mark", "UTF-16", "UTF-16 of the other end"],
)
def test_a_key_file_is_read_as_editors_and_shells_write_it(cli: Cli, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    assert cli("--key-file", str(tmp_path / "key"))[0] == 0


@pytest.mark.parametrize("around", ["{}\n", "\ufeff{}", " {}\r\n"])
def test_a_line_end_around_the_key_in_the_environment_is_no_part_of_it(cli: Cli, around: str) -> None:
    assert cli(key=around.format(KEY))[0] == 0


@pytest.mark.parametrize("between", ["\n", "\r\nX-Admin: ", "\0", "ü", "\t"])
def test_what_no_header_can_carry_is_refused_without_showing_the_key(cli: Cli, tmp_path: Path, between: str) -> None:
    key = f"{KEY[:9]}{between}{KEY[9:]}"
    (tmp_path / "key").write_text(key, newline="")
    for code, told in (cli(key=key), cli("--key-file", str(tmp_path / "key"))):
        assert code == 2
        assert told.startswith("The key in ")
        assert "Traceback" not in told
        assert KEY[:9] not in told
        assert KEY[9:] not in told


@pytest.mark.parametrize(("content", "said"), [(b"", "empty"), (b"\n", "empty"), (b"\xe4\xff", "is not text")])
def test_a_key_file_without_a_key_is_refused(cli: Cli, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "key").write_bytes(content)
    code, told = cli("--key-file", str(tmp_path / "key"))
    assert (code, said in told) == (2, True)


@given(st.text(max_size=30), st.binary(max_size=30))
def test_whatever_is_given_is_a_key_for_a_header_or_refused_unseen(text: str, raw: bytes) -> None:
    for given_ in (text, raw):
        try:
            key = key_in(given_, "that was given")
        except SpecInvalid:
            continue
        Target("http://127.0.0.1:1", key)
        assert key == key.strip()
        assert key.isascii()


def test_no_traceback_and_no_representation_shows_a_key() -> None:
    target = Target("http://127.0.0.1:1", KEY)
    assert KEY not in f"{target!r} {LoadSpec(target)!r} {replace(target, headers={'a': 'b'})}"
    with pytest.raises(SpecInvalid) as refused:
        Target("http://127.0.0.1:1", f"{KEY}\nX-Admin: yes")
    assert KEY not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("value", ["v1\r\nX-Admin: yes", "v1\n", "vé"])
def test_a_deployments_name_is_one_header(value: str) -> None:
    with pytest.raises(SpecInvalid, match="holds"):
        LoadSpec(Target("http://127.0.0.1:1"), deployment=value)
    with pytest.raises(SpecInvalid, match="holds"):
        Target("http://127.0.0.1:1", headers={"azureml-model-deployment": value})


OWN = "http://127.0.0.1:8001"


@pytest.mark.parametrize("same", [OWN, f"{OWN}/", f"{OWN}/score", "HTTP://127.0.0.1:8001"])
def test_an_endpoint_listens_at_its_own_address(same: str) -> None:
    assert an_endpoint(OWN).listens_at(same)


@pytest.mark.parametrize(
    "other",
    [
        *("http://127.0.0.1:80", "http://127.0.0.1:800", "http://127.0.0.1", "http://127.0.0.1:80010", "http://", ""),
        *("http://127.0.0.1:8001@evil.example", "http://evil@127.0.0.1:8001", "https://127.0.0.1:8001"),
        *("http://127.0.0.2:8001", "http://127.0.0.1:8001/other", "http://127.0.0.1:port", "http://[::1]:8001"),
    ],
)
def test_an_address_that_only_begins_alike_is_anothers(other: str) -> None:
    assert not an_endpoint(OWN).listens_at(other)


@pytest.mark.parametrize("same", ["https://host/bank", "https://host:443/bank/", "https://host/bank/score"])
def test_an_endpoint_that_shares_its_host_is_told_by_its_path(same: str) -> None:
    shared = an_endpoint("https://host/bank")
    assert shared.listens_at(same)
    for other in ("https://host", "https://host/score", "https://host/bank2/score", "https://host/bank/score/score"):
        assert not shared.listens_at(other)


class KnowsTheKey(FakeEndpoints):
    def target(self, name: str, origin: Origin) -> Target:
        return Target("", KEY)


def knowing(settings: Settings) -> FakeWorkspace:
    """A workspace that gives the key of its endpoint."""
    fake = FakeWorkspace(settings)
    fake.workspace = replace(fake.workspace, endpoints=KnowsTheKey(fake))
    return fake


def test_the_workspaces_key_goes_to_its_own_endpoint_alone(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(known: str) -> int:
        line = ["loadtest", url, "--requests", "2", "--warmup", "0", "--no-ceiling"]
        return main(line, lambda settings: Known(knowing(settings), {}, known))

    assert run(url) == 0
    assert run(f"{url}0") != 0
    assert KEY not in "".join(capsys.readouterr())
