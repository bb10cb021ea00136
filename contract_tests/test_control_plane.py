"""The service's own API keeps its document too: requests alone, and chains of them from trigger to cancel."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from core.definitions import shipped
from core.domain.job import Job, JobState
from core.domain.run import PipelineRun
from core.local.collections.data import LocalData
from core.local.collections.jobs import LocalJobs
from core.local.collections.pipelines import LocalPipelines
from core.local.context import Context
from core.local.machine import ports
from core.local.service.door import Door
from core.local.service.door_bodies import JobInput
from core.local.service.door_queries import REPEAT_HEADERS
from core.local.workspace import open_local
from core.settings import read_settings

KEY = "the-key-of-the-control-plane"
HEADERS = {"Authorization": f"Bearer {KEY}"}
STARTED = {"POST /pipelines/{pipeline}", "POST /pipelines/{pipeline}/jobs"}
RUN, JOB, CANCEL = "GET /runs/{id}", "GET /jobs/{id}", "POST /jobs/{id}/cancel"
OWN_RUN, OWN_CANCEL = "GET /pipelines/{pipeline}/jobs/{id}", "POST /pipelines/{pipeline}/jobs/{id}/cancel"
NAMES = (shipped()[0].name,)
KNOWN = sorted(shipped()[0].defaults.items())
CHAINED = ["pipelines", "trigger", "trigger_job", "pipeline_run", "run", "job", "cancel", "cancel_run"]
"""The operations that a chain is made of."""
LOOKS, CANCELS = {RUN, JOB, OWN_RUN}, {CANCEL, OWN_CANCEL}


@dataclass(frozen=True)
class Step:
    """One request of a chain, and what came of it."""

    operation: str
    pipeline: str
    id: str
    status: int
    reply: Any

    @property
    def done(self) -> bool:
        return self.status in (200, 201)


@dataclass
class Seen:
    """One run of Schemathesis: what it found wrong, and the chains of requests that its stateful phase made."""

    problems: list[str] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    """By phase."""
    chains: list[list[Step]] = field(default_factory=list)


class ForgetfulJobs(LocalJobs):
    """Thanks for a cancellation and does nothing."""

    def cancel(self, job_id: str) -> Job:
        return self.get(job_id)


class ForgetfulPipelines(LocalPipelines):
    """The same of runs."""

    def cancel(self, run_id: str) -> PipelineRun:
        return self.get_run(run_id)


@contextmanager
def opened(
    home: Path, jobs: type[LocalJobs] = LocalJobs, pipelines: type[LocalPipelines] = LocalPipelines
) -> Iterator[str]:
    """The address of a real door over a real workspace with one pipeline; nobody works, so jobs wait."""
    context = Context(read_settings({}, home=str(home), offline="1"))
    workspace = open_local(context.settings)
    workspace = replace(workspace, jobs=jobs(context, LocalData(context)), pipelines=pipelines(context))
    workspace.pipelines.publish(shipped()[0])
    listener = ports.listen(0, "door")
    with Door(workspace, KEY, listener, lambda: None):
        yield f"http://{ports.HOST}:{listener.getsockname()[1]}"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[str]:
    with opened(tmp_path / "home") as url:
        yield url


def drive(url: str, *, seed: int, examples: int, chains: int, leave_out: str = "") -> Seen:
    """Every check and phase of Schemathesis, seeded, on past the first failure: requests alone, then in chains.

    `leave_out`: an operation that is not asked alone.
    """
    seen = Seen()
    alone = document(url, seed, phases(examples, 0), one_repeat_key)
    chained = document(url, seed, phases(examples, chains), no_repeat_key)
    for schema in (
        alone.exclude(operation_id=leave_out) if leave_out else alone,
        chained.include(operation_id=CHAINED),
    ):
        for event in from_schema(schema).execute():
            if isinstance(event, events.ScenarioFinished):
                note(event, seen)
            elif isinstance(event, events.NonFatalError):
                seen.problems.append(f"{event.label}: {event.info.title}. {event.info.message}")
            elif isinstance(event, events.FatalError):
                raise event.exception
    return seen


def document(url: str, seed: int, phases: Mapping[str, Any], headers: Callable[[Any, Any], Any]) -> Any:
    """The door's document, with what it cannot say."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": url,
            "headers": HEADERS,
            "continue-on-failure": True,
            "request-timeout": 10,
            "workers": 1,
            "cache": {"enabled": False},
            **phases,
        }
    )
    schema = schemathesis.openapi.from_url(f"{url}/swagger.json", headers=HEADERS, config=config)
    schema.hook("map_body")(known_parameters)
    schema.hook("map_headers")(headers)
    return schema


def phases(examples: int, chains: int) -> dict[str, Any]:
    """Requests alone, or so many chains along the document's own links, which is where they are worth looking for."""
    stateful = {
        "enabled": bool(chains),
        "max-steps": 12,
        "generation": {"max-examples": chains or 1},
        "inference": {"algorithms": []},
    }
    return {
        "generation": {"max-examples": examples, "database": "none"},
        "phases": {
            "examples": {"enabled": not chains},
            "coverage": {"enabled": not chains, "generate-duplicate-query-parameters": True},
            "fuzzing": {"enabled": not chains},
            "stateful": stateful,
        },
    }


def known_parameters(_: Any, body: Any) -> Any:
    """Each pipeline has parameters of its own: one document for all of them can name neither them nor their types."""
    if isinstance(body, dict) and isinstance(given := body.get("ParameterAssignments"), dict):
        return body | {"ParameterAssignments": dict(KNOWN[: len(given)])}
    properties = body.get("properties") if isinstance(body, dict) else None
    if isinstance(properties, dict) and sound(given := properties.get("inputData")):
        literal = {name: {"jobInputType": "Literal", "value": value} for name, value in KNOWN[: len(given)]}
        return {"properties": properties | {"inputData": literal}}
    return body


def sound(inputs: Any) -> bool:
    """Whether these are a batch endpoint's inputs; those that are wrong on purpose stay wrong."""
    try:
        msgspec.convert(inputs, dict[str, JobInput])
    except msgspec.ValidationError:
        return False
    return True


def one_repeat_key(_: Any, headers: Any) -> Any:
    """No document can say that of two headers one may be sent."""
    return {name: value for name, value in headers.items() if name != "Idempotency-Key"} if headers else headers


def no_repeat_key(_: Any, headers: Any) -> Any:
    """In a chain every trigger starts a run of its own."""
    return {n: value for n, value in headers.items() if n.lower() not in REPEAT_HEADERS} if headers else headers


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
    named = (str(parameters.get(name, "")) for name in ("pipeline", "id"))
    return Step(case.operation.label, *named, response.status_code, response.json())


def acknowledged(chains: list[list[Step]]) -> tuple[int, set[str]]:
    """How many chains went from trigger over a look to cancel by one id, and the operations that followed a trigger.

    Fails where something that was acknowledged is not so afterwards.
    """
    whole, followed = 0, set()
    known = {"", *NAMES} | {now.pipeline for chain in chains for now in chain if now.operation in STARTED and now.done}
    for chain in chains:
        started: dict[str, list[str]] = {}
        canceled: set[str] = set()
        for now in chain:
            if now.status == 401 or now.pipeline not in known:
                continue  # sent without its key to see that it is refused, or to a pipeline that is not there
            if now.operation in STARTED and now.done:
                run_id = now.reply["Id"] if now.status == 200 else now.reply["name"]
                started[run_id] = []
            if now.id not in started or now.operation not in LOOKS | CANCELS:
                continue
            assert now.status == 200, f"{now.operation} does not know what was just started: {now}"
            canceled |= {now.id} if now.operation in CANCELS else set()
            expected = JobState.CANCELED if now.id in canceled else JobState.QUEUED
            assert (now.reply["id"], now.reply["state"]) == (now.id, expected), now
            started[now.id].append(now.operation)
            followed.add(now.operation)
        whole += sum(
            any(cancel in after and LOOKS & set(after[: after.index(cancel)]) for cancel in CANCELS)
            for after in started.values()
        )
    return whole, followed


def test_the_services_api_keeps_its_document_alone_and_in_chains(door: str) -> None:
    # The older address takes what the newer one takes: alone, one of them is enough here.
    seen = drive(door, seed=0, examples=3, chains=12, leave_out="trigger")

    assert seen.problems == []
    assert set(seen.requests) >= {"coverage", "fuzzing", "stateful"}
    whole, followed = acknowledged(seen.chains)
    assert whole >= 1
    assert followed >= {OWN_RUN, OWN_CANCEL}


@pytest.mark.full
@pytest.mark.parametrize("seed", range(5))
def test_it_keeps_it_over_many_seeds_and_long_chains(door: str, seed: int) -> None:
    seen = drive(door, seed=seed, examples=60, chains=100)

    assert seen.problems == []
    whole, followed = acknowledged(seen.chains)
    assert whole >= 3
    assert followed == LOOKS | CANCELS


@pytest.mark.full
def test_chains_find_a_cancellation_that_was_only_acknowledged(tmp_path: Path) -> None:
    with opened(tmp_path / "home", ForgetfulJobs, ForgetfulPipelines) as url:
        seen = drive(url, seed=0, examples=4, chains=24)

    assert seen.problems == [], "no request alone shows it"
    with pytest.raises(AssertionError, match="queued"):
        acknowledged(seen.chains)
