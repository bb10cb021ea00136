"""What is kept is read again: every type, whatever its rules ask today, in each format that it ever had."""

import dataclasses
import sqlite3
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_world import World
from msgspec import json

from core.domain.batch import BatchSpec
from core.domain.compute import Compute
from core.domain.data import DataAsset, DataRef
from core.domain.endpoint import DeploymentSpec, EndpointKeys, EndpointLimits, EndpointSpec, GateBudget
from core.domain.errors import Conflict, SpecInvalid, StoredUnreadable
from core.domain.job import JOB_TYPES, Job, JobKind, JobState
from core.domain.model import Model
from core.domain.pipeline import PipelineSpec
from core.domain.plain import plain
from core.domain.proof import GateReport, GateSpec, LoadReport
from core.domain.run import StepRun
from core.domain.training import TrainingSpec, Trial
from core.local.store import Store, bodies, transactions
from core.local.store.bodies import decode, encode
from core.local.workspace import open_local

STORED = (
    *(DataAsset, Compute, TrainingSpec, BatchSpec, Trial, Model, EndpointLimits, DeploymentSpec),
    *(GateReport, LoadReport, PipelineSpec, StepRun),
)
OF_JOBS = [kind for known in JOB_TYPES.values() for kind in (known.spec, known.result)]
LEAVES: Mapping[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


def any_value(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type of the domain, also such as its constructor refuses."""
    if kind in LEAVES:
        return LEAVES[kind]
    if kind is Any:
        return st.none() | st.booleans() | LEAVES[int] | LEAVES[str]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        fields = {field.name: any_value(hints[field.name]) for field in dataclasses.fields(kind)}
        return st.fixed_dictionaries(fields).map(lambda values: unchecked(kind, **values))
    parts = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        whole = parts[-1] is not Ellipsis
        return st.tuples(*map(any_value, parts)) if whole else st.lists(any_value(parts[0]), max_size=3).map(tuple)
    if typing.get_origin(kind) is Mapping:
        return st.dictionaries(any_value(parts[0]), any_value(parts[1]), max_size=3)
    assert typing.get_origin(kind) in (typing.Union, types.UnionType), kind
    return st.one_of(*map(any_value, parts))


def unchecked(kind: type, /, **fields: Any) -> Any:
    value = object.__new__(kind)
    for name, field in fields.items():
        object.__setattr__(value, name, field)
    return value


@pytest.mark.parametrize("kind", STORED)
@settings(max_examples=25)
@given(data=st.data())
def test_every_value_that_is_kept_comes_back(kind: type, data: st.DataObject) -> None:
    value = data.draw(any_value(kind))
    again = decode(encode(value), kind, "it")
    assert type(again) is kind
    assert again == value
    assert json.decode(encode(value))["v"] == len(bodies.UPGRADES.get(kind, ())) + 1


@pytest.mark.parametrize("kind", OF_JOBS)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_asked_of_a_job_and_what_it_leaves_comes_back(kind: type, data: st.DataObject) -> None:
    value = data.draw(any_value(kind))
    assert decode(encode(plain(value), kind), kind, "it") == value


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (TrainingSpec, {"data": {"name": "t"}, "target": "y", "max_trials": 0}),
        (
            TrainingSpec,
            {"data": {"name": "", "version": -1}, "target": "", "engine": "", "primary_metric": "AUC_weighted"},
        ),
        (Compute, {"name": "small", "memory_mb": 1}),
        (DeploymentSpec, {"endpoint": "bank", "model": "m", "name": "d" * 60, "budget": {"rows": 0}}),
        (EndpointLimits, {"workers": 0, "cors_origins": ["nowhere"]}),
        (PipelineSpec, {"name": "p", "steps": []}),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else "",
)
def test_what_broke_no_rule_when_it_was_kept_is_read_today(kind: type, kept: dict[str, Any]) -> None:
    """As an earlier release wrote it: without `v`, without the fields that came later, with one that has gone."""
    with pytest.raises(SpecInvalid):
        json.decode(json.encode(kept), type=kind)
    value = decode(json.encode({**kept, "gone": 1}).decode(), kind, "it")
    again = json.decode(json.encode(value))
    assert {name: again[name] for name in kept if not isinstance(kept[name], dict)} == {
        name: field for name, field in kept.items() if not isinstance(field, dict)
    }
    defaults = {field.name: field.default for field in dataclasses.fields(kind)}
    left = {name for name, default in defaults.items() if name not in kept and default is not dataclasses.MISSING}
    assert {name: getattr(value, name) for name in left} == {name: defaults[name] for name in left}


@dataclass(frozen=True, slots=True)
class Renamed:
    size_mb: float
    ref: DataRef
    name: str = "none"


def test_each_earlier_format_is_brought_to_todays(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(body: dict[str, Any]) -> dict[str, Any]:
        return {"size": body["bytes"] / 1e6, "ref": body["ref"]}

    def in_mb(body: dict[str, Any]) -> dict[str, Any]:
        return {"size_mb": body["size"], "ref": body["ref"]}

    monkeypatch.setitem(bodies.UPGRADES, Renamed, (named, in_mb))
    today = Renamed(3.0, DataRef("t", 1))
    assert json.decode(encode(today))["v"] == 3
    ref = {"name": "t", "version": 1}
    for kept in (
        {"bytes": 3_000_000, "ref": ref},
        {"v": 1, "bytes": 3_000_000, "ref": ref},
        {"v": 2, "size": 3.0, "ref": ref},
        {"v": 3, "size_mb": 3.0, "ref": ref},
    ):
        assert decode(json.encode(kept).decode(), Renamed, "it") == today
    with pytest.raises(StoredUnreadable, match="What the workspace keeps of it cannot be read: it has format 4"):
        decode('{"v":4,"size_mb":3.0}', Renamed, "it")


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ('{"number":1,"algorithm":"L","state":"asleep"}', "Invalid enum value 'asleep'"),
        ('{"number":1,"state":"running"}', "missing required field `algorithm`"),
        ('{"number":1', "truncated"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, kept: str, why: str) -> None:
    store = Store(tmp_path / "slipway.db")
    with sqlite3.connect(tmp_path / "slipway.db") as db:
        db.execute("INSERT INTO trials VALUES ('j', 1, ?)", (kept,))
    with pytest.raises(StoredUnreadable, match=f"What the workspace keeps of trial 1 of job 'j' cannot be read.*{why}"):
        store.trials.list("j")
    store.close()


@pytest.mark.parametrize(("column", "word"), [("kind", "dreaming"), ("state", "asleep")])
def test_a_job_of_a_kind_or_state_that_is_not_known_is_named(tmp_path, column: str, word: str) -> None:
    store = Store(tmp_path / "slipway.db")
    store.jobs.add(Job("j", JobKind.BATCH, JobState.QUEUED, "e", "local", BatchSpec("bank", "people"), 1.0))
    with sqlite3.connect(tmp_path / "slipway.db") as db:
        db.execute(f"UPDATE jobs SET {column} = ?", (word,))
    with pytest.raises(StoredUnreadable, match=f"What the workspace keeps of job 'j' cannot be read: '{word}'"):
        store.jobs.get("j")
    store.close()


def test_rows_of_an_earlier_release_are_read_and_used(tmp_path) -> None:
    store = Store(tmp_path / "slipway.db")
    gate = Job("g", JobKind.GATE, JobState.QUEUED, "gate", "proof", GateSpec("bank"), 1.0)
    keys = EndpointKeys("one", "two")
    transactions.deploy(store, DeploymentSpec("bank", "m", 1, "v1"), gate, 1.0, create=(EndpointSpec("bank"), 1, keys))
    with sqlite3.connect(tmp_path / "slipway.db") as db:
        db.execute("INSERT INTO computes VALUES ('tiny', ?)", ('{"name":"tiny","memory_mb":1}',))
        long = json.encode({"endpoint": "bank", "model": "m", "model_version": 1, "name": "d" * 60}).decode()
        db.execute("UPDATE deployments SET name = ?, spec = ?", ("d" * 60, long))
        db.execute("""UPDATE endpoints SET limits = '{"max_rows":0,"workers":3}'""")
        db.execute("""UPDATE jobs SET spec = '{"endpoint":"bank"}', result = '{}'""")
    assert [(compute.name, compute.memory_mb) for compute in store.computes.list()] == [("tiny", 1)]
    endpoint = store.endpoints.get("bank")
    assert [deployment.name for deployment in endpoint.deployments] == ["d" * 60]
    assert store.deployments.spec("bank", "d" * 60).name == "d" * 60
    assert (endpoint.limits.workers, endpoint.limits.max_rows) == (3, EndpointLimits().max_rows)
    assert store.jobs.get("g").spec == GateSpec("bank")
    store.close()


def test_a_deployment_of_an_earlier_release_is_proven_again(world: World) -> None:
    gate = Job("g", JobKind.GATE, JobState.QUEUED, "gate", "proof", GateSpec("bank", "v1"), 1.0)
    create = (EndpointSpec("bank"), 1, EndpointKeys("one", "two"))
    transactions.deploy(world.store, DeploymentSpec("bank", "m", 1, "v1"), gate, 1.0, create=create)
    with sqlite3.connect(world.paths.store) as db:
        long = json.encode({"endpoint": "bank", "model": "m", "model_version": 1, "name": "d" * 60}).decode()
        db.execute("UPDATE deployments SET name = ?, spec = ?", ("d" * 60, long))
    again = open_local(world.settings).proofs.run_gate("bank", budget=GateBudget(p99_ms=1.0))
    assert (again.spec.deployment, again.spec.budget, again.spec.first_gate) == ("d" * 60, GateBudget(p99_ms=1.0), "g")


def test_nouns_that_are_written_together_are_kept_together(tmp_path) -> None:
    store = Store(tmp_path / "slipway.db")

    def twice() -> None:
        with store.write() as tx:
            for name in ("one-endpoint", "one-endpoint"):
                tx.facts.set("seen", name)
                tx.endpoints.add(EndpointSpec(name), 1, EndpointKeys("one", "two"), 1.0)
                assert tx.endpoints.exists(name)

    with pytest.raises(Conflict, match="already"):
        twice()
    assert (store.facts.get("seen"), store.endpoints.list()) == ("", ())
    with store.write() as tx:
        tx.facts.set("seen", "it")
        assert tx.facts.get("seen") == "it"
    assert store.facts.get("seen") == "it"
    store.close()
