"""How columns become what a learner sees: left to the engine, switched off, or stated by column."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from core.domain.errors import SpecInvalid
from core.domain.rules import check_text, shown


class FeaturizationMode(StrEnum):
    """Azure's three modes."""

    AUTO = "auto"
    OFF = "off"
    CUSTOM = "custom"


class Purpose(StrEnum):
    """What a column is taken for, by Azure's names."""

    NUMERIC = "Numeric"
    CATEGORICAL = "Categorical"
    DATE_TIME = "DateTime"
    TEXT = "Text"
    IGNORE = "Ignore"


class Imputation(StrEnum):
    """What stands for a missing cell of a column."""

    MEAN = "mean"
    MEDIAN = "median"
    MOST_FREQUENT = "most_frequent"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Featurization:
    """`off` gives the learners the encoded columns alone; `custom` is `auto` but for the columns that are named."""

    mode: FeaturizationMode = FeaturizationMode.AUTO
    column_purposes: Mapping[str, Purpose] = field(default_factory=dict)
    """What a column is taken for, by its name."""
    imputations: Mapping[str, Imputation] = field(default_factory=dict)
    """What stands for a missing cell, by the column's name."""
    constants: Mapping[str, str | float] = field(default_factory=dict)
    """The value of each column whose imputation is `constant`."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("mode", {"": self.mode}, FeaturizationMode),
            ("purpose", self.column_purposes, Purpose),
            ("imputation", self.imputations, Imputation),
        ):
            for column, given in value.items():
                if given not in tuple(known):
                    of = f" of column '{column}'" if column else ""
                    raise SpecInvalid(
                        f"The {name}{of} is '{given}', which featurization does not know",
                        hint=f"One of: {', '.join(known)}",
                    )
        for column in (*self.column_purposes, *self.imputations):
            check_text("A column of the featurization", column)
        if missing := [c for c, how in self.imputations.items() if how == "constant" and c not in self.constants]:
            raise SpecInvalid(
                f"No constant is given for column '{missing[0]}'", hint="Put it into `constants`, by the column's name"
            )
        if self.mode != FeaturizationMode.CUSTOM and (self.column_purposes or self.imputations):
            raise SpecInvalid(
                f"Columns are named, but the featurization mode is '{self.mode}'", hint="Use the mode 'custom'"
            )


def featurization_of(given: Any) -> Featurization:
    """A featurization as JSON and YAML have it: a mode, or a mapping by the names of its fields. Raises SpecInvalid."""
    stated = {"mode": given} if isinstance(given, str) else given
    names = [each.name for each in fields(Featurization)]
    if not isinstance(stated, Mapping) or any(name not in names for name in stated):
        raise SpecInvalid(f"featurization is {shown(given)}", hint=f"A mode, or a mapping of {', '.join(names)}")
    if any(not isinstance(value, Mapping) for name, value in stated.items() if name != "mode"):
        raise SpecInvalid(f"featurization is {shown(given)}", hint="Columns are mapped to what is wanted of them")
    custom = any(stated.get(name) for name in names[1:])
    found = Featurization(**{"mode": FeaturizationMode.CUSTOM if custom else FeaturizationMode.AUTO, **stated})
    return Featurization(
        FeaturizationMode(found.mode),
        {column: Purpose(purpose) for column, purpose in found.column_purposes.items()},
        {column: Imputation(how) for column, how in found.imputations.items()},
        found.constants,
    )
