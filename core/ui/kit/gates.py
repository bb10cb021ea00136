"""A gate as it runs: how far it is, part by part, what it has just judged, and what it has found."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.domain.job import Job, JobState
from core.domain.proof import CheckResult, GateReport
from core.ui.kit import checks, jobs, notices, words
from core.ui.kit.words import Word

LATEST = 3
"""Checks that a running gate shows besides violations: enough to see it move."""
WAITING, RUNNING = Word("Waits", "gray", "schedule"), Word("Runs", "blue", "progress_activity")


def expected(reports: Sequence[GateReport]) -> Mapping[str, int]:
    """Checks by part in the newest whole report: about what a gate that runs now will judge."""
    whole = (r.checks for r in reports if {"parity", "performance"} <= {c.part for c in r.checks})
    last = next(whole, ())
    return {part: sum(c.part == part for c in last) for part in checks.parts_of(last)}


def progress(
    job: Job, judged: Sequence[CheckResult], about: Mapping[str, int], now: float, *, latest: int = LATEST
) -> None:
    """A bar, a badge for each part, every violation, and the `latest` checks; `about` is what is `expected`."""
    total, done = sum(about.values()), len(judged)
    told = f"{done} of about {total} checks" if total else words.plural(done, "check")
    st.progress(min(1.0, done / total) if total else 0.0, text=f"{told} · {words.lasting(jobs.elapsed(job, now))}")
    with st.container(horizontal=True, gap="small"):
        for part, word in parts_now(judged, about, started=job.state is JobState.RUNNING).items():
            landed = sum(c.part == part for c in judged)
            notices.badge(word, f"{checks.title(part)} {landed or ''}".strip())
    violated = [c for c in judged if c.passed is False]
    for check in (*violated, *(c for c in judged[len(judged) - latest :] if c not in violated)):
        checks.line(check)


def parts_now(judged: Sequence[CheckResult], about: Mapping[str, int], *, started: bool) -> dict[str, Word]:
    """Each part's state in a gate that runs: how it came out, that it runs, or that it waits.

    A part is over when a later one has begun, or when it has as many checks as last time.
    """
    order = list(checks.PARTS)
    reached = max((order.index(c.part) for c in judged if c.part in order), default=-1)
    states: dict[str, Word] = {}
    running_is_free = started
    for number, part in enumerate(order):
        landed = [c for c in judged if c.part == part]
        over = number < reached or (bool(landed) and len(landed) >= about.get(part, 1))
        if any(c.passed is False for c in landed) or over:
            states[part] = checks.worst(landed) if landed else checks.OUTCOMES["gray"]
            running_is_free = running_is_free and over
        else:
            states[part] = RUNNING if running_is_free else WAITING
            running_is_free = False
    return states
