"""What is checked of a table before anything is trained on it, and what was done about it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.domain.counting import columns_said, counted, several, short
from core.domain.data import ColumnKind, ColumnRole, TableProfile
from core.domain.errors import TableUnusable
from core.domain.signature import CLOSED_LEVELS_MAX, Scalar, Signature
from core.domain.training import CLASSES_MAX, Guardrail, GuardrailState, Task
from core.ml.data.profile import positive_level
from core.ml.data.table import open_table
from core.ml.task import LearningProblem

ROWS_MIN = 10
"""Fewer known targets give no model that anybody could judge."""
WHY_USELESS: Mapping[ColumnRole, str] = {
    ColumnRole.ID: "has a different value in nearly every row, like an ID or free text",
    ColumnRole.CONSTANT: "has the same value in every row",
    ColumnRole.EMPTY: "is empty",
}
LABEL_MAX_CHARS = 1_000
"""A class is named in every document and in many answers: what is longer is text, and no name."""
WHOLE_MAX = 2**53
"""Beyond, a float does not tell one whole number from the next, and may be none that 64 bits hold."""
NUMBER_MAX = 1e38
"""The learners hold a regression's target in 32 bits."""
SMALL_CLASS_SHARE = 0.2
"""Azure calls classes imbalanced when the smallest has less than a fifth of the largest one's rows."""


@dataclass(frozen=True, slots=True)
class TargetCheck:
    """A target that can be learned. `rows` count per class, in the order of `classes`; `missing` rows are left out."""

    classes: tuple[Scalar, ...]
    rows: tuple[int, ...]
    missing: int


def check_target(profile: TableProfile, table: Path, target: str, task: Task = Task.CLASSIFICATION) -> TargetCheck:
    """The classes of `target`, with their JSON type; of two, the positive one (yes, true, 1, else the rarer) is last.

    Raises TableUnusable: an empty table, no such column, no value, one class, more than 100 classes, one that is
    called by a long text, or too few rows.
    """
    if not profile.rows:
        raise TableUnusable("The table has no rows", hint="Register a table with at least a few rows of each class")
    names = [c.name for c in profile.columns]
    if target not in names:
        raise TableUnusable(f"There is no column '{target}' to predict", hint=columns_said(names, target))
    if task is Task.REGRESSION:
        return _check_numbers(profile, target)
    kind = profile.column(target).kind
    with open_table(table) as cells:
        found = cells.counts(target, kind, CLASSES_MAX + 1)
    if len(found) < 2:
        has = f"has the one value '{short(found[0][0])}' in every row" if found else "has no value in any row"
        raise TableUnusable(f"The target '{target}' {has}", hint="A classification needs at least two classes")
    if len(found) > CLASSES_MAX:
        raise TableUnusable(
            f"The target '{target}' has {profile.column(target).distinct:,} different values, at most {CLASSES_MAX} "
            "classes are supported",
            hint="For a number ask for regression; otherwise choose a column with categories",
        )
    ordered = _ordered(profile, target, found)
    _check_rows(target, ordered)
    _check_labels(target, ordered)
    missing = profile.rows - sum(n for _, n in ordered)
    return TargetCheck(_plain([v for v, _ in ordered]), tuple(n for _, n in ordered), missing)


def _check_numbers(profile: TableProfile, target: str) -> TargetCheck:
    """A regression's target, without classes. Raises TableUnusable where it is no number, or has too few values."""
    column = profile.column(target)
    if column.kind not in (ColumnKind.INTEGER, ColumnKind.NUMBER):
        raise TableUnusable(
            f"The target '{target}' is no column of numbers but of kind {column.kind}",
            hint="Ask for classification, or choose a column of numbers",
        )
    known = profile.rows - column.missing
    if known < ROWS_MIN or column.distinct < 2:
        raise TableUnusable(
            f"The target '{target}' has {counted(column.distinct, 'different value')} in {counted(known, 'row')}, "
            f"expected at least 2 in at least {ROWS_MIN}",
            hint="Register a table with more rows, or choose another target",
        )
    if (largest := max(abs(column.low or 0.0), abs(column.high or 0.0))) > NUMBER_MAX:
        raise TableUnusable(
            f"The target '{target}' has values up to {largest:.3g}, at most {NUMBER_MAX:.3g} can be learned",
            hint="Register the table with the target in a larger unit, or choose another target",
        )
    return TargetCheck((), (known,), column.missing)


def _check_rows(target: str, counts: Sequence[tuple[Scalar, int]]) -> None:
    """Raise TableUnusable where no model could be learned on some rows and judged on others."""
    rows, twice = sum(n for _, n in counts), sum(n > 1 for _, n in counts)
    if rows < ROWS_MIN:
        raise TableUnusable(
            f"{counted(rows, 'row')} with a value of '{target}', expected at least {ROWS_MIN} to train and test on",
            hint="Register a table with more rows",
        )
    if twice < 2:
        raise TableUnusable(
            f"The target '{target}' has {len(counts)} classes, but only {twice} with more than one row",
            hint="At least two classes need two rows each: one to train on and one to test on",
        )


def _check_labels(target: str, counts: Sequence[tuple[Scalar, int]]) -> None:
    """Raise TableUnusable where a class is called by a long text."""
    longest = max(len(str(value)) for value, _ in counts)
    if longest > LABEL_MAX_CHARS:
        raise TableUnusable(
            f"The target '{target}' has a value of {longest:,} characters, at most {LABEL_MAX_CHARS:,} name a class",
            hint="Choose a column with categories; free text cannot be predicted",
        )


def check_inputs(profile: TableProfile, target: str, exclude: Sequence[str] = ()) -> None:
    """Raise TableUnusable where no column is left to predict `target` from, and say of each why."""
    others = [c for c in profile.columns if c.name != target]
    if any(c.role is ColumnRole.FEATURE and c.name not in exclude for c in others):
        return
    whys = [f"'{short(c.name)}' {'is excluded' if c.name in exclude else WHY_USELESS[c.role]}" for c in others]
    shown = "; ".join(whys[:5]) + (f"; and {len(whys) - 5} more" if len(whys) > 5 else "")
    raise TableUnusable(
        f"No column is left to predict '{target}' from: {shown or 'it is the only one'}",
        hint="Register a table with columns whose values repeat, or with numbers; free text is not used for training",
    )


def _ordered(profile: TableProfile, target: str, found: list[tuple[Scalar, int]]) -> list[tuple[Scalar, int]]:
    """Classes in their natural order; of two, the negative one first."""
    ordered = sorted(found, key=lambda pair: pair[0])
    levels = profile.column(target).levels
    if len(ordered) == 2 and len(levels) == 2:
        positive = positive_level(levels).lower()
        ordered.sort(key=lambda pair: _text(pair[0]) == positive)
    return ordered


def _text(value: Scalar) -> str:
    """As the profile writes its levels, in lower case."""
    return str(value).lower()


def _plain(values: list[Scalar]) -> tuple[Scalar, ...]:
    """Classes 0.0 and 1.0 are integers that once stood beside an empty cell."""
    if all(isinstance(v, float) and v.is_integer() and abs(v) <= WHOLE_MAX for v in values):
        return tuple(int(v) for v in values)
    return tuple(values)


def useless_columns(profile: TableProfile, target: str) -> tuple[str, ...]:
    """Columns from which nothing general can be learned: ids, constants and empty ones."""
    useful = ColumnRole.FEATURE
    return tuple(c.name for c in profile.columns if c.name != target and c.role is not useful)


def guardrails(profile: TableProfile, problem: LearningProblem, target: TargetCheck) -> tuple[Guardrail, ...]:
    """Every check with its verdict, in a fixed order."""
    return tuple(_each(profile, problem, target))


def _each(profile: TableProfile, problem: LearningProblem, target: TargetCheck) -> Iterator[Guardrail]:
    signature = problem.signature
    yield _missing_values(profile, signature)
    yield _missing_target(signature.target, target, profile.rows)
    yield _high_cardinality(profile, signature)
    yield _useless(profile, signature)
    if dates := [c.name for c in signature.used if profile.column(c.name).dates]:
        yield _dates(dates)
    if target.classes:
        yield _class_balance(target, problem.models)
    yield Guardrail("validation_split", GuardrailState.DONE, f"Every trial is scored on {_judged(problem)}")


def _judged(problem: LearningProblem) -> str:
    if problem.validation_table:
        return "the rows of the validation table, which it is not trained on"
    if problem.validation_share:
        return f"{100 * problem.validation_share:.3g} % of the rows, which it is not trained on"
    by = "by class" if problem.signature.classes else "by the size of the target"
    return f"{problem.rows:,} rows by {problem.folds}-fold cross-validation, stratified {by}"


def _missing_values(profile: TableProfile, signature: Signature) -> Guardrail:
    holes = [profile.column(c.name) for c in signature.used if profile.column(c.name).missing]
    if not holes:
        return Guardrail("missing_values", GuardrailState.PASSED, "No column in use has missing values")
    cells = sum(c.missing for c in holes)
    worst = max(holes, key=lambda c: c.missing)
    share = f"{100 * worst.missing / worst.rows:.1f} %"
    return Guardrail(
        "missing_values",
        GuardrailState.DONE,
        f"{counted(cells, 'missing cell')} in {counted(len(holes), 'column')}; learners take them as missing "
        f"(most in '{worst.name}': {share})",
    )


def _missing_target(name: str, target: TargetCheck, rows: int) -> Guardrail:
    if not target.missing:
        return Guardrail("missing_target", GuardrailState.PASSED, f"Every row has a value of '{name}'")
    detail = f"{target.missing:,} of {rows:,} rows have no value of '{name}' and are left out"
    return Guardrail("missing_target", GuardrailState.DONE, detail)


def _high_cardinality(profile: TableProfile, signature: Signature) -> Guardrail:
    used = [profile.column(c.name) for c in signature.used if c.kind is ColumnKind.STRING]
    texts = [c for c in used if not c.dates]
    many = [f"'{c.name}' ({c.distinct:,})" for c in texts if c.distinct > CLOSED_LEVELS_MAX]
    if not many:
        return Guardrail(
            "high_cardinality", GuardrailState.PASSED, f"No text column has more than {CLOSED_LEVELS_MAX} levels"
        )
    detail = f"Text with many levels, of which the rare ones are grouped: {several(many)}"
    return Guardrail("high_cardinality", GuardrailState.DONE, detail)


def _dates(names: Sequence[str]) -> Guardrail:
    quoted = ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    detail = f"Dates are used as days, month, day of the month, weekday and, with times, hour: {quoted}"
    return Guardrail("dates", GuardrailState.DONE, detail)


def _useless(profile: TableProfile, signature: Signature) -> Guardrail:
    unused = {c.name for c in signature.columns if not c.used}
    roles = {ColumnRole.ID: "an id", ColumnRole.CONSTANT: "constant", ColumnRole.EMPTY: "empty"}
    found = [f"'{c.name}' is {roles[c.role]}" for c in profile.columns if c.name in unused and c.role in roles]
    if not found:
        return Guardrail("useless_columns", GuardrailState.PASSED, "No column is an ID, constant or empty")
    return Guardrail("useless_columns", GuardrailState.DONE, f"Not used for training: {several(found)}")


def _class_balance(target: TargetCheck, folds: int) -> Guardrail:
    smallest = min(range(len(target.rows)), key=target.rows.__getitem__)
    share = f"'{target.classes[smallest]}' has {target.rows[smallest]:,} rows, {_share(target, smallest)} of all"
    if target.rows[smallest] < folds:
        detail = f"The class {share}: too few for each of {folds} folds"
    elif target.rows[smallest] < SMALL_CLASS_SHARE * max(target.rows):
        detail = f"The class {share}: use AUC or balanced accuracy rather than accuracy"
    else:
        return Guardrail("class_balance", GuardrailState.PASSED, f"The smallest class {share}")
    return Guardrail("class_balance", GuardrailState.ALERTED, detail)


def _share(target: TargetCheck, at: int) -> str:
    return f"{100 * target.rows[at] / sum(target.rows):.1f} %"
