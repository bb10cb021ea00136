"""A model folder, as packaging writes it, for any signature: of a model with weights by chance instead of a search."""

from pathlib import Path

import msgspec
import numpy as np

from core.contract import samples
from core.domain.data import ColumnKind, DataAsset, DataRef, DataSource
from core.domain.signature import Signature
from core.domain.training import Algorithm, TrainingSpec, Trial, TrialState
from core.ml.finished import ARRAYS, MEMBER, PARITY, FinishedTrial, record
from core.ml.parity import parity_rows
from core.ml.search import SearchResult
from core.packaging.write import write_model
from core.predict.encoder import FLOAT32_MAX, ColumnCode, Encoder
from core.predict.folder import part_arrays, part_json
from core.predict.members import Linear
from core.predict.part import Part

CREATED_AT = 1_700_000_000.0
DATA = DataAsset("by-chance", 1, DataSource.FILE, "nowhere.csv", 1, (), "ab" * 32, 1, CREATED_AT)


def packaged(folder: Path, signature: Signature, seed: int = 7) -> Path:
    """The folder of a linear model over these columns; every column matters to its answers."""
    spec = TrainingSpec(DataRef(DATA.name), signature.target, seed=seed)
    member, encoder = _linear(signature, seed), _encoder(signature)
    trial = Trial(0, Algorithm.LOGISTIC_REGRESSION, TrialState.SUCCEEDED, metrics={"AUC_weighted": 0.5})
    left = folder / "trials" / "0"
    left.mkdir(parents=True)
    own = member.probabilities(encoder(samples.batch(signature, parity_rows(signature, seed))))
    np.save(left / PARITY, own)
    np.savez_compressed(left / ARRAYS, **part_arrays(Part(member), "f0_"))  # type: ignore[arg-type]  # numpy types the flag only
    described = {"parts": [part_json(Part(member), "f0_")], "encoder": encoder.to_json()}
    (left / MEMBER).write_bytes(msgspec.json.encode(described))
    record(left, FinishedTrial(trial, left))
    result = SearchResult(trial, ((0, 1.0),), signature, (), (), folder / "trials")
    write_model(folder / "model", result, spec=spec, data=DATA, job_id="by-chance", created_at=CREATED_AT)
    return folder / "model"


def _encoder(signature: Signature) -> Encoder:
    return Encoder([ColumnCode(column.name, column.kind, column.levels) for column in signature.used])


def _linear(signature: Signature, seed: int) -> Linear:
    rng, used = np.random.default_rng(seed), signature.used
    outputs = 1 if len(signature.classes) == 2 else len(signature.classes)
    text = [at for at, column in enumerate(used) if column.kind is ColumnKind.STRING]
    numeric = [at for at in range(len(used)) if at not in set(text)]
    sizes = [len(used[at].levels) for at in text]
    reach = 2.0 / np.sqrt(len(used))
    return Linear(
        numeric=np.array(numeric, np.int32),
        center=np.array([_middle(used[at].low, used[at].high) for at in numeric]),
        scale=np.array([_spread(used[at].low, used[at].high) for at in numeric]),
        coef=rng.normal(0, reach, (len(numeric), outputs)),
        absent=rng.normal(0, reach, (len(numeric), outputs)),
        text=np.array(text, np.int32),
        start=np.array(np.cumsum([0, *(size + 1 for size in sizes[:-1])])[: len(text)], np.int32),
        size=np.array(sizes, np.int32),
        table=rng.normal(0, reach, (sum(sizes) + len(sizes), outputs)),
        intercept=rng.normal(0, 0.1, outputs),
        link="sigmoid" if outputs == 1 else "softmax",
    )


def _middle(low: float | None, high: float | None) -> float:
    return 0.0 if low is None or high is None else low / 2 + high / 2


def _spread(low: float | None, high: float | None) -> float:
    return max(1e-9, min(FLOAT32_MAX, (high or 0.0) / 2 - (low or 0.0) / 2)) if low != high else 1.0
