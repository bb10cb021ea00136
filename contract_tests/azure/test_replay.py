"""What the SDK said to Azure is said to the emulation: status and shape of each answer are those that were recorded."""

from collections.abc import Iterator
from pathlib import Path

import emulating
import living
import pytest

from contract_tests.azure.known_differences import KNOWN
from contract_tests.azure.likeness import differences
from contract_tests.azure.preparing import needed
from contract_tests.azure.replay import Replay
from core.emulator.emulation import Options
from core.emulator.server import Running

RECORDINGS = sorted((living.SHARED / "azure" / "recordings").glob("*.json")) or [Path("none__Test")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    options = Options(allow_code=True, scale=600.0, retry_after_ms=20, poll_s=0.05)
    home = tmp_path_factory.mktemp("replay")
    try:
        with emulating.emulation(home, options, inspect=emulating.no_inspection) as started:
            yield started
    finally:
        living.close(home)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem.partition("__Test")[2])
def test_azure_and_the_emulation_answer_alike(shared: Path, running: Running, recording: Path) -> None:
    found = Replay(running, wait_s=8.0).differences(recording)
    assert [str(each) for each in found if not any(known.covers(str(each)) for known in KNOWN)] == []


@pytest.mark.parametrize(
    ("recorded", "ours", "told"),
    [
        ({"a": 1}, {"a": 2.5}, []),
        ({"a": None}, {}, []),
        ({"a": 1}, {}, ["a: nothing, where 1 is recorded"]),
        ({"a": {"b": "x"}}, {"a": {"b": 5}}, ["a.b: integer 5, where 'x' is recorded"]),
        ({"a": [1]}, {"a": []}, ["a: empty, where [1] is recorded"]),
        ([{"x": 1}, {"y": 1}], [{"y": 2}], []),
        ({"tags": {"any": "thing"}}, {"tags": {}}, []),
        ({"a": 1}, {"a": 1, "more": 1}, []),
    ],
)
def test_how_answers_are_compared(recorded: object, ours: object, told: list[str]) -> None:
    assert list(differences(recorded, ours)) == told


def test_what_was_there_before_is_found() -> None:
    workspace = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    asked = {
        "RequestMethod": "GET",
        "RequestUri": f"https://management.azure.com{workspace}/computes/cpu",
        "StatusCode": 200,
    }
    assert needed([asked]) == [f"{workspace}/computes/cpu"]
    made = {**asked, "RequestMethod": "PUT", "StatusCode": 201}
    assert needed([made, asked]) == []
