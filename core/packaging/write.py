"""One finished search -> one complete model folder, or none."""

import json
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.contract import samples
from core.contract.signature import to_json
from core.domain.data import DataAsset
from core.domain.errors import TrainingFailed
from core.domain.signature import PARITY_LIMIT, parity_limit
from core.domain.training import Algorithm, TrainingSpec
from core.ml.drift.reference import FILE as REFERENCE
from core.ml.drift.table import reference_of
from core.ml.finished import (
    ARRAYS,
    MEMBER,
    NATIVE,
    PARITY,
    FinishedTrial,
    commit,
    read_trial,
    refit_folder,
    stage,
)
from core.ml.learners.registry import LEARNERS
from core.ml.parity import parity_rows
from core.ml.result import SearchResult
from core.packaging import mlflow, model_card
from core.predict.combination import Combination, Vote
from core.predict.encoder import Encoder
from core.predict.folder import (
    FORMAT,
    combination_json,
    load_model,
    part_arrays,
    part_json,
    read_combination,
    read_part,
)
from core.predict.members import Array
from core.predict.part import Part

CARD_FORMAT = 1
DISTRIBUTIONS = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu"}
"""Libraries whose package has another name."""


@dataclass(frozen=True, slots=True)
class _Bag:
    """One trial with its weight and the parts of its model."""

    trial: FinishedTrial
    weight: float
    folder: Path
    """Where its model lies: of the folds, or of all rows."""
    parts: tuple[Part, ...]
    encoder: Encoder

    def prefix(self, at: int) -> str:
        """Of the arrays of the part at that place."""
        return f"t{self.trial.trial.number}_{at}_"

    def parity(self) -> Array:
        """The library's own answers to the parity rows."""
        return np.asarray(np.load(self.folder / PARITY, allow_pickle=False))


def write_model(
    folder: Path, result: SearchResult, *, spec: TrainingSpec, data: DataAsset, job_id: str, created_at: float
) -> None:
    """Write the model that a search found to `folder`, which is complete as soon as it is there.

    What was there before is replaced. `created_at` is in seconds since the epoch.
    Raises TrainingFailed when the folder, read back, does not answer as the learners did.
    """
    bags = [_bag(result, number, weight) for number, weight in result.members]
    combination = _combination(result)
    card = _card(result, bags, combination, spec, data, job_id, created_at)
    staged = stage(folder)
    _write_json(staged / "signature.json", to_json(result.signature))
    _write_json(staged / "model.json", _model(bags, combination, card))
    arrays = {
        name: array
        for bag in bags
        for at, part in enumerate(bag.parts)
        for name, array in part_arrays(part, bag.prefix(at)).items()
    }
    np.savez_compressed(staged / "arrays.npz", **arrays)  # type: ignore[arg-type]  # numpy types the flag only
    for bag in bags:
        if (bag.folder / NATIVE).exists():
            shutil.copytree(bag.folder / NATIVE, staged / NATIVE, dirs_exist_ok=True)
    _write_json(staged / "card.json", card)
    (staged / model_card.FILE).write_text(model_card.markdown(card, result.signature), "utf-8")
    _write_parity(staged, result, bags, combination, spec.seed)
    _write_reference(staged, result, data.rows)
    mlflow.write_flavor(staged, result.signature, job_id=job_id, created_at=created_at)
    commit(staged, folder)


def _bag(result: SearchResult, number: int, weight: float) -> _Bag:
    trial = result.folder / str(number)
    folder = refit_folder(trial) if number in result.refitted else trial
    described = json.loads((folder / MEMBER).read_bytes())
    with np.load(folder / ARRAYS, allow_pickle=False) as kept:
        arrays = dict(kept)
    parts = tuple(read_part(part, arrays) for part in described["parts"])
    return _Bag(read_trial(trial), weight, folder, parts, Encoder.from_json(described["encoder"]))


def _combination(result: SearchResult) -> Combination:
    if result.combination:
        return read_combination(result.combination)
    return Vote(tuple(weight for _, weight in result.members))


def _model(bags: Sequence[_Bag], combination: Combination, card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "encoder": bags[0].encoder.to_json(),
        "members": [
            part_json(part, bag.prefix(at), place)
            for place, bag in enumerate(bags)
            for at, part in enumerate(bag.parts)
        ],
        "combination": combination_json(combination),
        "info": {name: card[name] for name in ("name", "algorithm", "trial", "job_id", "created_at", "data")},
    }


def _write_parity(
    staged: Path, result: SearchResult, bags: Sequence[_Bag], combination: Combination, seed: int
) -> None:
    """Keep the request and the learners' own answers; the folder itself must give the same."""
    rows = parity_rows(result.signature, seed)
    own = combination.combined([bag.parity() for bag in bags])
    served = load_model(staged).probabilities(samples.batch(result.signature, rows))
    apart = float(np.abs(served - own).max())
    if not apart <= parity_limit(float(np.abs(own).max(initial=0.0))):  # nor where an answer is no number
        shutil.rmtree(staged)
        raise TrainingFailed(
            f"The packaged model answers up to {apart:.2g} apart from the trained one, at most {PARITY_LIMIT} is right",
            hint="This is a bug of the packaging; the trials are intact, so the job can be continued once it is mended",
        )
    body = np.frombuffer(samples.body(rows), dtype=np.uint8)
    np.savez_compressed(staged / "parity.npz", body=body, probabilities=own)


def _write_reference(staged: Path, result: SearchResult, rows: int) -> None:
    """Keep what the training data was like, in counts, which recent rows are compared with."""
    if result.table:
        said = read_trial(result.folder / str(result.best.number)).oof()
        reference = reference_of(Path(result.table), rows, load_model(staged), said)
        (staged / REFERENCE).write_bytes(msgspec.json.encode(reference.to_json()))


def _card(
    result: SearchResult,
    bags: Sequence[_Bag],
    combination: Combination,
    spec: TrainingSpec,
    data: DataAsset,
    job_id: str,
    created_at: float,
) -> dict[str, Any]:
    """What a person must know of the model, and where it comes from."""
    signature = result.signature
    unused = [c.name for c in signature.columns if not c.used]
    return {
        "format": CARD_FORMAT,
        "name": spec.model_name or data.name,
        "algorithm": result.best.algorithm,
        "trial": result.best.number,
        "members": [_member(bag) for bag in bags],
        "combination": combination_json(combination),
        "primary_metric": spec.primary_metric,
        "metrics": dict(result.best.metrics),
        "fold_scores": list(result.best.fold_scores),
        "target": spec.target,
        "classes": list(signature.classes),
        "threshold": signature.threshold,
        "class_weights": spec.class_weights if isinstance(spec.class_weights, str) else dict(spec.class_weights),
        "data": {name: getattr(data, name) for name in ("name", "version", "sha256", "source", "rows")},
        "excluded": [name for name in unused if name in spec.exclude],
        "dropped": [name for name in unused if name not in spec.exclude],
        "guardrails": msgspec.to_builtins(result.guardrails),
        "notes": list(result.notes),
        "seed": spec.seed,
        "timeout_s": spec.timeout_s,
        "experiment_name": spec.experiment_name,
        "job_id": job_id,
        "created_at": created_at,
        "environment": _environment(bags),
    }


def _member(bag: _Bag) -> dict[str, Any]:
    trial = bag.trial.trial
    return {
        "trial": trial.number,
        "algorithm": trial.algorithm,
        "weight": bag.weight,
        "params": dict(trial.params),
        "refitted": bag.folder != bag.trial.folder,
    }


def _environment(bags: Sequence[_Bag]) -> dict[str, Any]:
    """What the model was made with; to answer it needs the first two alone."""
    used = {LEARNERS[Algorithm(bag.trial.trial.algorithm)].library.split(".")[0] for bag in bags}
    names = (*mlflow.PACKAGES, *sorted(DISTRIBUTIONS.get(name, name) for name in used))
    return {"python": platform.python_version(), "packages": {name: version(name) for name in names}}


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(values), indent=1))
