"""When an alert fires and when it clears: a pure rule over what was seen, one look after another."""

import math
from dataclasses import replace

from core.domain.alerts import AlertMetric, AlertRule, AlertState
from core.local.alert_words import sentence
from core.local.store.alerts import Standing

LOOK_S = 10.0
"""So often a rule is looked at, about."""
DRIFT_S = 60.0
"""Drift reads a day's rows, which change slowly."""
LOST_LOOKS = 12
"""After as many looks that did not happen nobody knows what was meanwhile: what lasted before begins anew."""


def every_s(rule: AlertRule, look_s: float = LOOK_S) -> float:
    """How often a rule is looked at."""
    return max(look_s, DRIFT_S) if rule.metric is AlertMetric.DRIFT else look_s


def judge(
    rule: AlertRule, before: Standing, value: float | None, now: float, why: str = ""
) -> tuple[Standing, AlertState | None]:
    """What a rule stands at after a look at `now`, and whether it has fired or cleared by it.

    It fires when the value has been beyond the limit for `for_s`, and clears when it has been good for as long: between
    the limit and where it clears nothing changes. A value that is not known (None, with the reason `why`) never fires
    and never clears. For one that fires no second time comes before it has cleared.
    """
    firing = before.state is AlertState.FIRING
    if value is None or not math.isfinite(value):
        return _seen(rule, before, AlertState.FIRING if firing else AlertState.UNKNOWN, None, None, now, why), None
    turned = rule.is_good(value) if firing else rule.is_bad(value)
    if not turned:
        return _seen(rule, before, AlertState.FIRING if firing else AlertState.OK, None, value, now), None
    turning_at = before.turning_at if before.turning_at is not None and _went_on(rule, before, now) else now
    if now - turning_at >= rule.for_s:
        flipped = AlertState.OK if firing else AlertState.FIRING
        return _seen(rule, before, flipped, None, value, now), flipped
    return _seen(rule, before, AlertState.FIRING if firing else AlertState.PENDING, turning_at, value, now), None


def _went_on(rule: AlertRule, before: Standing, now: float) -> bool:
    """Whether the rule has been looked at since the last look, and the clock was not set back."""
    assert before.turning_at is not None
    looked_at = before.looked_at if before.looked_at is not None else -math.inf
    return before.turning_at <= now and 0 <= now - looked_at <= LOST_LOOKS * every_s(rule)


def _seen(
    rule: AlertRule,
    before: Standing,
    state: AlertState,
    turning_at: float | None,
    value: float | None,
    now: float,
    why: str = "",
) -> Standing:
    since = before.since if state is before.state else now
    text = sentence(rule, state, value, why)
    return replace(before, state=state, since=since, turning_at=turning_at, looked_at=now, value=value, text=text)
