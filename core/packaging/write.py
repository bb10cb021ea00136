"""One finished search -> one complete model folder, or none."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.contract import samples
from core.contract.signature import to_json
from core.domain.data import DataAsset
from core.domain.errors import TrainingFailed
from core.domain.signature import PARITY_LIMIT
from core.domain.training import TrainingSpec
from core.ml.finished import ARRAYS, MEMBER, NATIVE, PARITY, FinishedTrial, commit, read_trial, stage
from core.ml.parity import parity_rows
from core.ml.search import SearchResult
from core.packaging import mlflow
from core.predict.encoder import Encoder
from core.predict.folder import FORMAT, load_model, member_arrays, member_json, read_member
from core.predict.members import Array, Member

CARD_FORMAT = 1


@dataclass(frozen=True, slots=True)
class _Part:
    """One member with its weight and the trial it comes from."""

    trial: FinishedTrial
    weight: float
    member: Member
    encoder: Encoder

    @property
    def prefix(self) -> str:
        return f"t{self.trial.trial.number}_"

    def parity(self) -> Array:
        """The library's own probabilities on the parity rows."""
        return np.asarray(np.load(self.trial.folder / PARITY, allow_pickle=False))


def write_model(
    folder: Path, result: SearchResult, *, spec: TrainingSpec, data: DataAsset, job_id: str, created_at: float
) -> None:
    """Write the model that a search found to `folder`, which is complete as soon as it is there.

    What was there before is replaced. `created_at` is in seconds since the epoch.
    Raises TrainingFailed when the folder, read back, does not answer as the learners did.
    """
    parts = [_part(result.folder / str(number), weight) for number, weight in result.members]
    card = _card(result, parts, spec, data, job_id, created_at)
    staged = stage(folder)
    _write_json(staged / "signature.json", to_json(result.signature))
    _write_json(staged / "model.json", _model(parts, card))
    arrays = {name: a for part in parts for name, a in member_arrays(part.member, part.prefix).items()}
    np.savez_compressed(staged / "arrays.npz", **arrays)  # type: ignore[arg-type]  # numpy types the flag only
    for part in parts:
        if (part.trial.folder / NATIVE).exists():
            shutil.copytree(part.trial.folder / NATIVE, staged / NATIVE, dirs_exist_ok=True)
    _write_json(staged / "card.json", card)
    _write_parity(staged, result, parts, spec.seed)
    mlflow.write_flavor(staged, result.signature, job_id=job_id, created_at=created_at)
    commit(staged, folder)


def _part(folder: Path, weight: float) -> _Part:
    described = json.loads((folder / MEMBER).read_bytes())
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        member = read_member(described["member"], dict(arrays))
    return _Part(read_trial(folder), weight, member, Encoder.from_json(described["encoder"]))


def _model(parts: Sequence[_Part], card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "encoder": parts[0].encoder.to_json(),
        "members": [member_json(part.member, part.prefix, part.weight) for part in parts],
        "info": {name: card[name] for name in ("name", "algorithm", "trial", "job_id", "created_at", "data")},
    }


def _write_parity(staged: Path, result: SearchResult, parts: Sequence[_Part], seed: int) -> None:
    """Keep the request and the learners' own answers; the folder itself must give the same."""
    rows = parity_rows(result.signature, seed)
    own = np.sum([part.weight * part.parity() for part in parts], axis=0)
    served = load_model(staged).probabilities(samples.batch(result.signature, rows))
    if (apart := float(np.abs(served - own).max())) > PARITY_LIMIT:
        shutil.rmtree(staged)
        raise TrainingFailed(
            f"The packaged model answers up to {apart:.2g} apart from the trained one, at most {PARITY_LIMIT} is right",
            hint="This is a bug of the packaging; the trials are intact, so the job can be continued once it is mended",
        )
    body = np.frombuffer(samples.body(rows), dtype=np.uint8)
    np.savez_compressed(staged / "parity.npz", body=body, probabilities=own)


def _card(
    result: SearchResult, parts: Sequence[_Part], spec: TrainingSpec, data: DataAsset, job_id: str, created_at: float
) -> dict[str, Any]:
    """What a person must know of the model, and where it comes from."""
    signature = result.signature
    unused = [c.name for c in signature.columns if not c.used]
    return {
        "format": CARD_FORMAT,
        "name": spec.model_name or data.name,
        "algorithm": result.best.algorithm,
        "trial": result.best.number,
        "members": [_member(part) for part in parts],
        "primary_metric": spec.primary_metric,
        "metrics": dict(result.best.metrics),
        "target": spec.target,
        "classes": list(signature.classes),
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
    }


def _member(part: _Part) -> dict[str, Any]:
    trial = part.trial.trial
    return {
        "trial": trial.number,
        "algorithm": trial.algorithm,
        "weight": part.weight,
        "params": dict(trial.params),
    }


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(values), indent=1))
