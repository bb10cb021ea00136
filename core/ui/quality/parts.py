"""What is shown of an endpoint's proof, from above."""

from collections.abc import Callable

from core.ui.quality import deployments, history, progress, report
from core.ui.quality.gates import Gates

PARTS: tuple[Callable[[Gates], None], ...] = (deployments.show, progress.show, report.show, history.show)


def draw(gates: Gates) -> None:
    """Every part, of the gates as they were seen."""
    for part in PARTS:
        part(gates)
