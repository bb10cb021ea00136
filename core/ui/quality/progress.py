"""A gate as it runs."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.domain.job import Job, JobState
from core.domain.proof import CheckResult
from core.ui.kit import jobs, notices, words
from core.ui.kit.words import Word
from core.ui.quality import checks
from core.ui.quality.gates import Gates
from core.ui.shell import actions, failures
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal

LATEST = 3
"""Checks that a running gate shows besides violations: enough to see it move."""
WAITING, RUNNING = Word("Waits", "gray", "schedule"), Word("Runs", "blue", "progress_activity")


def show(gates: Gates) -> None:
    """The gate that runs, or why the one that was asked for came to nothing."""
    if gates.job is not None and gates.running:
        _progress(gates, gates.job)
    elif gates.job is not None and gates.job.message:
        failures.say(gates.job.message, gates.job.hint)


def _progress(gates: Gates, job: Job) -> None:
    """How far a gate is, part by part, what it has just judged, and what it has found."""
    expected = _expected(gates)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{literal(jobs.about(job))}**", width="content")
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                notices.badge(words.state(job.state), "Stopping" if job.cancel_requested else "")
                if st.button("Stop", key="quality.stop", icon=":material/stop_circle:", **able("jobs.cancel")):
                    actions.run("Stopping", gates.workspace.jobs.cancel, job.id)
        total, done = sum(expected.values()), len(gates.judged)
        told = f"{done} of about {total} checks" if total else words.plural(done, "check")
        st.progress(
            min(1.0, done / total) if total else 0.0, text=f"{told} · {words.lasting(jobs.elapsed(job, gates.now))}"
        )
        with st.container(horizontal=True, gap="small"):
            for part, word in parts_now(gates.judged, expected, started=job.state is JobState.RUNNING).items():
                landed = sum(c.part == part for c in gates.judged)
                notices.badge(word, f"{checks.title(part)} {landed or ''}".strip())
        violated = [c for c in gates.judged if c.passed is False]
        for check in (*violated, *(c for c in gates.judged[-LATEST:] if c not in violated)):
            checks.line(check)


def _expected(gates: Gates) -> Mapping[str, int]:
    """Checks by part in the newest whole report: about what a gate that runs now will judge."""
    whole = (r.checks for r in gates.reports if {"parity", "performance"} <= {c.part for c in r.checks})
    last = next(whole, ())
    return {part: sum(c.part == part for c in last) for part in checks.parts_of(last)}


def parts_now(judged: Sequence[CheckResult], expected: Mapping[str, int], *, started: bool) -> dict[str, Word]:
    """Each part's state in a gate that runs: how it came out, that it runs, or that it waits.

    A part is over when a later one has begun, or when it has as many checks as last time.
    """
    order = list(checks.PARTS)
    reached = max((order.index(c.part) for c in judged if c.part in order), default=-1)
    states: dict[str, Word] = {}
    running_is_free = started
    for number, part in enumerate(order):
        landed = [c for c in judged if c.part == part]
        over = number < reached or (bool(landed) and len(landed) >= expected.get(part, 1))
        if any(c.passed is False for c in landed) or over:
            states[part] = checks.worst(landed) if landed else checks.OUTCOMES["gray"]
            running_is_free = running_is_free and over
        else:
            states[part] = RUNNING if running_is_free else WAITING
            running_is_free = False
    return states
