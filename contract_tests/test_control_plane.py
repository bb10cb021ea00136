"""The service's own API keeps its document too: requests alone, and chains of them from trigger to cancel."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from core.definitions import shipped
from core.domain.job import Job, JobState
from core.local.collections.data import LocalData
from core.local.collections.jobs import LocalJobs
from core.local.context import Context
from core.local.machine import ports
from core.local.service.door import Door
from core.local.workspace import open_local
from core.settings import read_settings

KEY = "the-key-of-the-control-plane"
HEADERS = {"Authorization": f"Bearer {KEY}"}
TRIGGER, RUN, JOB, CANCEL = "POST /pipelines/{id}", "GET /runs/{id}", "GET /jobs/{id}", "POST /jobs/{id}/cancel"


@dataclass(frozen=True)
class Step:
    """One request of a chain, and what came of it."""

    operation: str
    id: str
    status: int
    reply: Any


@dataclass
class Seen:
    """One run of Schemathesis: what it found wrong, and the chains of requests that its stateful phase made."""

    problems: list[str] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    """By phase."""
    chains: list[list[Step]] = field(default_factory=list)


class Forgetful(LocalJobs):
    """A workspace that thanks for a cancellation and does nothing."""

    def cancel(self, job_id: str) -> Job:
        return self.get(job_id)


@contextmanager
def opened(home: Path, kind: type[LocalJobs] = LocalJobs) -> Iterator[str]:
    """The address of a real door over a real workspace with one pipeline; nobody works, so jobs wait."""
    context = Context(read_settings({}, home=str(home), offline="1"))
    workspace = replace(open_local(context.settings), jobs=kind(context, LocalData(context)))
    workspace.pipelines.publish(shipped()[0])
    listener = ports.listen(0, "door")
    with Door(workspace, KEY, listener, lambda: None):
        yield f"http://{ports.HOST}:{listener.getsockname()[1]}"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[str]:
    with opened(tmp_path / "home") as url:
        yield url


def drive(url: str, *, seed: int, examples: int, chains: int) -> Seen:
    """Every check and phase of Schemathesis, seeded, on past the first failure."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": url,
            "headers": HEADERS,
            "continue-on-failure": True,
            "request-timeout": 10,
            "workers": 1,
            "generation": {"max-examples": examples, "database": "none"},
            "phases": {
                "coverage": {"generate-duplicate-query-parameters": True},
                "stateful": {"generation": {"max-examples": chains}},
            },
            "cache": {"enabled": False},
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", headers=HEADERS, config=config)
    schema.hook("map_body")(known_parameters)
    seen = Seen()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            note(event, seen)
        elif isinstance(event, events.NonFatalError):
            seen.problems.append(f"{event.label}: {event.info.title}. {event.info.message}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return seen


def known_parameters(_: Any, body: Any) -> Any:
    """Each pipeline has parameters of its own: one document for all of them can name neither them nor their types."""
    if isinstance(body, dict) and isinstance(given := body.get("ParameterAssignments"), dict):
        known = sorted(shipped()[0].parameters.items())
        return body | {"ParameterAssignments": dict(known[: len(given)])}
    return body


def note(event: events.ScenarioFinished, seen: Seen) -> None:
    recorder = event.recorder
    seen.requests[event.phase.value] += len(recorder.interactions)
    for nodes in recorder.checks.values():
        for node in nodes:
            if node.failure_info is not None:
                failure = node.failure_info.failure
                seen.problems.append(f"{failure.operation}: {failure.title}. {failure.message}\n{node.failure_info}")
    if event.phase.value == "stateful":
        answered = [(recorder.cases[i].value, done) for i, done in recorder.interactions.items() if done.response]
        seen.chains.append([step(case, done.response) for case, done in answered])


def step(case: schemathesis.Case, response: schemathesis.Response) -> Step:
    parameters: Mapping[str, Any] = case.path_parameters or {}
    return Step(case.operation.label, str(parameters.get("id", "")), response.status_code, response.json())


def acknowledged(chains: list[list[Step]]) -> tuple[int, set[str]]:
    """How many chains went from trigger over a look to cancel by one id, and the operations that followed a trigger.

    Fails where something that was acknowledged is not so afterwards.
    """
    whole, followed = 0, set()
    for chain in chains:
        started: dict[str, list[str]] = {}
        canceled: set[str] = set()
        for now in chain:
            if now.status == 401:
                continue  # sent without its key, to see that it is refused
            if now.operation == TRIGGER and now.status == 200:
                started[now.reply["Id"]] = []
            if now.id not in started or now.operation not in (RUN, JOB, CANCEL):
                continue
            assert now.status == 200, f"{now.operation} does not know what was just started: {now}"
            canceled |= {now.id} if now.operation == CANCEL else set()
            expected = JobState.CANCELED if now.id in canceled else JobState.QUEUED
            assert (now.reply["id"], now.reply["state"]) == (now.id, expected), now
            started[now.id].append(now.operation)
            followed.add(now.operation)
        whole += sum(
            CANCEL in after and bool({RUN, JOB} & set(after[: after.index(CANCEL)])) for after in started.values()
        )
    return whole, followed


def test_the_services_api_keeps_its_document_alone_and_in_chains(door: str) -> None:
    seen = drive(door, seed=0, examples=4, chains=24)

    assert seen.problems == []
    assert set(seen.requests) >= {"coverage", "fuzzing", "stateful"}
    whole, followed = acknowledged(seen.chains)
    assert whole >= 1
    assert followed == {RUN, JOB, CANCEL}


@pytest.mark.full
@pytest.mark.parametrize("seed", range(5))
def test_it_keeps_it_over_many_seeds_and_long_chains(door: str, seed: int) -> None:
    seen = drive(door, seed=seed, examples=60, chains=100)

    assert seen.problems == []
    whole, followed = acknowledged(seen.chains)
    assert whole >= 3
    assert followed == {RUN, JOB, CANCEL}


@pytest.mark.full
def test_chains_find_a_cancellation_that_was_only_acknowledged(tmp_path: Path) -> None:
    with opened(tmp_path / "home", Forgetful) as url:
        seen = drive(url, seed=0, examples=4, chains=24)

    assert seen.problems == [], "no request alone shows it"
    with pytest.raises(AssertionError, match="queued"):
        acknowledged(seen.chains)
