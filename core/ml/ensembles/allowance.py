"""What a model may take when it is served: its size, and its time for one row."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.training import Trial
from core.ml.finished import FinishedTrial
from core.predict.cost import MODEL_US

SIZE_MAX_BYTES = 8_000_000
"""Of all members together; with the code beside it a model then has less than 10 MB."""
PREDICT_MAX_MS = 1.0
"""Of all members together, as `core.predict.cost` estimates it."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits of a whole model."""

    predict_ms: float = 0.0
    """What was asked for, of the time that was measured; 0: the estimate alone counts, the same on every machine."""
    size_bytes: int = SIZE_MAX_BYTES

    def admits(self, members: Sequence[FinishedTrial], refitted: Sequence[int] = ()) -> bool:
        """Whether these fit together, of which the refitted ones have one model in the place of their folds'."""
        shares = [1 / max(1, f.trial.folds) if f.trial.number in refitted else 1.0 for f in members]
        size = sum(share * f.trial.size_bytes for share, f in zip(shares, members, strict=True))
        took = sum(share * self._ms(f) for share, f in zip(shares, members, strict=True))
        return size <= self.size_bytes and (0.0 if self.predict_ms else MODEL_US / 1000) + took <= self._limit_ms

    def refits(self, members: Sequence[FinishedTrial]) -> tuple[int, ...] | None:
        """The members to refit on all rows, the dearest first, so that all fit; None where even that is too much."""
        chosen: list[int] = []
        for finished in sorted(members, key=lambda f: (-self.share(f), f.trial.number)):
            if self.admits(members, chosen):
                break
            if finished.trial.folds > 1:
                chosen.append(finished.trial.number)
        return tuple(sorted(chosen)) if self.admits(members, chosen) else None

    def notes(self, members: Sequence[FinishedTrial], refitted: Sequence[int]) -> tuple[str, ...]:
        """What is to be known of a model that takes more than it may; for a person."""
        if self.admits(members, refitted):
            return ()
        return (
            f"The model takes more than {self.size_bytes / 1e6:.3g} MB or {self._limit_ms:.3g} ms for one row, "
            "since no smaller one was ready in time",
        )

    def share(self, finished: FinishedTrial) -> float:
        """How much of the allowance a member takes, by what it takes most of."""
        return max(finished.trial.size_bytes / self.size_bytes, self._ms(finished) / self._limit_ms)

    @property
    def _limit_ms(self) -> float:
        return self.predict_ms or PREDICT_MAX_MS

    def _ms(self, finished: FinishedTrial) -> float:
        return finished.trial.predict_ms if self.predict_ms else finished.estimated_ms


def refit_s(trial: Trial) -> float:
    """About how long one model of all rows takes: a fold has all but its own."""
    return trial.duration_s / max(1, trial.folds - 1)
