"""The first glance: the verdict, and four tiles as Application Insights has them, each with its course."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import streamlit as st

from core.domain.monitoring import TelemetrySummary
from core.ui.kit import charts, endpoints, notices, percentiles, words
from core.ui.kit.charts import BAD, GOOD, SERIES
from core.ui.monitor import over_time
from core.ui.monitor.asked import lately, whose
from core.ui.monitor.delays import said_late
from core.ui.monitor.seen import Seen
from core.ui.monitor.verdict import Concern, Level, concerns, failing, level, sentence
from core.ui.shell import navigation

ICONS = {
    Level.WELL: (st.success, ":material/check_circle:"),
    Level.UNKNOWN: (st.info, ":material/help:"),
    Level.WATCH: (st.warning, ":material/warning:"),
    Level.BAD: (st.error, ":material/error:"),
}
SERVER = "Time in the server, from a request's arrival to its answer, without the network"


class Tile(NamedTuple):
    """One of the four: a figure, what it stands on, and its course."""

    title: str
    figure: str
    beside: str
    values: Sequence[float | None]
    unit: str
    color: str
    bars: bool
    help: str


def draw(seen: Seen) -> None:
    """What is live and whether it is well, in a minute."""
    notices.twin(seen.served[0].data if seen.served else None)
    found = concerns(seen)
    show, icon = ICONS[level(seen, found)]
    show(sentence(seen, found), icon=icon)
    _where(seen, found)
    if seen.served:
        st.caption(" ".join(endpoints.sentence(s, len(seen.served) > 1) for s in seen.served))
    with st.container(key="tiles"):
        for tile in tiles(seen):
            _tile(seen.summary, tile)
    st.caption(_stands_on(seen))


def _where(seen: Seen, found: Sequence[Concern]) -> None:
    """What is not well, one by one, with the way to it."""
    for number, concern in enumerate(found):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if number:
                st.markdown(f"{concern.text[:1].upper()}{concern.text[1:]}.", width="content")
            if concern.tab:
                navigation.link("Monitor", f"Open {concern.tab}", endpoint=seen.endpoint.name, watch=concern.tab)
            else:
                navigation.link("Deploy", "Open Deploy", endpoint=seen.endpoint.name)


def tiles(seen: Seen) -> tuple[Tile, ...]:
    """Failed requests, server response time, server requests, availability."""
    summary, course = seen.summary, partial(over_time.series, seen.summary)
    n, width = summary.requests, over_time.width(summary)
    rejected, failed = failing(summary)
    reached = seen.availability
    p99 = percentiles.p99(summary.p99_ms, n)
    return (
        Tile(
            "Failed requests", words.count(failed), f"{words.percent(failed / n if n else None)} of requests",
            course(lambda b: b.server_errors), f"per {width}", BAD, True,
            f"Answered with 5xx, or with 424 where the model itself failed. Not among them: {rejected:,} that were "
            "rejected with another 4xx, which is the client's mistake.",
        ),
        Tile(
            "Server response time", words.milliseconds(summary.p50_ms), f"p99 {p99}", course(lambda b: b.p50_ms),
            "ms", SERIES[0], False, f"{SERVER}: the median (p50).{percentiles.why_none(n)}",
        ),
        Tile(
            "Server requests", words.count(n), words.plural(summary.rows, "row"), course(lambda b: b.requests),
            f"per {width}", SERIES[2], True, f"Sent by: {whose(seen.origin)}.",
        ),
        Tile(
            "Availability", words.percent(reached.share if reached else None),
            f"of {words.lasting(reached.up_s + reached.down_s)} watched" if reached else "not measured here",
            over_time.reached(reached) if reached else (), "%", GOOD, False,
            "How long the endpoint could be reached, of the time in which the service looked.",
        ),
    )  # fmt: skip


def _tile(summary: TelemetrySummary, tile: Tile) -> None:
    with st.container(border=True, gap="xxsmall", height="stretch"):
        st.metric(tile.title, tile.figure, tile.beside, delta_arrow="off", delta_color="off", help=tile.help)
        if any(value is not None for value in tile.values):
            figure = over_time.tile(summary, tile.values, unit=tile.unit, color=tile.color, bars=tile.bars)
            charts.show(figure, key=f"monitor.tile.{tile.title}", alt=f"{tile.title} over time")
        else:
            st.caption("Nothing was recorded in this window.")


def _stands_on(seen: Seen) -> str:
    summary = seen.summary
    others = sum(summary.by_origin.values()) - summary.requests if seen.origin else 0
    parts = [
        f"{whose(seen.origin)}: {words.plural(summary.requests, 'request')} in {lately(seen.window_s)}, "
        f"{words.moment(summary.since, seen.now)} to now, {words.local(seen.now):%Z}"
    ]
    if others > 0:
        parts.append(f"{words.plural(others, 'request')} of other senders not counted")
    parts.append("the newest interval is still filling")
    return f"{'; '.join(parts)}. {said_late()}".strip()
