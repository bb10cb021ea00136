"""The runner of comparisons: fair turns, honest figures, and a word for every peer that is absent."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.settings import CHECKOUT
from perf.peers import environments, load, mlserver_sklearn, run, scoring
from perf.peers.comparison import Figure, PeerFailed, Row, interleaved, peers_of, short_table, table
from perf.peers.environments import fingerprint, python_of
from perf.peers.kept import Kept
from perf.peers.picture import picture
from perf.peers.processes import cpu_s, family, pss_mb

AB = """
Complete requests:      1000
Failed requests:        2
   (Connect: 0, Receive: 0, Length: 2, Exceptions: 0)
Requests per second:    279.41 [#/sec] (mean)
Percentage of the requests served within a certain time (ms)
  50%      3
  66%      4
  99%     17
 100%     21 (longest request)
"""


def peer(**given: Any) -> Any:
    return SimpleNamespace(**{"NAME": "a-peer", "PYTHON": "3.11", "REQUIREMENTS": ("such-a-thing==1",)} | given)


def test_every_peer_is_measured_once_a_round_and_begins_in_turn() -> None:
    turns = interleaved(["a", "b", "c"], 3)
    assert [number for number, _ in turns] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [name for _, name in turns] == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


def test_the_table_has_medians_with_min_and_max_and_multiples_of_ours() -> None:
    figures = (Figure("throughput", "requests/s"), Figure("p99", "ms", 1))
    ours = Row("slipway", [{"throughput": n, "p99": 1.0} for n in (3000.0, 1000.0, 2000.0)])
    other = Row("other", [{"throughput": 50.0, "p99": 200.04}])
    absent = Row("absent", problems=["could not be installed: no wheel"])
    assert table(figures, [ours, other, absent]).splitlines() == [
        "| figure | slipway | other |",
        "|---|---|---|",
        "| throughput, requests/s | 2,000 (1,000 to 3,000) | 50 (50 to 50), 0.025x ours |",
        "| p99, ms | 1.0 (1.0 to 1.0) | 200.0 (200.0 to 200.0), 200x ours |",
        "",
        "- absent: could not be installed: no wheel",
    ]


THROUGHPUT = Figure("throughput", "requests/s")
STORY = [
    Row("slipway", [{"throughput": n} for n in (1000.0, 3000.0, 2000.0)], label="Slipway", version="abc"),
    Row("other", [{"throughput": n} for n in (50.0, 40.0, 60.0)], label="Other <1>", version="1.0"),
    Row("absent", problems=["could not be installed: no wheel"], label="Absent", version="2.0"),
]


def test_the_short_table_has_a_line_for_whoever_could_not_be_measured() -> None:
    assert short_table((THROUGHPUT,), {"throughput": "requests/s"}, "throughput", STORY).splitlines() == [
        "| server | requests/s | Slipway is ahead by |",
        "|---|---|---|",
        "| Slipway abc | 2,000 |  |",
        "| Other <1> 1.0 | 50 | 40x |",
        "| Absent 2.0 | not measured: could not be installed: no wheel | |",
    ]


def test_the_picture_is_whole_needs_nothing_else_and_names_whoever_is_absent() -> None:
    """Bars follow the logarithm, whiskers go from the least round to the best."""
    drawn = picture(STORY, "throughput")
    root = ET.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    widths = [float(bar.attrib["width"]) for bar in root.iter(f"{space}rect")]
    assert widths[0] / widths[1] == pytest.approx((3.301 - 1) / (1.699 - 1), rel=0.001)
    assert len(list(root.iter(f"{space}path"))) == 2
    texts = [text.text for text in root.iter(f"{space}text")]
    assert "Not measured: Absent 2.0" in texts
    assert {"2,000", "50", "Other <1> 1.0", "10", "10,000"} <= set(texts)
    assert "prefers-color-scheme: dark" in drawn
    assert "href" not in drawn
    assert "url(" not in drawn


def test_results_are_kept_after_each_round_and_taken_up_where_circumstances_agree(tmp_path: Path) -> None:
    path = tmp_path / "results" / "scoring.json"
    first = Kept.open(path, {"data": "d1"}, fresh=False)
    first.enter(Row("other", version="1.0", fingerprint="f1"))
    first.failed("other", "did not start")
    first.add("other", 1, {"throughput": 50.0})

    again = Kept.open(path, {"data": "d1"}, fresh=False)
    again.enter(Row("other", version="1.0", fingerprint="f1"))
    assert (again.has("other", 0), again.has("other", 1)) == (False, True)
    (row,) = again.rows()
    assert (row.rounds, row.problems) == ([{"throughput": 50.0}], [])


@pytest.mark.parametrize(
    ("circumstances", "fresh", "fingerprint"),
    [({"data": "d2"}, False, "f1"), ({"data": "d1"}, True, "f1"), ({"data": "d1"}, False, "f2")],
    ids=["another table", "--fresh", "another version of the peer"],
)
def test_results_of_other_circumstances_are_measured_anew(
    tmp_path: Path, circumstances: dict[str, str], fresh: bool, fingerprint: str
) -> None:
    path = tmp_path / "scoring.json"
    first = Kept.open(path, {"data": "d1"}, fresh=False)
    first.enter(Row("other", fingerprint="f1"))
    first.add("other", 0, {"throughput": 50.0})
    again = Kept.open(path, circumstances, fresh=fresh)
    again.enter(Row("other", fingerprint=fingerprint))
    assert not again.has("other", 0)


def test_results_of_an_earlier_version_are_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "scoring.json").write_text('[{"peer": "slipway", "rounds": [], "problems": []}]')
    assert Kept.open(tmp_path / "scoring.json", {}, fresh=False).peers == {}


def test_table_and_picture_are_put_into_the_documentation(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for page in (tmp_path / "README.md", tmp_path / "docs" / "performance.md"):
        page.write_text("before\n<!-- peers: begin -->\nold\n<!-- peers: end -->\nafter\n")
    subject: Any = SimpleNamespace(FIGURES=(THROUGHPUT,), SHORT={"throughput": "requests/s"}, HEADLINE="throughput")
    run.publish(subject, STORY, "one day", tmp_path)
    readme, page = (tmp_path / "README.md").read_text(), (tmp_path / "docs" / "performance.md").read_text()
    assert "docs/images/peers-scoring.svg" in readme
    assert "| Other <1> 1.0 | 50 | 40x |" in readme
    assert "50 (40 to 60), 0.025x ours" in page
    assert "- Absent 2.0: could not be installed: no wheel" in page
    for text in (readme, page):
        assert "old" not in text
        assert text.startswith("before\n")
        assert text.endswith("after\n")
    assert (tmp_path / "docs" / "images" / "peers-scoring.svg").read_text().startswith("<svg")


def test_ab_is_read_refusals_count_as_failed_and_another_length_does_not() -> None:
    assert load.read_ab(AB, 1000) == load.Load(1000, 279.41, 3, 17, 0)
    assert load.read_ab(AB + "Non-2xx responses:      5\n", 1000).failed == 5
    with pytest.raises(PeerFailed, match="Connection refused"):
        load.read_ab("apr_socket_connect(): Connection refused (111)", 1000)


def test_wrk_is_read_and_silence_is_a_failure() -> None:
    line = {"requests": 300, "us": 2_000_000, "failed": 2, "p50_us": 1500, "p99_us": 9000}
    assert load.read_wrk("Running 2s test\n" + json.dumps(line) + "\n") == load.Load(300, 150.0, 1.5, 9.0, 2)
    with pytest.raises(PeerFailed, match="no request was answered"):
        load.read_wrk(json.dumps(line | {"requests": 0}))
    with pytest.raises(PeerFailed, match="unable to connect"):
        load.read_wrk("unable to connect to 127.0.0.1:9 Connection refused")


def test_a_server_costs_what_its_children_cost_in_whatever_session() -> None:
    child = "import sys; x = bytearray(40_000_000); print(sum(range(3_000_000)), flush=True); sys.stdin.read()"
    parent = (
        "import subprocess, sys; "
        f"subprocess.run([sys.executable, '-c', {child!r}], stdin=sys.stdin, start_new_session=True)"
    )
    words = [sys.executable, "-c", parent]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(family(process.pid)) == 2
        assert pss_mb(process.pid) > 40
        assert cpu_s(process.pid) > 0.01


def test_the_peers_of_scoring_are_found_ours_first() -> None:
    peers = peers_of("scoring")
    assert [found.NAME for found in peers] == [
        "slipway",
        "azureml-inference-server-http",
        "bentoml",
        "fastapi",
        "mlflow",
        "mlserver",
        "vetiver",
    ]
    assert all(callable(found.server) for found in peers)
    assert all("==" in found.REQUIREMENTS[0] for found in peers[1:])


def test_mlserver_is_asked_by_columns() -> None:
    body = mlserver_sklearn._body([{"age": 30, "job": "admin.", "rate": 1}, {"age": 31, "job": "student", "rate": 1.5}])
    assert [(i["name"], i["shape"], i["datatype"], i["data"]) for i in body["inputs"]] == [
        ("age", [2], "INT64", [30, 31]),
        ("job", [2], "BYTES", ["admin.", "student"]),
        ("rate", [2], "FP64", [1, 1.5]),
    ]


def test_a_peer_without_requirements_runs_in_this_environment(tmp_path: Path) -> None:
    assert python_of(peer(REQUIREMENTS=()), tmp_path) == Path(sys.executable)


def test_a_finished_environment_is_used_as_it_is(tmp_path: Path) -> None:
    """Nothing is asked of an index: no index has this requirement."""
    folder = tmp_path / "a-peer"
    folder.mkdir()
    (folder / "installed").write_text(fingerprint(peer()))
    assert python_of(peer(), tmp_path) == folder / "bin" / "python"


def test_wheels_of_this_machine_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build of PyTorch without CUDA, say: an index has only the other."""
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels /more")
    monkeypatch.setenv("PIP_INDEX_URL", "https://example.org/simple")
    assert environments._index() == {"UV_DEFAULT_INDEX": "https://example.org/simple", "UV_FIND_LINKS": "/wheels,/more"}


def test_other_requirements_make_another_environment() -> None:
    assert fingerprint(peer()) == fingerprint(peer())
    assert len({fingerprint(peer()), fingerprint(peer(PYTHON="3.12")), fingerprint(peer(REQUIREMENTS=("b",)))}) == 3


def test_a_server_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    """And nothing of it lives on."""
    words = [sys.executable, "-c", "print('no model here'); raise SystemExit(3)"]
    failing = peer(server=lambda python, shared, port: scoring.Command(words))
    shared = SimpleNamespace(work=tmp_path, rows=[{}], options=SimpleNamespace(seconds=1, requests=1))
    with pytest.raises(PeerFailed, match="ended with 3; its log ends: no model here"):
        scoring.measure(failing, Path(sys.executable), shared)


def test_the_runner_explains_itself() -> None:
    line = [sys.executable, "-m", "perf.peers.run", "--help"]
    ran = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60)
    assert "--rounds" in ran.stdout
