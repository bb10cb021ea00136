"""From a table and a spec to the problem that every trial solves."""

from dataclasses import dataclass, replace
from pathlib import Path

from core.contract.signature import signature_of
from core.domain.data import TableProfile
from core.domain.training import Guardrail, TrainingSpec
from core.ml.data.encoding import codes
from core.ml.data.folds import folds_for
from core.ml.data.guardrails import check_inputs, check_target, guardrails, useless_columns
from core.ml.data.leaks import leak_note
from core.ml.data.spellings import spelling_note
from core.ml.data.table import open_table, read_training
from core.ml.task import Labels, LearningProblem

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
        coded = tuple(codes(signature, profile, cells))
    rows = sum(target.rows)
    problem = LearningProblem(str(table), signature, coded, rows, folds_for(rows, spec.folds), spec.seed)
    some, their_labels = read_training(problem, rows_max=LEAK_ROWS)
    note = leak_note(problem, some, their_labels)
    labels = their_labels if problem.rows <= LEAK_ROWS else _labels(problem)
    spelled = spelling_note(profile.column(spec.target))
    notes = (*([note] if note else []), *([spelled.text] if spelled else []))
    return Prepared(problem, labels, guardrails(profile, problem, target), notes)


def _labels(problem: LearningProblem) -> Labels:
    return read_training(replace(problem, codes=()))[1]
