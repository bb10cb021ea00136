"""How a search divides its time: what is left for trials, what one of them may take, and what the end needs."""

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.training import TrainingSpec

END_SHARE, END_MAX_S = 0.1, 3.0
"""The vote and the last writing get this share of the time, at most these seconds..."""
SLOW_END_SHARE = 0.3
"""...or what they are expected to take by those before, at most this share."""
REFIT_SHARE = 0.15
"""Refits of members that would be too large get this share of the time at most."""
GRACE_SHARE, GRACE_S, GRACE_MAX_S = 0.1, 4.5, 5.0
"""While no trial has succeeded the search may run over by this share of its time and these seconds."""
RUNNING_GRACE_S = 45.0
"""So much longer may what then runs take, while none has succeeded: on a machine that is busy with other things."""
GRACE_USED = 0.6
"""A trial that starts that late plans to end after this part of them."""
TRIAL_SHARE = 0.4
"""A trial gets this share of the whole time at most, so that one slow learner does not take it all."""
FIRST_SHARE = 0.5
"""A first trial plans to be done after this share of the time, on a busy machine too: with a model all is won."""
IN_TIME_SHARE, IN_TIME_MIN = 0.5, 0.125
"""A first trial that starts with less than this share of the time left looks at fewer rows, but at least this part."""
EARLY_SHARE = 0.95
"""A search that has used this share of its time did not end early."""
TRIAL_MIN_S = 1.0
"""A trial plans with no less."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The time of one search, in seconds."""

    spec: TrainingSpec
    clock: Callable[[], float]
    started: float
    ending_s: Callable[[], float]
    """About how long it would take to make the last ensembles and to write the model."""
    refits_s: Callable[[], float]
    """About how long the refits would take that the best so far needs."""
    any_yet: Callable[[], bool]
    """Whether a trial has succeeded."""

    @property
    def timeless(self) -> bool:
        """The plan looks at no measured time, so that the same seed tries the same again."""
        return self.spec.max_concurrent_trials == 1

    def used(self) -> float:
        """Since the start."""
        return self.clock() - self.started

    def left_at_last(self) -> float:
        """Until the model should be written."""
        return self.spec.timeout_s - self.used()

    def left(self) -> float:
        """Until trials should be over."""
        return self.left_at_last() - self._end_s() - self._refit_s()

    def left_at_most(self) -> float:
        """Until the last trial must have started: while none has succeeded, a late model is better than none."""
        if self.any_yet():
            return self.left()
        return self.left_at_last() + min(GRACE_SHARE * self.spec.timeout_s + GRACE_S, GRACE_MAX_S)

    def over(self) -> bool:
        """Trials that still run are to be stopped."""
        return self.left_at_most() + (0.0 if self.any_yet() else RUNNING_GRACE_S) <= 0

    def of_trial(self) -> float:
        """What a trial that starts now may take."""
        limits = [max(TRIAL_MIN_S, self.left(), GRACE_USED * self.left_at_most())]
        if not self.any_yet():
            limits.append(max(TRIAL_MIN_S, FIRST_SHARE * self.left()))
        elif not self.timeless:
            limits.append(max(TRIAL_MIN_S, TRIAL_SHARE * self.spec.timeout_s))
        if self.spec.trial_timeout_s:
            limits.append(self.spec.trial_timeout_s)
        return min(limits)

    def in_time(self) -> float:
        """How far the start and the reading took no longer than they should: 1, or less, where they were slow."""
        left = self.left_at_last() / (IN_TIME_SHARE * self.spec.timeout_s)
        return 1.0 if self.timeless else min(1.0, max(IN_TIME_MIN, left))

    def early(self) -> bool:
        """So much of the time is left that it is to be said why."""
        return self.used() <= EARLY_SHARE * (self.spec.timeout_s - self._end_s())

    def _end_s(self) -> float:
        usual = min(END_SHARE * self.spec.timeout_s, END_MAX_S)
        return usual if self.timeless else max(usual, min(self.ending_s(), SLOW_END_SHARE * self.spec.timeout_s))

    def _refit_s(self) -> float:
        return 0.0 if self.timeless else min(self.refits_s(), REFIT_SHARE * self.spec.timeout_s)
