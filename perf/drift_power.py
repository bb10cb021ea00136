"""How often drift is found that is there, and said to be where there is none: `python -m perf.drift_power`.

Windows of 2,000 rows are drawn from tables whose training part is another draw of the same rows' population, so that
nothing has drifted, and judged as an endpoint's are: all columns and the score together, by the usual limits. Then one
column of each of 200 further windows is changed: a number moves by half a standard deviation, or a category of one row
in twenty or more becomes twice as frequent.

Real tables (bank marketing, adult, German credit) are split anew several times, and a LightGBM model is trained on each
training part in five folds: its out-of-fold scores are what the mean of the five says of the windows is compared with.
German credit has 1,000 rows: a window is 2,000 draws with replacement from the rows kept aside and from the training
rows alike, and its training part as well, which makes all of them samples of one population. Made tables have ties, few
levels, heavy tails, many levels and missing values; their score is a fixed function of the columns.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import beta

from core.domain.data import NUMERIC, ColumnKind
from core.domain.drift import ColumnDrift, DriftVerdict
from core.ml.drift.judge import Judged, judge
from core.ml.drift.reference import Reference, of_column, of_numbers
from core.ml.drift.tally import tally

WINDOW = 2_000
SHIFT = 0.5
SHARE_MIN = 0.05
MADE = ("made-1000", "made-20000")
TARGETS = {"bankmarketing_train": "y", "adult": "income", "german_credit": "credit_risk"}
Cells = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Source:
    """One training part, and windows of the same population."""

    name: str
    kinds: Mapping[str, ColumnKind]
    reference: Reference
    draw: Callable[[np.random.Generator], Cells]
    score: Callable[[Cells], Sequence[float]] | None

    def judged(self, cells: Cells) -> Judged:
        """The verdicts on a window, as an endpoint's."""
        tallies = {column.name: tally(column, cells[column.name]) for column in self.reference.columns}
        if self.score is not None and self.reference.score is not None:
            tallies[""] = tally(self.reference.score, self.score(cells))
        return judge(self.reference, tallies, {})


def alarms(found: Judged) -> list[ColumnDrift]:
    """What is said to have drifted, the score too."""
    every = [*found.columns, *([found.score] if found.score else [])]
    return [column for column in every if column.verdict in (DriftVerdict.DRIFTED, DriftVerdict.MATTERS)]


def planted(source: Source, cells: Cells, random: np.random.Generator, numeric: bool) -> tuple[str, Cells] | None:
    """A window of which one column has drifted; None of a table that has no such column."""
    names = [name for name, kind in source.kinds.items() if (kind in NUMERIC) is numeric and _can(cells[name], numeric)]
    if not names:
        return None
    name = str(random.choice(names))
    return name, {**cells, name: shifted(source, name, cells) if numeric else doubled(cells[name], random)}


def _can(values: Sequence[Any], numeric: bool) -> bool:
    return numeric or bool(_levels(values))


def shifted(source: Source, name: str, cells: Cells) -> list[Any]:
    """Each number half a standard deviation of training higher."""
    column = next(c for c in source.reference.columns if c.name == name)
    step = SHIFT * (column.deviation or 0.0)
    return [None if value is None else value + step for value in cells[name]]


def doubled(values: Sequence[Any], random: np.random.Generator) -> list[Any]:
    """One category of at least one row in twenty takes as many rows again from the others."""
    levels = _levels(values)
    level = levels[random.integers(len(levels))]
    others = [at for at, value in enumerate(values) if value != level]
    taken = set(random.choice(others, len(values) - len(others), replace=False).tolist())
    return [level if at in taken else value for at, value in enumerate(values)]


def _levels(values: Sequence[Any]) -> list[Any]:
    counts = pd.Series(values, dtype=object).value_counts()
    return [level for level, rows in counts.items() if SHARE_MIN <= rows / len(values) <= 0.5]


# Tables


def made(name: str, seed: int) -> Source:
    """A table as nobody would choose it: ties, few levels, heavy tails, many levels, missing values."""
    rows = int(name.partition("-")[2])
    texts = [f"name {at}" for at in range(3_000)]
    zipf = 1 / np.arange(1, 41)
    forty = np.random.default_rng(3).permutation([f"level {at}" for at in range(40)])

    def cells(random: np.random.Generator, count: int) -> Cells:
        known = random.normal(size=count)
        several = random.choice(["a", "b", "c", "d", "e"], count, p=[0.5, 0.25, 0.15, 0.06, 0.04])
        return {
            "normal": known.tolist(),
            "skewed": np.exp(known + random.normal(size=count)).tolist(),
            "heavy": random.standard_cauchy(count).tolist(),
            "ties": np.round(random.normal(size=count), 1).tolist(),
            "few": random.integers(0, 4, count).tolist(),
            "zeros": np.where(random.random(count) < 0.9, 0.0, random.exponential(100.0, count)).tolist(),
            "gaps": [None if gap else float(v) for gap, v in zip(random.random(count) < 0.2, known, strict=True)],
            "two": random.choice(["no", "yes"], count, p=[0.9, 0.1]).tolist(),
            "several": [None if gap else str(v) for gap, v in zip(random.random(count) < 0.05, several, strict=True)],
            "forty": random.choice(forty, count, p=zipf / zipf.sum()).tolist(),
            "even": random.choice(forty, count).tolist(),
            "names": random.choice(texts, count).tolist(),
            "flag": (random.random(count) < 0.3).tolist(),
        }

    def score(table: Cells) -> list[float]:
        return (1 / (1 + np.exp(-np.array(table["normal"]) - np.array(table["few"])))).tolist()

    random = np.random.default_rng([seed, 11])
    training = cells(random, rows)
    kinds = {column: _kind(values) for column, values in training.items()}
    return Source(name, kinds, _reference(training, kinds, score(training)), lambda r: cells(r, WINDOW), score)


def _kind(values: Sequence[Any]) -> ColumnKind:
    first = next(value for value in values if value is not None)
    kinds = {bool: ColumnKind.BOOLEAN, int: ColumnKind.INTEGER, float: ColumnKind.NUMBER}
    return kinds.get(type(first), ColumnKind.STRING)


def real(name: str, folder: Path, seed: int) -> Source:
    """One split of a real table with a model of its training part."""
    table = pd.read_csv(folder / f"{name}.csv.xz")
    target = (table.pop(TARGETS[name]).astype(str) == str(_positive(name, folder))).to_numpy().astype(float)
    random = np.random.default_rng([seed, 7])
    small = len(table) < 3 * WINDOW
    order = random.permutation(len(table))
    training = random.choice(len(table), int(0.8 * len(table))) if small else order[: int(0.7 * len(table))]
    aside = np.arange(len(table)) if small else order[int(0.7 * len(table)) :]
    kinds = {column: _kind_of(table[column]) for column in table}
    learned = table.iloc[training]
    out_of_fold, ask = (None, None) if small else _trained(table, kinds, training, target, seed)

    def draw(r: np.random.Generator) -> Cells:
        some = table.iloc[r.choice(aside, WINDOW, replace=small)]
        return {**_cells(some), "#": some.index.tolist()}

    reference = _reference(_cells(learned), kinds, out_of_fold)
    return Source(name, kinds, reference, draw, None if ask is None else lambda cells: ask(cells["#"]))


def _positive(name: str, folder: Path) -> str:
    return str(pd.read_csv(folder / f"{name}.csv.xz", usecols=[TARGETS[name]])[TARGETS[name]].value_counts().index[-1])


def _trained(
    table: pd.DataFrame, kinds: Mapping[str, ColumnKind], training: Any, target: Any, seed: int
) -> tuple[list[float], Callable[[Sequence[int]], list[float]]]:
    """Scores of the training rows out of fold, and what the mean of the folds' models says of any rows."""
    import lightgbm

    coded = table.apply(lambda c: c if kinds[c.name] in NUMERIC else c.astype("category").cat.codes).to_numpy(float)
    fold = np.random.default_rng(seed).integers(0, 5, len(training))
    out_of_fold, everywhere = np.zeros(len(training)), np.zeros(len(table))
    for at in range(5):
        data = lightgbm.Dataset(coded[training[fold != at]], target[training[fold != at]])
        settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 15, "learning_rate": 0.1}
        said = lightgbm.train(settings, data, 60).predict(coded)
        out_of_fold[fold == at] = said[training[fold == at]]
        everywhere += said / 5
    return out_of_fold.tolist(), lambda rows: everywhere[list(rows)].tolist()


def _reference(cells: Cells, kinds: Mapping[str, ColumnKind], scores: Sequence[float] | None) -> Reference:
    columns = tuple(of_column(name, kind, cells[name]) for name, kind in kinds.items())
    return Reference(columns, None if scores is None else of_numbers("", ColumnKind.NUMBER, np.array(scores)))


def _kind_of(column: "pd.Series[Any]") -> ColumnKind:
    return ColumnKind.NUMBER if pd.api.types.is_numeric_dtype(column) else ColumnKind.STRING


def _cells(table: pd.DataFrame) -> Cells:
    return {str(name): table[name].astype(object).where(table[name].notna(), None).tolist() for name in table}


# The study


def sources(names: Sequence[str], folder: Path, splits: int) -> Iterator[tuple[Source, int]]:
    """Each table split anew so many times, with the number of the split."""
    for name in names:
        for split in range(splits):
            yield (made(name, split) if name in MADE else real(name, folder, split)), split


def study(source: Source, seed: int, still: int, moved: int) -> dict[str, Any]:
    """Windows without drift that gave an alarm, and planted drift that was found, on one split."""
    random = np.random.default_rng([seed, 23])
    cried: list[str] = []
    quiet = 0
    for _ in range(still):
        found = alarms(source.judged(source.draw(random)))
        cried += [column.column or "score" for column in found]
        quiet += not found
    tried = {True: 0, False: 0}
    seen = {True: 0, False: 0}
    missed = []
    for at in range(moved):
        numeric = bool(at % 2)
        plan = planted(source, source.draw(random), random, numeric)
        if plan is None:
            continue
        tried[numeric] += 1
        hit = plan[0] in {column.column for column in alarms(source.judged(plan[1]))}
        seen[numeric] += hit
        missed += [] if hit else [plan[0]]
    return {
        "table": source.name, "windows": still, "alarms": still - quiet, "cried": cried, "missed": missed,
        "numbers": tried[True], "numbers_found": seen[True], "categories": tried[False],
        "categories_found": seen[False],
    }  # fmt: skip


def upper(count: int, of: int) -> float:
    """The upper end of the exact (Clopper and Pearson) 95 % interval of a share."""
    return float(beta.ppf(0.975, count + 1, of - count)) if count < of else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--tables", nargs="*", default=[*TARGETS, *MADE])
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--windows", type=int, default=40, help="without drift, of each split")
    parser.add_argument("--planted", type=int, default=4, help="of each split")
    args = parser.parse_args()
    found = []
    for source, split in sources(args.tables, args.data, args.splits):
        found.append(study(source, split, args.windows, args.planted))
        print(json.dumps(found[-1]), flush=True)
    print(table_of(found))


def table_of(found: Sequence[Mapping[str, Any]]) -> str:
    """The figures as a table of Markdown, a line for each table and one for all."""
    lines = ["| table | windows without drift | with an alarm | upper 95 % bound | shifts found | doublings found |"]
    lines.append("|---|---|---|---|---|---|")
    for name in [*dict.fromkeys(one["table"] for one in found), "all"]:
        mine = [one for one in found if name in ("all", one["table"])]
        total = {key: sum(one[key] for one in mine) for key in mine[0] if isinstance(mine[0][key], int)}
        lines.append(
            f"| {name} | {total['windows']:,} | {total['alarms']} | {upper(total['alarms'], total['windows']):.2%} "
            f"| {total['numbers_found']} of {total['numbers']} | {total['categories_found']} of {total['categories']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
