"""What an alert says, in a sentence."""

from core.domain.alerts import AlertMetric, AlertRule, AlertState

UNITS = ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute"))


def sentence(rule: AlertRule, state: AlertState, value: float | None, why: str = "") -> str:
    """What was seen, and what it means for the rule; `why` says why nothing could be seen."""
    if value is None:
        unknown = f"{_subject(rule)} is not known: {why or 'nothing was looked at yet'}"
        return f"{unknown}. The alert goes on until it is." if state is AlertState.FIRING else f"{unknown}."
    seen = f"{_subject(rule)} {_verb(rule)} {amount(rule, value)}{_over(rule)}"
    side = "below" if rule.metric.fires_below else "above"
    limit = f"the limit of {amount(rule, rule.limit)}"
    if rule.is_bad(value):
        wait = f"; the alert fires when that lasts for {duration(rule.for_s)}" if state is AlertState.PENDING else ""
        return f"{seen}, {side} {limit}{wait}."
    if state is AlertState.FIRING and not rule.is_good(value):
        return f"{seen}; the alert clears at {amount(rule, rule.clears_at)}."
    if state is AlertState.FIRING:
        return f"{seen}; the alert clears when that lasts for {duration(rule.for_s)}."
    return f"{seen}, within {limit}."


def amount(rule: AlertRule, value: float) -> str:
    """A value of the rule's metric with its unit."""
    match rule.metric:
        case AlertMetric.P99:
            return f"{value:,.4g} ms" if value < 1000 else f"{value:,.0f} ms"
        case AlertMetric.DRIFT:
            return f"{value:g} column{'' if value == 1 else 's'}"
        case AlertMetric.NO_TRAFFIC:
            return duration(value)
        case _:
            return f"{value:.4g} %"


def duration(seconds: float) -> str:
    """About so long: `5 minutes`, `1.5 hours`, `30 s`."""
    for unit_s, unit in UNITS:
        if seconds >= unit_s:
            count = f"{seconds / unit_s:.3g}"
            return f"{count} {unit}{'' if count == '1' else 's'}"
    return f"{seconds:.3g} s"


def _last(seconds: float) -> str:
    return duration(seconds).removeprefix("1 ")


def _subject(rule: AlertRule) -> str:
    where = f"deployment '{rule.deployment}' of '{rule.endpoint}'" if rule.deployment else f"'{rule.endpoint}'"
    what = {
        AlertMetric.ERROR_RATE: "The share of failed requests to",
        AlertMetric.REFUSED_RATE: "The share of rejected requests to",
        AlertMetric.P99: "The 99th percentile of the response time of",
        AlertMetric.AVAILABILITY: "The availability of",
        AlertMetric.DRIFT: "The drift of",
        AlertMetric.NO_TRAFFIC: "The time since the last request to",
    }[rule.metric]
    return f"{what} {where}"


def _verb(rule: AlertRule) -> str:
    return "is in" if rule.metric is AlertMetric.DRIFT else "is"


def _over(rule: AlertRule) -> str:
    return "" if rule.metric is AlertMetric.NO_TRAFFIC else f" over the last {_last(rule.window_s)}"
