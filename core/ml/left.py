"""What a trial leaves of its model: arrays, the learners' own files, and what they answer to the parity rows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from core.contract import samples
from core.domain.errors import TrainingFailed
from core.domain.signature import PARITY_LIMIT, parity_limit
from core.ml.finished import ARRAYS, MEMBER, NATIVE, PARITY
from core.ml.learners.learner import Fitted, own_steps
from core.ml.parity import parity_rows
from core.ml.task import TrialTask
from core.predict.cost import predict_ms
from core.predict.encoder import Encoder
from core.predict.folder import part_arrays, part_json
from core.predict.members import Array
from core.predict.merging import answers, merged
from core.predict.part import Part, bagged
from core.predict.steps import Step, widened

TIMED = 5
"""One row is answered so often; the shortest time counts."""


@dataclass(frozen=True, slots=True)
class FittedPart:
    """A fitted learner with the steps that widen its matrix, and how many of its rounds count (0: all)."""

    fitted: Fitted
    steps: tuple[Step, ...]
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """What is to be known of a model that was left."""

    predict_ms: float
    """As it was measured."""
    estimated_ms: float
    size_bytes: int
    fast: bool


def leave_model(staged: Path, task: TrialTask, fitted: Sequence[FittedPart]) -> Left:
    """Write the parts of a bag, each with the same share, to a staged folder. Raises TrainingFailed."""
    problem = task.problem
    encoder = Encoder(problem.codes)
    matrix = encoder(samples.batch(problem.signature, parity_rows(problem.signature, problem.seed)))
    parts = [Part(f.fitted.member(f.rounds), 1.0 / len(fitted), (*f.steps, *own_steps(f.fitted))) for f in fitted]
    own = sum(
        (part.share * f.fitted.probabilities(widened(matrix, f.steps), f.rounds))
        for part, f in zip(parts, fitted, strict=True)
    )
    apart, limit = float(np.abs(own - bagged(parts, matrix)).max()), parity_limit(float(np.abs(own).max(initial=0.0)))
    if not apart <= limit:  # nor where an answer is no number
        raise TrainingFailed(
            f"The arrays of {task.algorithm} give answers {apart:.2g} from its own, more than {PARITY_LIMIT}"
        )
    np.save(staged / PARITY, own)
    arrays = {name: a for at, part in enumerate(parts) for name, a in part_arrays(part, f"f{at}_").items()}
    np.savez_compressed(staged / ARRAYS, **arrays)  # type: ignore[arg-type]  # numpy types the flag only
    described = {"parts": [part_json(p, f"f{at}_") for at, p in enumerate(parts)], "encoder": encoder.to_json()}
    (staged / MEMBER).write_bytes(msgspec.json.encode(described))
    for at, f in enumerate(fitted):
        ending, content = f.fitted.native(f.rounds)
        if ending:
            (staged / NATIVE).mkdir(exist_ok=True)
            (staged / NATIVE / f"{task.number}-{at}-{ending}").write_bytes(content)
    size = sum(file.stat().st_size for file in staged.rglob("*") if file.is_file())
    fast = all(getattr(part.member, "fast", True) for part in parts)
    return Left(_measured_ms(parts, matrix[:1]), predict_ms(parts), size, fast)


def _measured_ms(parts: Sequence[Part], row: Array) -> float:
    took, bag = [], merged(parts, row.shape[1])
    for _ in range(TIMED):
        began = time.perf_counter()
        answers(parts, bag, row)
        took.append(time.perf_counter() - began)
    return 1000 * min(took)
