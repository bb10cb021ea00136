"""Keep a page up with what happens: it looks at one number, and is drawn again only when what it shows has changed."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from core.domain.errors import SlipwayError
from core.ui.shell.live import FAST_S
from core.workspace import Workspace

T = TypeVar("T")


def revision(workspace: Workspace) -> int:
    """The number that grows with every change of any run; read it before you look at what you draw."""
    return workspace.pipelines.revision() if workspace.can("pipelines.revision") else 0


def keep_up(workspace: Workspace, look: Callable[[], T], drawn: T, since: int) -> None:
    """Run the page again when `look` gives something else than `drawn`, which was looked at after revision `since`.

    Nothing is drawn here, so that a look that finds nothing new sends nothing: a part that ended early would be
    cleared, and one that drew itself again would send all of it every second.
    """
    changed, first = changes(workspace, look, drawn, since), [True]

    @st.fragment(run_every=FAST_S)
    def part() -> None:
        if first:
            first.clear()
        elif changed():
            st.rerun()

    part()


def changes(workspace: Workspace, look: Callable[[], T], drawn: T, since: int) -> Callable[[], bool]:
    """Tells, each time that it is asked, whether something else than `drawn` is to be seen.

    Only one number is read while nothing changes at all. What cannot be looked at has not changed: the page says why
    when it is drawn again, and until then shows what was true last.
    """
    last = since

    def changed() -> bool:
        nonlocal last
        try:
            now = revision(workspace)
            if now and now == last:
                return False
            found = look() != drawn
        except SlipwayError:
            return False
        last = now
        return found

    return changed
