"""Columns that the visitor wants taken in another way: as another type, or with other values in missing cells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.domain.data import ColumnKind, ColumnProfile
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.ui.leaderboard.train_asked import More
from core.ui.shell.markup import literal

PURPOSES: Mapping[Purpose, str] = {
    Purpose.NUMERIC: "Numeric",
    Purpose.CATEGORICAL: "Categorical",
    Purpose.DATE_TIME: "Date and time",
}
"""Text is read as categories by every engine here; to ignore a column, it is excluded above."""
IMPUTATIONS: Mapping[Imputation, str] = {
    Imputation.MEAN: "The mean",
    Imputation.MEDIAN: "The median",
    Imputation.MOST_FREQUENT: "The most frequent value",
    Imputation.CONSTANT: "A constant",
}
AUTOMATIC = "Automatic"
E = TypeVar("E", Purpose, Imputation)


@dataclass
class _Stated:
    """By column."""

    purposes: dict[str, Purpose] = field(default_factory=dict)
    imputations: dict[str, Imputation] = field(default_factory=dict)
    constants: dict[str, str | float] = field(default_factory=dict)

    def featurization(self, *, features: bool) -> Featurization:
        """Raises SpecInvalid."""
        if self.purposes or self.imputations:
            mode = FeaturizationMode.CUSTOM if features else FeaturizationMode.OFF
            return Featurization(mode, self.purposes, self.imputations, self.constants)
        return Featurization(FeaturizationMode.AUTO if features else FeaturizationMode.OFF)


def ask(more: More) -> None:
    """Which columns, then a line for each of them."""
    by_name = {column.name: column for column in more.columns}
    picked = st.multiselect(
        "Columns to treat in your own way",
        list(by_name),
        key=f"leaderboard.custom.{more.table}",
        placeholder="None: types and missing values are handled automatically",
    )
    stated = _Stated()
    for name in picked:
        _line(more, by_name[name], stated)
    more.built["featurization"] = lambda: stated.featurization(features=more.features)


def _line(more: More, column: ColumnProfile, stated: _Stated) -> None:
    left, middle, right = st.columns(3)
    name, key = column.name, f"{more.table}.{column.name}"
    purpose = _choice(left, f"Type of {name}", {p: PURPOSES[p] for p in purposes(column)}, f"leaderboard.purpose.{key}")
    if purpose is not None:
        stated.purposes[name] = purpose
    fills = {how: IMPUTATIONS[how] for how in imputations(column, purpose)}
    how = _choice(middle, f"Missing cells of {name} get", fills, f"leaderboard.impute.{key}")
    if how is None:
        return
    stated.imputations[name] = how
    if how is Imputation.CONSTANT and (constant := _constant(right, column, f"leaderboard.constant.{key}")) is not None:
        stated.constants[name] = constant


def purposes(column: ColumnProfile) -> tuple[Purpose, ...]:
    """What a column can be taken for."""
    if column.kind is ColumnKind.STRING:
        return (Purpose.CATEGORICAL, *([Purpose.DATE_TIME] if column.dates else []))
    return (Purpose.NUMERIC, Purpose.CATEGORICAL)


def imputations(column: ColumnProfile, purpose: Purpose | None) -> tuple[Imputation, ...]:
    """What missing cells of a column can get that is taken so; the parts of a date get nothing."""
    if column.dates and purpose is not Purpose.CATEGORICAL:
        return ()
    if column.kind is ColumnKind.BOOLEAN:
        return (Imputation.MOST_FREQUENT,)
    if column.kind is ColumnKind.STRING or purpose is Purpose.CATEGORICAL:
        return (Imputation.MOST_FREQUENT, Imputation.CONSTANT)
    return tuple(Imputation)


def _choice(place: DeltaGenerator, label: str, options: Mapping[E, str], key: str) -> E | None:
    """One of them; None where it is left to the engine."""
    by_name = {AUTOMATIC: None, **{name: each for each, name in options.items()}}
    return by_name[place.selectbox(literal(label), list(by_name), key=key, disabled=not options)]


def _constant(place: DeltaGenerator, column: ColumnProfile, key: str) -> str | float | None:
    label = literal(f"Constant for {column.name}")
    if column.kind in (ColumnKind.INTEGER, ColumnKind.NUMBER):
        return place.number_input(label, value=None, format="%g", key=key)
    if column.levels:
        return place.selectbox(label, [str(level.value) for level in column.levels], index=None, key=key)
    return place.text_input(label, key=key) or None
