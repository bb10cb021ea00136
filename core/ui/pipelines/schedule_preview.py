"""When a schedule that is being written would fire: in words, and its next five times."""

from dataclasses import dataclass

import streamlit as st

from core.definitions.fires import check_schedule, next_fires
from core.definitions.schedule_words import schedule_words
from core.domain.schedule import ScheduleSpec
from core.ui.kit import moments, words
from core.ui.shell.markup import literal

FIRES = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """When a schedule fires."""

    words: str
    fires_at: tuple[float, ...]
    timezone: str
    data: str = ""


def preview(spec: ScheduleSpec, now: float, since: float | None = None) -> Preview:
    """What a schedule that was made at `since`, or now, would do. Raises SpecInvalid, also where it never fires."""
    check_schedule(spec, now)
    return Preview(schedule_words(spec), next_fires(spec, now, FIRES, since=since), spec.timezone, spec.data)


def draw(seen: Preview) -> None:
    """In words, and beside them the next times."""
    if seen.words:
        st.markdown(f":material/event_repeat: **{literal(seen.words[:1].upper() + seen.words[1:])}**")
    if seen.data:
        st.caption(
            f"It has no times of its own: it fires when a new version of {literal(seen.data)} is registered, unless a "
            "run of the same pipeline made that version."
        )
        return
    if not seen.fires_at:
        st.caption(":material/event_busy: It never fires: there is no such time before its end.")
        return
    count = len(seen.fires_at)
    st.caption(f"Next {words.plural(count, 'fire')}" if count > 1 else "Its only fire")
    st.markdown("  \n".join(f":material/schedule: {moments.there(at, seen.timezone)}" for at in seen.fires_at))
