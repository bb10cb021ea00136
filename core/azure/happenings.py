"""Exceptions and the results of availability tests, by Application Insights' tables of them."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from core.azure.insights import Insights, Row, about, seconds, text, within
from core.azure.requests import DEPLOYMENT, REQUEST_ID, SERVICE
from core.domain.monitoring import Availability, AvailabilityBucket, ExceptionGroup

NEWEST_MAX = 1000
"""So many exceptions are read for their texts; all are counted."""
IDS_MAX = 10
PLACE = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')


def exceptions(insights: Insights, endpoint: str, since: float, until: float) -> tuple[ExceptionGroup, ...]:
    """Grouped as Application Insights does, by kind and problem, the most frequent first."""
    asked = f'{within("exceptions", since, until)} | where customDimensions["{SERVICE}"] == {text(endpoint)}'
    counted = insights.ask(
        f"{asked} | summarize seen = sum(itemCount), first = min(timestamp), last = max(timestamp) by type, problemId"
    )
    newest = insights.ask(
        f"{asked} | order by timestamp desc | take {NEWEST_MAX}"
        " | project timestamp, type, problemId, outerMessage, details, operation_Id, customDimensions"
    )
    held: dict[tuple[Any, Any], list[Row]] = {}
    for row in newest:
        held.setdefault((row["type"], row["problemId"]), []).append(row)
    groups = [_group(row, held.get((row["type"], row["problemId"]), [])) for row in counted]
    return tuple(sorted(groups, key=lambda group: (-group.count, -group.last)))


def _group(row: Row, newest: list[Row]) -> ExceptionGroup:
    told = [about(one) for one in newest]
    stack = _stack(newest[0]) if newest else ""
    places = PLACE.findall(stack)
    return ExceptionGroup(
        kind=str(row["type"] or ""),
        where="{}:{} in {}".format(*places[-1]) if places else "",
        count=int(row["seen"]),
        first=seconds(row["first"]),
        last=seconds(row["last"]),
        message=str(newest[0]["outerMessage"] or "") if newest else "",
        traceback=stack,
        deployments=tuple(sorted({str(one[DEPLOYMENT]) for one in told if one.get(DEPLOYMENT)})),
        request_ids=tuple(str(one[REQUEST_ID]) for one in told if one.get(REQUEST_ID))[:IDS_MAX],
    )


def _stack(row: Row) -> str:
    """The traceback as Python wrote it."""
    details = row["details"] or []
    try:
        found = msgspec.json.decode(details) if isinstance(details, str) else details
    except msgspec.DecodeError:
        return ""
    return str(found[0].get("rawStack") or "") if found and isinstance(found[0], Mapping) else ""


def availability(insights: Insights, endpoint: str, since: float, until: float, buckets: int) -> Availability:
    """By the availability tests that name the endpoint. In an interval without a result nobody has looked."""
    width_s = (until - since) / buckets
    good, all_ = [0] * buckets, [0] * buckets
    found = insights.ask(
        f"{within('availabilityResults', since, until)} | where name contains {text(endpoint)}"
        " | project timestamp, success"
    )
    for row in found:
        at = min(buckets - 1, max(0, int((seconds(row["timestamp"]) - since) // width_s)))
        all_[at] += 1
        good[at] += str(row["success"]).lower() in ("1", "true")
    made = tuple(
        AvailabilityBucket(
            since + at * width_s,
            width_s,
            width_s * good[at] / all_[at] if all_[at] else 0.0,
            width_s * (all_[at] - good[at]) / all_[at] if all_[at] else 0.0,
        )
        for at in range(buckets)
    )
    return Availability(endpoint, since, until, sum(b.up_s for b in made), sum(b.down_s for b in made), made)
