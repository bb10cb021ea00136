"""What a visitor asks of a training beside its table, target, time and metric."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.domain.data import ColumnProfile, DataAsset


@dataclass
class More:
    """Fields of a `TrainingSpec` by their names."""

    table: str
    """Its name and version: what was asked of one table is not asked of another."""
    target: ColumnProfile
    regression: bool
    assets: tuple[DataAsset, ...] = ()
    """Tables that trials can be judged on."""
    columns: tuple[ColumnProfile, ...] = ()
    """Those that may be learned from."""
    features: bool = True
    """Columns may be made from columns."""
    given: dict[str, Any] = field(default_factory=dict)
    built: dict[str, Callable[[], Any]] = field(default_factory=dict)
    """Fields that may be nonsense as they were typed: made when the training is asked for, which then says so."""

    def fields(self) -> Mapping[str, Any]:
        """All that was given. Raises SpecInvalid."""
        return {**self.given, **{name: make() for name, make in self.built.items()}}
