"""A step that is opened: why it ran, what it was given and gives, what went wrong, and its log."""

import time
from collections.abc import Mapping

import streamlit as st

from core.domain.job import LogLine
from core.domain.pipeline import PipelineSpec, StepKind, ValueType
from core.domain.run import PipelineRun, StepRun, StepState
from core.ui.kit import logs, notices, words
from core.ui.pipelines import step_files, values, wiring
from core.ui.shell import abilities, choices, failures, navigation
from core.ui.shell.live import FAST_S, live
from core.ui.shell.markup import literal
from core.workspace import Workspace

LINES = 300


def show(workspace: Workspace, run: PipelineRun, spec: PipelineSpec, name: str, now: float) -> None:
    """Everything that is known of it."""
    step = next(one for one in run.steps if one.name == name)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                st.markdown(f"#### {literal(step.name)}", width="content")
                notices.badge(words.state(step.state), "Reused" if _reused(step) else "")
            if st.button("Close", icon=":material/close:", type="tertiary", key="pipelines.close_step"):
                choices.put("step", "", scope=run.id)
                st.rerun()
        st.caption(_facts(step, now))
        _told(step, now)
        defined = next((one for one in spec.steps if one.name == name), None)
        given = wiring.given(run, spec, defined) if defined is not None else {}
        kinds = wiring.outputs(defined) if defined is not None else {}
        _given(given)
        _started(step, _endpoint(given))
        _gives(kinds, step, _endpoint(given))
        step_files.show(workspace, run, step, [one for one in step.outputs if kinds.get(one) is ValueType.FILE])
        _log(workspace, run, step)


def duration(step: StepRun) -> str:
    """How long a step took, once it has ended."""
    if step.started_at is None or step.ended_at is None:
        return words.DASH
    return words.lasting(step.ended_at - step.started_at)


def _reused(step: StepRun) -> bool:
    return bool(step.reused_from) and step.state is StepState.SUCCEEDED


def _facts(step: StepRun, now: float) -> str:
    facts = [words.STEPS[step.kind]]
    if step.started_at is not None:
        facts.append(f"started {words.moment(step.started_at, now)}")
    if step.ended_at is not None and step.started_at is not None:
        facts.append(f"took {duration(step)}")
    if step.attempt > 1:
        facts.append(words.plural(step.attempt, "attempt"))
    if step.retry_at is not None and not step.state.final:
        facts.append(f"tries again at {words.moment(step.retry_at, now)}")
    return " · ".join(facts)


def _told(step: StepRun, now: float) -> None:
    """Why it ran or did not, what it did, and what went wrong."""
    if step.why:
        st.markdown(f":material/info: {literal(words.sentence(step.why))}")
    if step.note:
        st.markdown(f":material/notes: {literal(words.sentence(step.note))}")
    if step.message:
        if step.state is StepState.FAILED or (step.retry_at is not None and not step.state.final):
            failures.say(step.message, step.hint)
        else:
            st.caption(literal(step.message))
    if step.reused_from:
        navigation.link("Pipelines", "The run that made this", run=step.reused_from, step=step.name)


def _given(given: wiring.Given) -> None:
    if not given:
        return
    st.markdown("**Inputs**")
    with st.container(gap="xsmall"):
        for name, (source, kind, value) in given.items():
            values.show(name, kind, value, source=source)


def _endpoint(given: wiring.Given) -> str:
    """The endpoint of the deployment that a step was given; empty without one."""
    deployed = [str(value) for _, kind, value in given.values() if kind is ValueType.DEPLOYMENT and value]
    return deployed[0].partition("/")[0] if deployed else ""


def _gives(kinds: Mapping[str, ValueType], step: StepRun, endpoint: str) -> None:
    shown = {name: value for name, value in step.outputs.items() if kinds.get(name) is not ValueType.FILE}
    if not step.outputs:
        return
    st.markdown("**Outputs**")
    measured = {name: numbers for name, value in shown.items() if len(numbers := values.metrics(value)) > 1}
    with st.container(gap="xsmall"):
        for name, value in shown.items():
            if name not in measured:
                values.show(name, kinds.get(name), value, endpoint=endpoint)
    for name, numbers in measured.items():
        _metrics(name, numbers)


def _started(step: StepRun, endpoint: str) -> None:
    """The training or the gate that the step waits for: it can be watched where those are."""
    if not step.started_job_id or step.outputs:
        return
    if step.kind is StepKind.AUTOML:
        navigation.link("Leaderboard", "Watch its trials", job=step.started_job_id)
    elif step.kind is StepKind.GATE and endpoint:
        navigation.link("Quality", "Watch the gate", endpoint=endpoint)


def _metrics(name: str, numbers: dict[str, float]) -> None:
    st.dataframe(
        {
            words.identifier(name): [words.metric(metric) for metric in numbers],
            "Value": list(numbers.values()),
        },
        hide_index=True,
        key=f"pipelines.metrics.{name}",
        width=420,
        height=min(38 + 35 * len(numbers), 320),
        column_config={"Value": st.column_config.NumberColumn(format="%.4f", width=100)},
    )


def _log(workspace: Workspace, run: PipelineRun, step: StepRun) -> None:
    """The step's log, which follows while the step goes on."""
    if reason := abilities.lacking("pipelines.step_log"):
        abilities.say("Log", reason)
        return
    if not step.attempt:
        return
    st.markdown("**Log**")

    def look() -> tuple[LogLine, ...]:
        return workspace.pipelines.step_log(run.id, step.name, LINES)

    going = step.state is StepState.RUNNING
    live(look, lambda _: FAST_S if going else None, _lines)


def _lines(lines: tuple[LogLine, ...]) -> None:
    logs.show(lines, time.time(), height=320)
    if len(lines) == LINES:
        st.caption(f"The last {words.plural(LINES, 'line')} of all attempts.")
