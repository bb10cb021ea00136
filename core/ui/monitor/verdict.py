"""The verdict: whether all is well, or what is not and where to see it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from core.domain.drift import LARGE_PSI, DriftVerdict
from core.domain.metrics import metric_named
from core.domain.monitoring import TelemetrySummary, is_server_error
from core.domain.outcomes import Measured
from core.ui.kit import endpoints, percentiles, words
from core.ui.monitor.asked import lately
from core.ui.monitor.seen import Seen
from core.ui.shell.markup import literal

FAILED_BAD, REJECTED_MANY, REACHED_LEAST = 0.01, 0.1, 0.999
"""Shares: of requests that failed, of requests that were rejected, and of the time in which it could be reached."""
NAMED_MAX = 3
LEADING = "AUC_weighted"
"""One metric decides: of many, some are worse by chance."""


class Level(IntEnum):
    """How things stand, the worst last."""

    WELL = 0
    UNKNOWN = 1
    WATCH = 2
    BAD = 3


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that is not well, in a sentence (Markdown), and the tab of Monitor that shows it; empty: Deploy."""

    level: Level
    text: str
    tab: str


def failing(summary: TelemetrySummary) -> tuple[int, int]:
    """How many requests were rejected (4xx) and how many failed (5xx, and 424 where the model itself failed)."""
    failed = sum(n for status, n in summary.by_status.items() if is_server_error(status))
    return sum(n for status, n in summary.by_status.items() if status >= 400) - failed, failed


def concerns(seen: Seen) -> tuple[Concern, ...]:
    """All that is not well, the worst first."""
    found = (*_standing(seen), *_alerts(seen), *_requests(seen), *_reached(seen), *_data(seen), *_outcomes(seen))
    return tuple(sorted(found, key=lambda concern: -concern.level))


def level(seen: Seen, found: tuple[Concern, ...]) -> Level:
    """The worst of it; without requests nobody can say that all is well."""
    if found:
        return found[0].level
    return Level.WELL if seen.summary.requests else Level.UNKNOWN


def sentence(seen: Seen, found: tuple[Concern, ...]) -> str:
    """The verdict in one sentence (Markdown)."""
    how = level(seen, found)
    if how is Level.UNKNOWN:
        return f"**Nothing to judge yet:** no request in {lately(seen.window_s)}."
    if how is Level.WELL:
        return f"**All is well:** {'; '.join(_well(seen))}."
    head = "Something is wrong" if how is Level.BAD else "Needs attention"
    more = f" See {words.plural(len(found) - 1, 'more thing')} below." if len(found) > 1 else ""
    return f"**{head}:** {found[0].text}.{more}"


def _well(seen: Seen) -> Iterator[str]:
    summary = seen.summary
    rejected, failed = failing(summary)
    yield f"{words.plural(summary.requests, 'request')} in {lately(seen.window_s)}"
    yield "none failed" if not failed else f"{words.count(failed)} failed ({words.percent(failed / summary.requests)})"
    if rejected:
        yield f"{words.percent(rejected / summary.requests)} rejected"
    if summary.requests >= percentiles.P99_MIN:
        yield f"99 of 100 were answered within {words.milliseconds(summary.p99_ms)}"
    if seen.drift is not None and seen.drift.enough:
        drifted = seen.drift.drifted()
        yield (
            f"{words.plural(len(drifted), 'column')} drifted, none that matters" if drifted else "inputs as in training"
        )


def _standing(seen: Seen) -> Iterator[Concern]:
    endpoint = seen.endpoint
    if endpoints.trusted(endpoint):
        return
    unproven = bool(endpoint.live) and not endpoint.error and endpoint.state not in endpoints.RESTING
    text = endpoints.verdict(endpoint, seen.served, seen.now).replace("**", "").rstrip(".")
    yield Concern(Level.WATCH if unproven else Level.BAD, text[:1].lower() + text[1:], "")


def _alerts(seen: Seen) -> Iterator[Concern]:
    for alert in seen.firing:
        said = literal((alert.text or alert.rule.name).rstrip("."))
        yield Concern(Level.BAD, f"alert **{literal(alert.rule.name)}** fires: {said}", "Alerts")


def _requests(seen: Seen) -> Iterator[Concern]:
    summary = seen.summary
    if not summary.requests:
        return
    rejected, failed = failing(summary)
    if failed >= FAILED_BAD * summary.requests:
        yield Concern(
            Level.BAD, f"{words.percent(failed / summary.requests)} of requests failed{_mostly(summary)}", "Failures"
        )
    if rejected >= REJECTED_MANY * summary.requests:
        yield Concern(
            Level.WATCH, f"{words.percent(rejected / summary.requests)} of requests were rejected", "Failures"
        )


def _mostly(summary: TelemetrySummary) -> str:
    """The deployment that has most of the failures, where several answer."""
    if len(summary.by_deployment) < 2:
        return ""
    name, worst = max(summary.by_deployment.items(), key=lambda item: item[1].server_errors)
    return f", {words.count(worst.server_errors)} of them on {literal(name)}" if worst.server_errors else ""


def _reached(seen: Seen) -> Iterator[Concern]:
    share = seen.availability.share if seen.availability else None
    if share is not None and share < REACHED_LEAST:
        text = f"it could be reached {words.percent(share)} of the time"
        yield Concern(Level.BAD if share < 1 - FAILED_BAD else Level.WATCH, text, "Traffic")


def _data(seen: Seen) -> Iterator[Concern]:
    if seen.drift is None:
        return
    drifted = seen.drift.drifted()
    matter = [c.column for c in drifted if c.verdict is DriftVerdict.MATTERS]
    large = [c.column for c in drifted if c.importance is None and (c.psi or 0.0) >= LARGE_PSI]
    if matter:
        yield Concern(Level.WATCH, f"inputs have drifted where the model leans on them: {_named(matter)}", "Drift")
    elif large:
        yield Concern(Level.WATCH, f"inputs have drifted a lot: {_named(large)}", "Drift")
    score = seen.drift.score
    if score is not None and score.verdict in (DriftVerdict.DRIFTED, DriftVerdict.MATTERS):
        yield Concern(Level.WATCH, "the scores are spread differently than in training", "Drift")


def _named(columns: list[str]) -> str:
    more = f" and {len(columns) - NAMED_MAX} more" if len(columns) > NAMED_MAX else ""
    return ", ".join(literal(name) for name in columns[:NAMED_MAX]) + more


def _outcomes(seen: Seen) -> Iterator[Concern]:
    if seen.quality is None:
        return
    name = next((name for name in (LEADING, *seen.quality.metrics) if name in seen.quality.metrics), "")
    trained = seen.quality.trained.get(name)
    if trained is not None and worse(name, seen.quality.metrics[name], trained):
        live = words.score(seen.quality.metrics[name].value)
        text = f"live {words.metric(name)} is {live}, training's was {words.score(trained)}"
        yield Concern(Level.WATCH, text, "Outcomes")


def worse(name: str, live: Measured, trained: float) -> bool:
    """Whether a live figure is worse than training's, beyond what chance explains."""
    return live.high < trained if metric_named(name).higher_is_better else live.low > trained
