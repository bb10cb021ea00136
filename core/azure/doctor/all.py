"""Everything in its order: what needs an answer comes after what gives it."""

from collections.abc import Iterator
from pathlib import Path

from core.azure.context import Context
from core.azure.doctor import account, capacity, machine
from core.azure.doctor.account import Identity
from core.azure.doctor.finding import failed
from core.domain.errors import SlipwayError
from core.domain.monitoring import Finding, FindingState


def findings(context: Context, folder: Path) -> Iterator[Finding]:
    """One finding at a time; what cannot be asked any more is left out. `folder` is where the user stands."""
    aimed = True
    for finding in machine.look(context, folder):
        aimed = aimed and not (finding.name == "Settings" and finding.state is FindingState.FAILED)
        yield finding
    who = None
    for said in account.sign_in(context):
        if isinstance(said, Identity):
            who = said
        else:
            yield said
    if who and aimed:
        yield from _asked(context, who)


def _asked(context: Context, who: Identity) -> Iterator[Finding]:
    reached = False
    try:
        for finding in account.look(context, who):
            reached = reached or (finding.name, finding.state) == ("Workspace", FindingState.OK)
            yield finding
        if reached:
            yield from capacity.look(context)
    except SlipwayError as e:
        yield failed("Azure", e.message, e.hint)
