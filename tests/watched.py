"""A local workspace whose endpoint keeps what it is asked: a small table, a model that is right, and no server."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from backends import settings
from serving_fakes import write_model

from core.contract.decision import decide, scores
from core.domain.data import ColumnKind, DataRef
from core.domain.endpoint import DeploymentSpec, EndpointKeys, EndpointLimits, EndpointSpec
from core.domain.job import Job, JobKind, JobState
from core.domain.model import Model
from core.domain.proof import GateSpec
from core.domain.signature import Column, Signature
from core.local.paths import Paths, new_id
from core.local.store import Store, transactions
from core.local.workspace import open_local
from core.predict.folder import load_model
from core.serving.keeping import Sample
from core.serving.telemetry import Telemetry

NOW = 1_800_000_000.0
HOUR_S = 3600.0
CITIES = ("Bonn", "Kiel", "Köln", "Ulm")
SHARES = (0.4, 0.3, 0.2, 0.1)
CLASSES = Signature(
    (
        Column("amount", ColumnKind.NUMBER, nullable=True, typical=0.0),
        Column("rooms", ColumnKind.INTEGER, nullable=False, typical=2),
        Column("city", ColumnKind.STRING, nullable=False, levels=CITIES, typical="Bonn"),
    ),
    "y",
    ("no", "yes"),
    "yes",
)
"""The model says yes with the probability 1 / (1 + exp(-amount))."""
Rows = Mapping[str, Sequence[Any]]


def rows(number: int, seed: int = 0, *, shift: float = 0.0, shares: Sequence[float] = SHARES) -> dict[str, list[Any]]:
    """Rows of the table's kind; `shift` moves the amounts, of which the standard deviation is 1.5."""
    random = np.random.default_rng(seed)
    amounts = [None if missing else float(v) for v, missing in zip(
        (random.normal(0.0, 1.5, number) + shift).round(3), random.random(number) < 0.05, strict=True
    )]  # fmt: skip
    return {
        "amount": amounts,
        "rooms": random.integers(1, 6, number).tolist(),
        "city": random.choice(CITIES, number, p=shares).tolist(),
    }


def truth(amounts: Sequence[float | None], seed: int = 0) -> list[str]:
    """What really comes of these rows: the model's probabilities are right."""
    random = np.random.default_rng([seed, 1])
    chances = 1 / (1 + np.exp(-np.array([amount or 0.0 for amount in amounts])))
    return ["yes" if yes else "no" for yes in random.random(len(chances)) < chances]


class Shop:
    """The endpoint `shop` with the deployment `v1`, at a time of its own."""

    def __init__(
        self, home: Path, *, signature: Signature = CLASSES, number: int = 3_000, elsewhere: bool = False
    ) -> None:
        """`elsewhere`: the model was imported, and its table is not here."""
        self.now = NOW
        self.settings = settings(home)
        self.workspace = open_local(self.settings, clock=lambda: self.now)
        self.paths, self.store = Paths(home), Store(Paths(home).store)
        self.signature, self.elsewhere = signature, elsewhere
        self._register(home.parent / "homes.csv", number)
        self._deploy()
        self._numbers = 0

    def _register(self, path: Path, number: int) -> None:
        table = rows(number, seed=99)
        table["y"] = truth(table["amount"], seed=99)
        cells = zip(*(["" if v is None else str(v) for v in values] for values in table.values()), strict=True)
        path.write_text("\n".join(map(",".join, [list(table), *cells])), "utf-8")
        self.data = self.workspace.data.register("homes", str(path))
        self.training, self.table = table, self.paths.table("homes", self.data.content_id)

    def _deploy(self) -> None:
        job_id = new_id()
        self.folder = write_model(self.paths.new_model("homes", job_id, 1), self.signature)
        self.predictor = load_model(self.folder)
        self.said = self.predictor.probabilities([self.training[c.name] for c in self.signature.used])
        trial = self.paths.trials(job_id) / "1"
        trial.mkdir(parents=True)
        np.save(trial / "oof.npy", self.said)
        metrics = {"AUC_weighted": 0.85, "accuracy": 0.75, "log_loss": 0.5}
        learned_from = DataRef("elsewhere", 1) if self.elsewhere else self.data.ref
        model = Model("homes", 0, job_id, 1, "Linear", metrics, learned_from, self.signature, 1, NOW - 1e6)
        self.model = self.store.models.add(model)
        self.store.endpoints.add(
            EndpointSpec("shop", limits=EndpointLimits(collect_model_data=True)),
            5001,
            EndpointKeys("a", "b"),
            NOW - 1e6,
        )
        self.deploy("v1")
        self.store.endpoints.set_traffic("shop", {"v1": 100}, None, forced_by="a test", now=NOW)

    def deploy(self, name: str) -> None:
        """The same model under another name."""
        spec = DeploymentSpec("shop", self.model.name, self.model.version, name)
        gate = Job(new_id(), JobKind.GATE, JobState.QUEUED, "gate", "proof", GateSpec("shop", name), NOW)
        transactions.deploy(self.store, spec, gate, NOW - 1e6, create=None)

    def keep(
        self,
        table: Rows,
        at: float,
        *,
        a_request: int = 10,
        deployment: str = "v1",
        masked: Sequence[str] = (),
        **changes: Any,
    ) -> list[str]:
        """What the server keeps that is asked for these rows from `at` on, a request a second; the requests' ids."""
        segment = Telemetry(self.paths.model_data("shop"), log_fd=None, clock=lambda: at + self._numbers / 1000)
        names = [column.name for column in self.signature.used]
        count, ids = len(table[names[0]]), []
        for number, first in enumerate(range(0, count, a_request)):
            part = [list(table[name][first : first + a_request]) for name in names]
            said = self.predictor.probabilities(part)
            self._numbers += 1
            ids.append(f"request-{self._numbers}")
            sample = Sample(
                at=at + number,
                request_id=ids[-1],
                deployment=deployment,
                method="predict",
                columns=[name for name in names if name not in masked],
                data=[values for name, values in zip(names, part, strict=True) if name not in masked],
                reply=msgspec.Raw(b"null"),
                masked=list(masked),
                sample_pct=100.0,
                rows=len(part[0]),
                step=1,
                answers=decide(self.signature, said),
                scores=scores(self.signature, said),
                probabilities=said.tolist() if len(self.signature.classes) > 2 else [],
            )
            segment.put(msgspec.structs.replace(sample, **changes))
        segment.close()
        return ids
