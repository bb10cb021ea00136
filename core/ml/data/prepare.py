"""From a table and a spec to the problem that every trial solves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.contract.signature import signature_of
from core.domain.data import TableProfile
from core.domain.errors import SpecInvalid
from core.domain.featurization import FeaturizationMode, Purpose
from core.domain.metrics import TaskKind
from core.domain.signature import Scalar, Signature
from core.domain.training import Guardrail, Task, TrainingSpec
from core.ml.data.encoding import codes
from core.ml.data.folds import Places, folds_for, folds_of, share_for
from core.ml.data.guardrails import TargetCheck, check_inputs, check_target, guardrails, useless_columns
from core.ml.data.leaks import leak_note
from core.ml.data.spellings import spelling_note
from core.ml.data.table import open_table, read_judged, read_training
from core.ml.task import LearningProblem, Target
from core.predict.encoder import ColumnCode

LEAK_ROWS = 20_000
"""Enough rows to see a leak; more would only take time."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a search starts from."""

    problem: LearningProblem
    target: Target
    """Of the rows that judge the trials, in table order: places in the classes, or for a regression numbers."""
    blocks: Places
    """The block of each of them: what is decided for a block is decided by the others."""
    guardrails: tuple[Guardrail, ...]
    notes: tuple[str, ...]


def prepare(table: Path, spec: TrainingSpec, profile: TableProfile, validation: Path | None = None) -> Prepared:
    """Check the target, drop what is useless, code the columns. Raises TableUnusable, SpecInvalid (bad `exclude`).

    `validation` is the Parquet file of the spec's validation data, where it has some.
    """
    problem, target = pose(table, spec, profile, validation)
    some, their_target = read_training(problem, rows_max=LEAK_ROWS)
    note = leak_note(problem, some, their_target)
    spelled = spelling_note(profile.column(spec.target))
    notes = (*([note] if note else []), *([spelled.text] if spelled else []))
    (_, known), other = read_judged(replace(problem, codes=()))
    folds = folds_of(problem, known, other)
    checks = guardrails(profile, problem, target)
    return Prepared(problem, known[folds.judged], folds.block[folds.judged], checks, notes)


def pose(
    table: Path, spec: TrainingSpec, profile: TableProfile, validation: Path | None = None
) -> tuple[LearningProblem, TargetCheck]:
    """The problem alone, without a look at the rows. Raises what `prepare` raises."""
    target = check_target(profile, table, spec.target, spec.task)
    exclude = (*spec.exclude, *_ignored(spec, profile))
    check_inputs(profile, spec.target, exclude)
    dropped = [name for name in useless_columns(profile, spec.target) if name not in exclude]
    signature = signature_of(profile, spec.target, target.classes, exclude=exclude, dropped=dropped)
    with open_table(table) as cells:
        coded = tuple(codes(signature, profile, cells, spec.featurization))
    return _problem(table, spec, target, signature, coded, validation), target


def _problem(
    table: Path,
    spec: TrainingSpec,
    target: TargetCheck,
    signature: Signature,
    coded: tuple[ColumnCode, ...],
    validation: Path | None,
) -> LearningProblem:
    rows = sum(target.rows)
    chosen = 0.0 if validation or spec.n_cross_validations else share_for(target.rows)
    return LearningProblem(
        table=str(table),
        signature=signature,
        codes=coded,
        rows=rows,
        folds=folds_for(rows, spec.n_cross_validations, len(coded), min(target.rows) if len(target.rows) == 2 else 0),
        seed=spec.seed,
        kind=kind_of(spec.task, target.classes),
        metric=spec.primary_metric,
        class_weights=weights_of(spec, target),
        featurized=spec.featurization.mode != FeaturizationMode.OFF,
        validation_share=spec.validation_share or chosen,
        validation_table=str(validation or ""),
    )


def _ignored(spec: TrainingSpec, profile: TableProfile) -> tuple[str, ...]:
    """The columns that the featurization ignores. Raises SpecInvalid where it names one that is not there."""
    wanted = spec.featurization
    names = {column.name for column in profile.columns} - {spec.target}
    for name in (*wanted.column_purposes, *wanted.imputations):
        if name not in names:
            raise SpecInvalid(f"The featurization names '{name}', which is no column to train on")
    ignored = (name for name, purpose in wanted.column_purposes.items() if purpose is Purpose.IGNORE)
    return tuple(name for name in ignored if name not in spec.exclude)


def kind_of(task: Task, classes: Sequence[Scalar]) -> TaskKind:
    """What is to be predicted: one of two classes, one of several, or a number."""
    if task is Task.REGRESSION:
        return TaskKind.REGRESSION
    return TaskKind.BINARY if len(classes) == 2 else TaskKind.MULTICLASS


def weights_of(spec: TrainingSpec, target: TargetCheck) -> tuple[float, ...]:
    """What a row of each class weighs, 1 on average over the rows; empty where all weigh the same.

    Raises SpecInvalid for a class that the target does not have.
    """
    if not spec.class_weights:
        return ()
    if isinstance(spec.class_weights, str):
        raw = [1.0 / n for n in target.rows]
    else:
        names = [_text(c) for c in target.classes]
        if unknown := [name for name in spec.class_weights if name not in names]:
            raise SpecInvalid(f"A weight is given for class '{unknown[0]}'", hint=f"The classes: {', '.join(names)}")
        raw = [spec.class_weights.get(name, 1.0) for name in names]
    mean = sum(w * n for w, n in zip(raw, target.rows, strict=True)) / sum(target.rows)
    return tuple(weight / mean for weight in raw)


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
