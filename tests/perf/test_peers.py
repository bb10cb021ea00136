"""The runner of comparisons: fair turns, honest figures, and a word for every peer that is absent."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.settings import CHECKOUT
from perf.peers import scoring
from perf.peers.comparison import Figure, PeerFailed, Row, interleaved, peers_of, table
from perf.peers.environments import fingerprint, python_of

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
    assert interleaved(["a", "b", "c"], 3) == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


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


def test_ab_is_read_and_refusals_count_as_failed() -> None:
    assert scoring.read_ab(AB) == [279.41, 3, 17, 2]
    assert scoring.read_ab(AB + "Non-2xx responses:      5\n") == [279.41, 3, 17, 7]
    with pytest.raises(PeerFailed, match="Connection refused"):
        scoring.read_ab("apr_socket_connect(): Connection refused (111)")


def test_the_peers_of_scoring_are_found_ours_first() -> None:
    peers = peers_of("scoring")
    assert [found.NAME for found in peers] == ["slipway", "azureml-inference-server-http"]
    assert all(callable(found.server) for found in peers)


def test_a_peer_without_requirements_runs_in_this_environment(tmp_path: Path) -> None:
    assert python_of(peer(REQUIREMENTS=()), tmp_path) == Path(sys.executable)


def test_a_finished_environment_is_used_as_it_is(tmp_path: Path) -> None:
    """Nothing is asked of an index: no index has this requirement."""
    folder = tmp_path / "a-peer"
    folder.mkdir()
    (folder / "installed").write_text(fingerprint(peer()))
    assert python_of(peer(), tmp_path) == folder / "bin" / "python"


def test_other_requirements_make_another_environment() -> None:
    assert fingerprint(peer()) == fingerprint(peer())
    assert len({fingerprint(peer()), fingerprint(peer(PYTHON="3.12")), fingerprint(peer(REQUIREMENTS=("b",)))}) == 3


def test_a_server_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    """And nothing of it lives on."""
    words = [sys.executable, "-c", "print('no model here'); raise SystemExit(3)"]
    failing = peer(server=lambda python, shared, port: scoring.Command(words))
    shared = SimpleNamespace(work=tmp_path, bodies=(b"{}",))
    with pytest.raises(PeerFailed, match="ended with 3; its log ends: no model here"):
        scoring.measure(failing, Path(sys.executable), shared)


def test_the_runner_explains_itself() -> None:
    line = [sys.executable, "-m", "perf.peers.run", "--help"]
    ran = subprocess.run(line, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60)
    assert "--rounds" in ran.stdout
