"""From a table and a spec to the problem that every trial solves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.contract.signature import signature_of
from core.domain.data import ColumnKind, TableProfile
from core.domain.signature import Column, Signature
from core.domain.training import Guardrail, TrainingSpec
from core.ml.data.guardrails import TargetCheck, check_inputs, check_target, guardrails, useless_columns
from core.ml.data.leaks import leak_note
from core.ml.data.spellings import spelling_note
from core.ml.data.table import Table, open_table, read_training
from core.ml.task import Labels, LearningProblem
from core.predict.dates import PARTS, part_of
from core.predict.encoder import ColumnCode

LEVELS_MAX = 255
"""Levels of an open text column that get a code of their own; the boosters bin at 255 anyway."""
LEAK_ROWS = 20_000
"""Enough rows to see a leak; more would only take time."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a search starts from. `labels` index the classes, for the rows whose target is known, in table order."""

    problem: LearningProblem
    labels: Labels
    guardrails: tuple[Guardrail, ...]
    notes: tuple[str, ...]


def prepare(table: Path, spec: TrainingSpec, profile: TableProfile) -> Prepared:
    """Check the target, drop what is useless, code the columns. Raises TableUnusable, SpecInvalid (bad `exclude`)."""
    target = check_target(profile, table, spec.target)
    check_inputs(profile, spec.target, spec.exclude)
    dropped = [name for name in useless_columns(profile, spec.target) if name not in spec.exclude]
    signature = signature_of(profile, spec.target, target.classes, exclude=spec.exclude, dropped=dropped)
    with open_table(table) as cells:
        codes = tuple(_codes(signature, profile, cells))
    problem = LearningProblem(str(table), signature, codes, sum(target.rows), _folds(spec, target), spec.seed)
    some, their_labels = read_training(problem, rows_max=LEAK_ROWS)
    note = leak_note(problem, some, their_labels)
    labels = their_labels if problem.rows <= LEAK_ROWS else _labels(problem)
    spelled = spelling_note(profile.column(spec.target))
    notes = (*([note] if note else []), *([spelled.text] if spelled else []))
    return Prepared(problem, labels, guardrails(profile, problem, target), notes)


def split(labels: Labels, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each row: every class is dealt round, on from where the last one stopped, in a shuffled order."""
    random = np.random.default_rng(seed)
    order = np.concatenate([random.permutation(np.flatnonzero(labels == c)) for c in np.unique(labels)])
    fold = np.empty(len(labels), dtype=np.int64)
    fold[order] = np.arange(len(labels)) % folds
    return fold


def _labels(problem: LearningProblem) -> Labels:
    bare = LearningProblem(problem.table, problem.signature, (), problem.rows, problem.folds, problem.seed)
    return read_training(bare)[1]


def _folds(spec: TrainingSpec, target: TargetCheck) -> int:
    """Many folds cost little on few rows and leave more of them to learn from."""
    rows = sum(target.rows)
    wanted = spec.folds or (3 if rows >= 20_000 else 5 if rows >= 1_000 else 10)
    return max(2, min(wanted, rows))


def _codes(signature: Signature, profile: TableProfile, cells: Table) -> Iterator[ColumnCode]:
    for column in signature.used:
        if dates := profile.column(column.name).dates:
            yield from _date_codes(column, dates)
            continue
        distinct = profile.column(column.name).distinct
        levels, complete = column.levels, distinct <= len(column.levels)
        if column.kind is ColumnKind.STRING and not column.closed:
            found = cells.counts(column.name, column.kind, LEVELS_MAX + 1)
            levels, complete = tuple(sorted(str(v) for v, _ in found[:LEVELS_MAX])), len(found) <= LEVELS_MAX
        yield ColumnCode(column.name, column.kind, levels, _fill(column, levels, complete))


def _date_codes(column: Column, dates: str) -> Iterator[ColumnCode]:
    """A code for each part of a column of dates; an unknown date is taken as the typical one where none was missing."""
    order, _, time = dates.partition("+")
    for part in PARTS:
        if part == "hour" and not time:
            continue
        fill = part_of(column.typical, order, part)
        known = not column.nullable and fill == fill
        yield ColumnCode(column.name, ColumnKind.NUMBER, (), fill if known else None, order, part)


def _fill(column: Column, levels: tuple[str, ...], complete: bool) -> float | None:
    """A stand-in for what training never met: only where no cell is missing and every level has a code."""
    if column.nullable or column.typical is None:
        return None
    if column.kind is not ColumnKind.STRING:
        return float(column.typical)
    return float(levels.index(str(column.typical))) if complete and column.typical in levels else None
