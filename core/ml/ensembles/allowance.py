"""What a model may take when it is served: its size, and where that was asked for its time for one row."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.training import Trial

SIZE_MAX_BYTES = 8_000_000
"""Of all members together; with the code beside it a model then has less than 10 MB. One row takes about 1 ms."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits of a whole model."""

    predict_ms: float = 0.0
    """0: the size alone decides, which is the same on every machine."""
    size_bytes: int = SIZE_MAX_BYTES

    def admits(self, members: Sequence[Trial], refitted: Sequence[int] = ()) -> bool:
        """Whether these fit together, of which the refitted ones have one model in the place of their folds'."""
        shares = [1 / max(1, t.folds) if t.number in refitted else 1.0 for t in members]
        size = sum(share * t.size_bytes for share, t in zip(shares, members, strict=True))
        took = sum(share * t.predict_ms for share, t in zip(shares, members, strict=True))
        return size <= self.size_bytes and (not self.predict_ms or took <= self.predict_ms)

    def refits(self, members: Sequence[Trial]) -> tuple[int, ...] | None:
        """The members to refit on all rows, the largest first, so that all fit; None where even that is too much."""
        chosen: list[int] = []
        for trial in sorted(members, key=lambda t: (-t.size_bytes, t.number)):
            if self.admits(members, chosen):
                break
            if trial.folds > 1:
                chosen.append(trial.number)
        return tuple(sorted(chosen)) if self.admits(members, chosen) else None


def refit_s(trial: Trial) -> float:
    """About how long one model of all rows takes: a fold has all but its own."""
    return trial.duration_s / max(1, trial.folds - 1)
