"""Whether the tables have what a training names, looked at before its job is queued."""

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from core.domain.counting import columns_said, short
from core.domain.data import ColumnKind, ColumnRole, DataAsset, TableProfile
from core.domain.errors import SpecInvalid, TableUnusable
from core.domain.featurization import Featurization, Imputation
from core.domain.signature import Scalar
from core.domain.training import CLASSES_MAX, Algorithm, Sampling, TrainingSpec
from core.ml.data.guardrails import check_inputs, check_target
from core.ml.data.prepare import kind_of, weights_of
from core.ml.data.scan import open_scan
from core.ml.data.table import open_table
from core.ml.ensembles.threshold import cost_table
from core.ml.featurize import FEATURES
from core.ml.learners.other_names import told
from core.ml.learners.registry import LEARNERS
from core.ml.plan.drawing import grid

READ_AS: Mapping[ColumnKind, str] = {
    ColumnKind.INTEGER: "DOUBLE",
    ColumnKind.NUMBER: "DOUBLE",
    ColumnKind.BOOLEAN: "BOOLEAN",
}


def checked(spec: TrainingSpec, asset: DataAsset, profile: TableProfile, table: Path) -> TrainingSpec:
    """The spec in the table's own names. Raises TableUnusable, SpecInvalid for what the table does not have."""
    _check_hyperparameters(spec)
    _check_constants(spec.featurization)
    spec = _in_its_names(spec, asset)
    found = check_target(profile, table, spec.target, spec.task)
    if unknown := [name for name in spec.exclude if name not in asset.columns]:
        raise SpecInvalid(
            f"Cannot exclude '{unknown[0]}': {asset.ref} has no such column",
            hint=columns_said(asset.columns, unknown[0]),
        )
    wanted = spec.featurization
    for name in (*wanted.column_purposes, *wanted.imputations):
        if name not in asset.columns or name == spec.target:
            others = [column for column in asset.columns if column != spec.target]
            raise SpecInvalid(
                f"The featurization names '{name}', which is no column to train on", hint=columns_said(others, name)
            )
    check_inputs(profile, spec.target, spec.exclude)
    weights_of(spec, found)
    if spec.cost_matrix:
        cost_table(spec.cost_matrix, kind_of(spec.task, found.classes), found.classes)
    return spec


def _check_hyperparameters(spec: TrainingSpec) -> None:
    """Raises SpecInvalid where the search space names what an algorithm does not have, or a grid has no end."""
    for algorithm, params in spec.search_space.items():
        learner = LEARNERS.get(Algorithm(algorithm))
        known = (*learner.hyperparameters, FEATURES) if learner else tuple(params)
        if unknown := [name for name in params if name not in known]:
            meant = told(Algorithm(algorithm), unknown[0])
            alike = get_close_matches(unknown[0], known)
            names = ", ".join(dict.fromkeys((*alike, *known)))
            raise SpecInvalid(
                f"{algorithm} has no hyperparameter '{short(unknown[0])}'",
                hint=f"{meant}. It has: {names}" if meant else f"It has: {names}",
            )
        if spec.sampling_algorithm is Sampling.GRID:
            grid(params)


def _check_constants(wanted: Featurization) -> None:
    """Raises SpecInvalid for a constant that nothing would ever get."""
    for name in wanted.constants:
        if wanted.imputations.get(name) is not Imputation.CONSTANT:
            raise SpecInvalid(
                f"A constant is given for column '{name}', whose missing cells are not filled with one",
                hint=f"Set the imputation of '{name}' to {Imputation.CONSTANT}, or give no constant",
            )


def check_validation(spec: TrainingSpec, table: Path, profile: TableProfile, judge: Path, other: DataAsset) -> None:
    """Raises TableUnusable where the validation table `other` lacks a column, or has text or classes of its own."""
    needed = [column.name for column in profile.columns if column.name not in spec.exclude]
    if lacking := [name for name in needed if name not in other.columns]:
        raise TableUnusable(
            f"The validation data {other.ref} has no column '{lacking[0]}'",
            hint=f"It needs the columns of {spec.data}; exclude the columns that are not used for training",
        )
    for name, text in _unreadable(judge, profile, spec).items():
        raise TableUnusable(
            f"The validation data {other.ref} has '{short(text)}' in '{name}', which holds no text in {spec.data}",
            hint="Register validation data with cells of the same kind, or exclude the column",
        )
    kind = profile.column(spec.target).kind
    values = _values(judge, spec.target, kind)
    if not values:
        raise TableUnusable(
            f"The validation data {other.ref} has no value of '{spec.target}'",
            hint=f"Choose a table in which the target is known, as {kind}",
        )
    if spec.regression:
        return
    if len(values) < 2:
        raise TableUnusable(
            f"The validation data {other.ref} has the one value '{short(values[0])}' of '{spec.target}' in every row",
            hint="Choose a table with rows of at least two classes, by which models can be told apart",
        )
    known = _values(table, spec.target, kind)
    if strange := [value for value in values if value not in known]:
        raise TableUnusable(
            f"The validation data {other.ref} has '{short(strange[0])}' as '{spec.target}', "
            f"which never occurs in {spec.data}",
            hint="Train on rows of that class, too, or leave them out of the validation data",
        )


def _unreadable(judge: Path, profile: TableProfile, spec: TrainingSpec) -> Mapping[str, str]:
    """A text of each column that is read as another kind; columns without one are left out."""
    kinds = {c.name: c.kind for c in profile.columns if c.role is ColumnRole.FEATURE or c.name == spec.target}
    with open_scan(judge) as scan:
        asked = {
            column: [f"min({column.sql}) FILTER (try_cast({column.sql} AS {READ_AS[kind]}) IS NULL)"]
            for column in scan.columns
            if column.kind is ColumnKind.STRING and column.name not in spec.exclude
            if (kind := kinds.get(column.name, ColumnKind.STRING)) is not ColumnKind.STRING
        }
        return {column.name: text for column, (text,) in scan.each(asked) if text is not None}


def _values(table: Path, column: str, kind: ColumnKind) -> list[Scalar]:
    with open_table(table) as cells:
        return [value for value, _ in cells.counts(column, kind, CLASSES_MAX + 1)]


def _in_its_names(spec: TrainingSpec, asset: DataAsset) -> TrainingSpec:
    wanted = spec.featurization
    featurization = replace(
        wanted,
        column_purposes={asset.named(name): purpose for name, purpose in wanted.column_purposes.items()},
        imputations={asset.named(name): how for name, how in wanted.imputations.items()},
        constants={asset.named(name): value for name, value in wanted.constants.items()},
    )
    return replace(
        spec,
        data=asset.ref,
        target=asset.named(spec.target),
        exclude=tuple(asset.named(name) for name in spec.exclude),
        featurization=featurization,
    )
