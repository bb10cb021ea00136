"""How columns become what a learner sees: left to the engine, switched off, or stated by column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.errors import SpecInvalid
from core.domain.rules import check_text


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
        if self.mode is not FeaturizationMode.CUSTOM and (self.column_purposes or self.imputations):
            raise SpecInvalid(
                f"Columns are named, but the featurization mode is '{self.mode}'", hint="Use the mode 'custom'"
            )
