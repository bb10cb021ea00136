"""Create a schedule, or change one: what it would do is shown while it is being written."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.domain.errors import SlipwayError
from core.domain.names import slug
from core.domain.pipeline import PipelineEndpoint
from core.domain.schedule import Misfire, Overlap, Schedule, ScheduleSpec
from core.ui.kit import notices
from core.ui.pipelines import parameters, schedule_preview, schedule_when
from core.ui.pipelines.schedule_texts import MISFIRES, OVERLAPS
from core.ui.shell import abilities, actions, address, choices, failures, panels
from core.ui.shell.abilities import able
from core.ui.shell.drafts import draft
from core.ui.shell.markup import literal
from core.workspace import Workspace

Key = Callable[[str], str]

EXPERIMENT = "scheduled"
PANEL = "schedule"
OPENED_BY = "schedule_for"
"""The address's parameter that opens the form for a pipeline, by its name."""


def create(
    workspace: Workspace, published: Sequence[PipelineEndpoint], known: Sequence[Schedule], *, first: bool
) -> None:
    """A form for a new schedule, folded; an address opens it for a pipeline."""
    form = panels.panel("Create a schedule", key=PANEL, opened_by=OPENED_BY, first=first)
    if form.open:
        with form:
            _new(workspace, published, {schedule.spec.name for schedule in known})
    else:
        address.write({OPENED_BY: ""})


@st.fragment
def _new(workspace: Workspace, published: Sequence[PipelineEndpoint], taken: set[str]) -> None:
    names = {pipeline.name: pipeline.name for pipeline in published}
    pipeline = choices.choose("Pipeline", names, key=OPENED_BY, noun="pipeline")
    spec = _ask(
        workspace, pipeline, None, _free_name(pipeline, taken), lambda field: f"schedule.new.{pipeline}.{field}"
    )
    if _button("Create", spec, "schedules.create") and spec is not None:
        made = actions.run("Creating the schedule", workspace.schedules.create, spec)
        if made is not None:
            choices.put("schedule", made.spec.name)
            panels.close(PANEL, opened_by=OPENED_BY)
            st.toast(f"{literal(made.spec.name)} is on", icon=":material/check_circle:")
            st.rerun()


def _free_name(pipeline: str, taken: set[str]) -> str:
    base = slug(pipeline) or "schedule"
    return next(name for n in range(1, len(taken) + 2) if (name := base if n == 1 else f"{base}-{n}") not in taken)


def edit(workspace: Workspace, schedule: Schedule) -> None:
    """The same form over a schedule, folded."""
    if reason := abilities.lacking("schedules.update"):
        abilities.say("Edit", reason)
        return
    panel = f"schedule.edit.{schedule.spec.name}"
    form = panels.panel("Edit", key=panel, icon="edit")
    if form.open:
        with form:
            _change(workspace, schedule, panel)


@st.fragment
def _change(workspace: Workspace, schedule: Schedule, panel: str) -> None:
    stored = schedule.spec
    begun = draft(f"schedule.{stored.name}", _facts(stored))
    spec = _ask(workspace, stored.pipeline, schedule, stored.name, begun.key)
    if _button("Save", spec, "schedules.update") and spec is not None:
        begun.save("Saving", _saved, workspace, spec, panel)
    begun.follow()


def _saved(workspace: Workspace, spec: ScheduleSpec, panel: str) -> None:
    workspace.schedules.update(spec)
    panels.close(panel)


def _facts(spec: ScheduleSpec) -> dict[str, Any]:
    """What a form shows of a schedule, as plain values."""
    when = spec.cron or spec.data or str(spec.recurrence)
    return {
        "times": when,
        "time zone": spec.timezone,
        "start": spec.start,
        "end": spec.end,
        "version": spec.version,
        "experiment": spec.experiment_name,
        "parameters": str(dict(spec.parameters)),
        "missed fires": str(spec.misfire),
        "overlap": str(spec.overlap),
    }


def _ask(workspace: Workspace, pipeline: str, given: Schedule | None, name: str, key: Key) -> ScheduleSpec | None:
    """The schedule as it is written, with what it would do; None while it makes no sense, and then why is shown."""
    stored = given.spec if given else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if given is None:
            name = st.text_input("Name", value=name, key=key("name"), width=260).strip()
        experiment = st.text_input(
            "Experiment", value=stored.experiment_name if stored else EXPERIMENT, key=key("experiment"), width=200
        )
        version, chosen = _version(workspace, pipeline, stored, key)
    when = schedule_when.ask(stored, _tables(workspace), key)
    shown = st.container(border=True, gap="xsmall")
    rest = _policies(stored, key) | _parameters(chosen, stored, "data" in when, key)
    about: dict[str, Any] = {"version": version, "experiment_name": experiment.strip() or EXPERIMENT}
    with shown:
        return _shown(
            lambda: ScheduleSpec(name=name, pipeline=pipeline, **about, **when, **rest),
            chosen,
            given.created_at if given else None,
        )


def _policies(stored: ScheduleSpec | None, key: Key) -> dict[str, Any]:
    with st.container(horizontal=True):
        return {
            "misfire": _policy(
                "Missed fires",
                MISFIRES,
                stored.misfire if stored else Misfire.ONCE,
                key("misfire"),
                "What happens to fires that were due while the service or this machine was off.",
            ),
            "overlap": _policy(
                "Overlap",
                OVERLAPS,
                stored.overlap if stored else Overlap.SKIP,
                key("overlap"),
                "What happens when it fires while its last run is still going on.",
            ),
        }


def _policy(label: str, policies: Mapping[Any, tuple[str, str]], given: Any, key: str, help: str) -> Any:
    return st.radio(
        label,
        list(policies),
        index=list(policies).index(given),
        format_func=lambda one: policies[one][0],
        captions=[line for _, line in policies.values()],
        key=key,
        help=help,
        width=340,
    )


def _parameters(
    chosen: PipelineEndpoint | None, stored: ScheduleSpec | None, on_versions: bool, key: Key
) -> dict[str, Any]:
    """What each run is given, save what is the default: the default may be another one in a later version."""
    if chosen is None or not chosen.spec.parameters:
        return {}
    st.markdown("**Parameters**")
    if on_versions:
        st.caption("In a text, `{version}` stands for the number of the new version, as in `my-table:{version}`.")
    given = stored.parameters if stored else {}
    values = parameters.fields(chosen.spec, given, key=key(f"parameters.{chosen.version}"))
    defaults = chosen.spec.defaults
    return {"parameters": {name: value for name, value in values.items() if value != defaults.get(name)}}


def _shown(
    make: Callable[[], ScheduleSpec], chosen: PipelineEndpoint | None, since: float | None
) -> ScheduleSpec | None:
    try:
        spec = make()
        schedule_preview.draw(schedule_preview.preview(spec, time.time(), since))
    except SlipwayError as error:
        failures.show(error)
        return None
    wrong = parameters.problems(chosen.spec, spec.parameters) if chosen else {}
    for name, problem in wrong.items():
        st.markdown(f":red[:material/error: Parameter {literal(name)}: {literal(problem)}]")
    return None if wrong else spec


def _version(
    workspace: Workspace, pipeline: str, given: ScheduleSpec | None, key: Key
) -> tuple[int, PipelineEndpoint | None]:
    """The version that is to run, 0 for the default one, and that version as it was published."""
    known = _versions(workspace, pipeline)
    numbers = [0, *(p.version for p in known)]
    first = given.version if given and given.version in numbers else 0
    picked = st.selectbox(
        "Version",
        numbers,
        index=numbers.index(first),
        format_func=lambda number: f"Version {number}" if number else "Default version",
        key=key("version"),
        width=180,
        help="The default version is the one that is the default when it fires.",
    )
    runs = (p for p in known if (p.version == picked if picked else p.default))
    return picked, next(runs, None)


def _versions(workspace: Workspace, pipeline: str) -> tuple[PipelineEndpoint, ...]:
    if workspace.can("pipelines.versions"):
        return workspace.pipelines.versions(pipeline)
    return tuple(known for known in workspace.pipelines.list() if known.name == pipeline)


def _tables(workspace: Workspace) -> list[str]:
    known = workspace.data.list() if workspace.can("data.list") else ()
    return list(dict.fromkeys(asset.name for asset in known))


def _button(label: str, spec: ScheduleSpec | None, verb: str) -> bool:
    return st.button(
        label,
        type="primary",
        icon=":material/check:",
        key=f"schedule.{label.lower()}",
        **able(verb, unless=spec is None or not spec.name),
    )


def nothing_to_schedule() -> None:
    """There is no pipeline yet."""
    notices.empty("There is nothing to schedule yet", "Publish a pipeline first.", icon="event_repeat")
