"""Microsoft's inference server and ours get the same requests and answer alike, but for what the contract says."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from contract_lines import lines
from outside import free_port, running
from raw_answers import Answer, ask
from raw_requests import Sent, requests
from serving_fakes import ServerProcess
from turns import other_day

from core.domain.endpoint import EndpointLimits
from core.packaging.export import export
from perf.peers.comparison import PeerFailed
from perf.peers.environments import python_of

pytestmark = other_day(0, 3)

AZURE = SimpleNamespace(
    NAME="export-azureml",
    PYTHON="3.11",
    REQUIREMENTS=("azureml-inference-server-http==1.5.1", "numpy>=2.1", "msgspec>=0.20"),
)
# `azmlinfsrv` listens on every interface and takes no host; this is the same command with that constant changed.
LAUNCH = "import azureml_inference_server_http.amlserver as s; s.DEFAULT_HOST = '127.0.0.1'; s.run()"
REQUESTS = tuple(requests())


@dataclass(frozen=True, slots=True)
class Intended:
    """One way in which our server means to differ: the line that says so, which replies, and in what."""

    line: str
    why: str
    applies: Callable[[Sent, Answer, Answer], bool]
    parts: frozenset[str]


def intended(line: str, why: str, *parts: str, when: Callable[[Sent, Answer, Answer], bool]) -> Intended:
    return Intended(line, why, when, frozenset(parts))


def _refused(_: Sent, ours: Answer, theirs: Answer) -> bool:
    return ours.status == theirs.status >= 400


INTENDED = (
    intended(
        "H3",
        "one server holds several deployments, and says which one answered; theirs holds one",
        "+azureml-model-deployment",
        when=lambda sent, ours, _: sent.target.startswith("/score") and ours.status < 500,
    ),
    intended(
        "E1",
        "a refusal lists what is wrong; theirs is a message alone",
        "body",
        when=_refused,
    ),
    intended(
        "H1",
        "every reply carries ids, also where there is nothing and where an id is refused",
        "+x-request-id",
        "+x-ms-request-id",
        when=_refused,
    ),
    intended(
        "H2",
        "every reply says whether the model failed, how long it ran, and who answers",
        "+x-ms-run-function-failed",
        "+x-ms-run-fn-exec-ms",
        "+x-ms-server-version",
        when=lambda sent, ours, theirs: True,
    ),
    intended(
        "R1",
        "health is text; theirs calls the same word HTML",
        "media",
        when=lambda sent, ours, _: sent.target.startswith("/?") or sent.target == "/",
    ),
    intended(
        "R2",
        "OPTIONS of /score is answered as the managed endpoint does; theirs refuses what names no other origin",
        "status",
        "body",
        "media",
        "+allow",
        when=lambda sent, ours, _: (sent.method, sent.target) == ("OPTIONS", "/score"),
    ),
    intended(
        "R6",
        "another method on a known path is 405 and names those that are allowed",
        "status",
        "body",
        "media",
        "+allow",
        when=lambda sent, ours, _: ours.status == 405,
    ),
    intended(
        "B1",
        "another content type, charset or encoding is refused; theirs reads any body as JSON",
        "status",
        "body",
        when=lambda sent, ours, theirs: (ours.status, theirs.status) == (415, 200),
    ),
    intended(
        "B1",
        "gzip is unpacked, and what says gzip must be; theirs does not look",
        "status",
        "body",
        when=lambda sent, ours, _: sent.headers.get("content-encoding") == "gzip",
    ),
    intended(
        "D1",
        "the document is made from the model's signature; theirs knows no more than that there is a body",
        "body",
        when=lambda sent, ours, theirs: sent.target.startswith("/swagger.json") and ours.status == theirs.status == 200,
    ),
)


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path_factory.mktemp("ours")).start()
    yield server
    server.end()


@pytest.fixture(scope="module")
def theirs(ours: ServerProcess, tmp_path_factory) -> Iterator[int]:
    """The port of Microsoft's server, which holds the same model by our exported `score.py`."""
    try:
        python = python_of(AZURE)
    except PeerFailed:
        pytest.skip("azureml-inference-server-http cannot be installed here")
    folder, port = tmp_path_factory.mktemp("theirs") / "package", free_port()
    described = {
        "endpoint": "bank-marketing",
        "name": "v1",
        "limits": asdict(EndpointLimits()),
        "deployment": {"folder": "", "model": "bank", "model_version": 1},
    }
    export(Path(ours.files.content["deployments"]["v1"]["folder"]), folder, described)
    line = [str(python), "-c", LAUNCH, "--entry_script", "score.py", "--port", str(port)]
    with running(line, folder, f"http://127.0.0.1:{port}", folder.parent / "log", AML_APP_ROOT=str(folder)):
        yield port


@pytest.fixture(scope="module")
def replies(ours: ServerProcess, theirs: int) -> dict[str, tuple[Sent, Answer, Answer]]:
    return {sent.name: (sent, ask(ours.port, sent), ask(theirs, sent)) for sent in REQUESTS}


@pytest.mark.parametrize("name", [sent.name for sent in REQUESTS])
def test_both_servers_answer_alike_but_for_what_the_contract_says(replies, name):
    sent, ours, theirs = replies[name]
    explained = frozenset().union(*(entry.parts for entry in INTENDED if entry.applies(sent, ours, theirs)))
    assert not ours.differs(theirs) - explained, (ours, theirs)


@pytest.mark.parametrize("entry", INTENDED, ids=lambda entry: f"{entry.line}: {entry.why[:40]}")
def test_an_intended_difference_occurs_and_stands_in_the_contract(replies, entry):
    met = [
        ours.differs(theirs) & entry.parts
        for sent, ours, theirs in replies.values()
        if entry.applies(sent, ours, theirs)
    ]
    assert frozenset().union(*met) == entry.parts, "an entry that no longer holds must go"
    assert entry.line in lines()


def test_there_are_many_requests_and_few_differences():
    assert len({sent.raw("host") for sent in REQUESTS}) >= 60
    assert len(INTENDED) <= 12
