"""The ways to look at a table."""

from core.ui.explore import columns, preview, uses
from core.ui.explore.table import Explored
from core.ui.kit.parts import Part

VIEWS: tuple[Part[Explored], ...] = (
    Part("Columns", columns.show),
    Part("Preview", preview.show, needs=("data.sample",)),
    Part("Used by", uses.show, needs=("data.lineage",)),
)
