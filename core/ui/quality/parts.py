"""What is shown of an endpoint's proof, from above."""

from core.ui.kit.parts import Part, stack
from core.ui.quality import deployments, history, progress, report
from core.ui.quality.gates import Gates

PARTS: tuple[Part[Gates], ...] = (
    Part("Deployments", deployments.show),
    Part("Running gate", progress.show, needs=("proofs.gate_progress",)),
    Part("Gate report", report.show, needs=("proofs.gate_reports",)),
    Part("Gate history", history.show, needs=("proofs.gate_reports",)),
)


def draw(gates: Gates) -> None:
    """Every part, of the gates as they were seen."""
    stack(PARTS, gates)
