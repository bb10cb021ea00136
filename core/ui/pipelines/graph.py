"""The steps of a pipeline as a graph: live, clickable, and drawn by the browser from places that the layout gives."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.domain.pipeline import PipelineSpec
from core.domain.run import PipelineRun, StepRun, StepState
from core.ui.kit import words
from core.ui.pipelines import layout, wiring

_draw = st.components.v2.component(
    "slipway_steps",
    html='<div class="graph"></div>',
    css=Path(__file__).with_name("graph.css").read_text("utf-8"),
    js=Path(__file__).with_name("graph.js").read_text("utf-8"),
)


def of_definition(spec: PipelineSpec, *, key: str) -> None:
    """The steps before a run: what each does, and in which order."""
    steps = [
        {"name": s.name, "kind": words.STEPS[s.kind], "color": "none", "icon": wiring.ICONS[s.kind]}
        | {"said": words.STEPS[s.kind]}
        for s in spec.steps
    ]
    _mount(spec, steps, {}, key=key, label=f"Steps of {spec.name}", opens=False)


def of_run(
    run: PipelineRun, spec: PipelineSpec, now: float, opened: str, *, key: str, open_: Callable[[str], None]
) -> None:
    """The steps of a run as they stand; `open_` is told which one was clicked."""
    going = not run.state.final
    head = f"{done(run)} of {words.plural(len(run.steps), 'step')} done"
    if run.started_at is not None:
        lasted = "running for {since}" if going else f"took {words.lasting((run.ended_at or now) - run.started_at)}"
        head = f"{head} · {lasted}"
    more = {"head": head, "since": run.started_at, "now": now, "going": going, "opened": opened}

    def clicked() -> None:
        open_(st.session_state[key].step)

    label = f"Steps of {run.pipeline}, run {run.number}"
    _mount(spec, [_step(s, now) for s in run.steps], more, key=key, label=label, opens=True, clicked=clicked)


def done(run: PipelineRun) -> int:
    """How many steps have ended."""
    return sum(step.state.final for step in run.steps)


def said(step: StepRun) -> str:
    """How a step stands, in a few words; `{since}` and `{until}` are counted by the browser."""
    word = words.state(step.state).label
    if step.state is StepState.QUEUED and step.retry_at is not None:
        return "Tries again in {until}"
    if step.state is StepState.RUNNING and step.started_at is not None:
        return f"{word} {{since}}" + (f", attempt {step.attempt}" if step.attempt > 1 else "")
    if step.reused_from:
        return "Reused"
    if step.started_at is None or step.ended_at is None:
        return word
    lasted = words.lasting(step.ended_at - step.started_at)
    return f"{lasted}, attempt {step.attempt}" if step.attempt > 1 else f"{word}, {lasted}"


def _step(step: StepRun, now: float) -> dict[str, Any]:
    word = words.state(step.state)
    reused = bool(step.reused_from) and step.state is StepState.SUCCEEDED
    waits = step.retry_at is not None and not step.state.final
    return {
        "name": step.name,
        "kind": words.STEPS[step.kind],
        "color": "orange" if waits else word.color,
        "icon": "cached" if reused else "history" if waits else word.icon,
        "said": said(step),
        "since": step.started_at,
        "until": step.retry_at,
        "turning": step.state is StepState.RUNNING and not waits,
        "done": step.state is StepState.SUCCEEDED,
    }


def _mount(
    spec: PipelineSpec,
    steps: Sequence[Mapping[str, Any]],
    more: Mapping[str, Any],
    *,
    key: str,
    label: str,
    opens: bool,
    clicked: Callable[[], None] | None = None,
) -> None:
    drawing = layout.laid_out(wiring.waits_for(spec))
    done_by_name = {step["name"]: step.get("done", False) for step in steps}
    placed = [
        {**step, "layer": place.layer, "slot": place.slot}
        for step in steps
        if (place := drawing.places.get(step["name"])) is not None
    ]
    lines = [
        {
            "places": [
                (p.layer, p.slot) for p in (drawing.places[line.source], *line.bends, drawing.places[line.target])
            ],
            "done": done_by_name.get(line.source, False),
        }
        for line in drawing.lines
    ]
    data = {"steps": placed, "lines": lines, "layers": drawing.layers, "slots": drawing.slots, "label": label}
    data |= {"opens": opens, "head": "", "now": 0.0, "going": False, "opened": "", **more}
    _draw(key=key, data=data, on_step_change=clicked)
