"""The store of a workspace, filled by the same words at revisions whose store had flat verbs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FLAT: Mapping[str, Mapping[str, str]] = {
    "facts": {"set": "set_fact"},
    "jobs": {"add": "add_job", "start_attempt": "start_attempt", "end": "end_job"},
    "trials": {"put": "put_trial"},
    "models": {"add": "add_model"},
    "endpoints": {
        "add": "add_endpoint",
        "observe": "observe_endpoint",
        "version": "endpoint_version",
        "observe_version": "observe_version",
    },
    "deployments": {"observe": "observe_deployment"},
    "proofs": {"add_load_report": "add_load_report"},
    "pipelines": {"publish": "publish"},
}
"""What workloads say of a noun, and what a flat store called it."""


@contextmanager
def opened(home: Path) -> Iterator[Any]:
    """The store in a workspace's folder, with verbs by noun."""
    from core.local.paths import Paths
    from core.local.store import Store

    store = Store(Paths(home).store)
    try:
        yield store if hasattr(store, "write") else _Flat(store)
    finally:
        store.close()


def verbs() -> Any:
    """The verbs that touch more than one noun: `deploy`, `end_gate`, `start_run`; and `publish`."""
    try:
        from core.local.store import transactions
    except ImportError:
        return SimpleNamespace(
            deploy=lambda store, *given: store.flat.add_deployment(*given, create=None),
            end_gate=lambda store, *given: store.flat.end_gate(*given),
            start_run=lambda store, *given: store.flat.add_run(*given),
            publish=lambda store, *given: store.flat.publish(*given),
        )
    return _Typed(transactions) if hasattr(transactions, "add_run") else _Untyped(transactions)


class _Typed:
    """Pipelines with keys of their own, whose runs are queued inside a transaction."""

    def __init__(self, transactions: Any) -> None:
        self.deploy, self.end_gate, self._add_run = transactions.deploy, transactions.end_gate, transactions.add_run

    def start_run(self, store: Any, job: Any, steps: Any) -> None:
        with store.write() as tx:
            self._add_run(tx, job, steps)

    def publish(self, store: Any, pipeline_id: str, spec: Any, now: float) -> None:
        from core.domain.endpoint import EndpointKeys

        store.pipelines.publish(pipeline_id, spec, "", EndpointKeys("one", "two"), now)


class _Untyped:
    def __init__(self, transactions: Any) -> None:
        self.deploy, self.end_gate, self.start_run = (
            transactions.deploy,
            transactions.end_gate,
            transactions.start_run,
        )

    def publish(self, store: Any, pipeline_id: str, spec: Any, now: float) -> None:
        store.pipelines.publish(pipeline_id, spec, now)


class _Flat:
    def __init__(self, store: Any) -> None:
        self.flat = store
        for noun, names in FLAT.items():
            setattr(self, noun, SimpleNamespace(**{name: getattr(store, flat) for name, flat in names.items()}))

    @contextmanager
    def write(self) -> Iterator["_Flat"]:
        """No transaction, but as quick as one: commits are not waited for."""
        self.flat._connection.execute("PRAGMA synchronous=OFF")
        yield self
