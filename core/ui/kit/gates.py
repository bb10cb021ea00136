"""A gate as it runs: how far it is, part by part, what it has just judged, and what it has found."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.domain.job import Job, JobState
from core.domain.proof import GateProgress, GateReport
from core.ui.kit import checks, jobs, notices, words
from core.ui.kit.words import Word

LATEST = 3
"""Checks that a running gate shows besides violations: enough to see it move."""
WAITING, RUNNING = Word("Waiting", "gray", "schedule"), Word("Running", "blue", "progress_activity")


def expected(reports: Sequence[GateReport]) -> Mapping[str, int]:
    """Checks by part in the newest whole report: about what a gate that runs now will judge."""
    whole = (r.checks for r in reports if {"parity", "performance"} <= {c.part for c in r.checks})
    last = next(whole, ())
    return {part: sum(c.part == part for c in last) for part in checks.parts_of(last)}


def progress(job: Job, seen: GateProgress, about: Mapping[str, int], now: float, *, latest: int = LATEST) -> None:
    """A bar, a badge for each part, every violation, and the `latest` checks; `about` is what is `expected`."""
    judged = seen.checks
    total, done = sum(about.values()), len(judged)
    told = f"{done} of about {total} checks" if total else words.plural(done, "check")
    st.progress(min(1.0, done / total) if total else 0.0, text=f"{told} · {words.lasting(jobs.elapsed(job, now))}")
    with st.container(horizontal=True, gap="small"):
        for part, word in parts_now(seen, started=job.state is JobState.RUNNING).items():
            landed = sum(c.part == part for c in judged)
            notices.badge(word, f"{checks.title(part)} {landed or ''}".strip())
    violated = [c for c in judged if c.passed is False]
    for check in (*violated, *(c for c in judged[len(judged) - latest :] if c not in violated)):
        checks.line(check)


def parts_now(seen: GateProgress, *, started: bool) -> dict[str, Word]:
    """Each part's state in a gate that runs: how it came out, that it runs, or that it waits.

    A part has come out when the gate says that it is over, or when a check of it failed, which nothing mends. What runs
    is what has begun, and the first part that is not over. So no state is ever taken back.
    """
    states: dict[str, Word] = {}
    next_runs = started
    for part in checks.PARTS:
        landed = [c for c in seen.checks if c.part == part]
        over = part in seen.over
        if over or any(c.passed is False for c in landed):
            states[part] = checks.worst(landed) if landed else checks.OUTCOMES["gray"]
        else:
            states[part] = RUNNING if landed or next_runs else WAITING
        next_runs = next_runs and over
    return states
