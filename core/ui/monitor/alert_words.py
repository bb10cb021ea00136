"""Alerts in words."""

from collections.abc import Mapping
from typing import NamedTuple

from core.domain.alerts import AlertMetric, AlertRule
from core.ui.kit import words
from core.ui.shell.markup import code, literal


class MetricWords(NamedTuple):
    """What a metric is called, its unit, and a limit to begin with."""

    label: str
    unit: str
    first: float


METRICS: Mapping[AlertMetric, MetricWords] = {
    AlertMetric.ERROR_RATE: MetricWords("Failed requests", "%", 1.0),
    AlertMetric.REFUSED_RATE: MetricWords("Rejected requests", "%", 10.0),
    AlertMetric.P99: MetricWords("Server latency p99", "ms", 50.0),
    AlertMetric.AVAILABILITY: MetricWords("Availability", "%", 99.0),
    AlertMetric.DRIFT: MetricWords("Drifted columns", "columns", 0.0),
    AlertMetric.NO_TRAFFIC: MetricWords("Time since the last request", "s", 3_600.0),
}


def measured(metric: AlertMetric, value: float | None) -> str:
    """A value with its unit: `3.9 ms`."""
    return "not known" if value is None else f"{value:,.4g} {METRICS[metric].unit}"


def condition(rule: AlertRule) -> str:
    """When it fires and when it clears, in a sentence (Markdown)."""
    side = "below" if rule.metric.fires_below else "above"
    of = f" of {literal(rule.deployment)}" if rule.deployment else ""
    window = "" if rule.metric is AlertMetric.NO_TRAFFIC else f" over {words.lasting(rule.window_s)}"
    held = f" for {words.lasting(rule.for_s)}" if rule.for_s else ""
    return (
        f"Fires when {METRICS[rule.metric].label.lower()}{of}{window} {'are' if _many(rule) else 'is'} {side} "
        f"{measured(rule.metric, rule.limit)}{held}, clears at {measured(rule.metric, rule.clears_at)}"
    )


def _many(rule: AlertRule) -> bool:
    return METRICS[rule.metric].label.endswith("s")


def reactions(rule: AlertRule) -> str:
    """Whom it tells and what it starts."""
    told = []
    if rule.webhook:
        told.append(f"posts to {literal(rule.webhook)}")
    if rule.command:
        told.append(f"runs {code(rule.command)}")
    if rule.pipeline:
        told.append(f"starts the pipeline {literal(rule.pipeline)}")
    return f"When it fires it {', '.join(told)}." if told else ""
