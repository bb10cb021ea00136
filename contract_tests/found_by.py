"""Which part of the suite finds which planted bug: `python -m contract_tests.found_by` writes the documented table."""

import re
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from contract_tests.mutants import MUTANTS
from contract_tests.reference import KEY, serving
from core.checks import run_checks
from core.domain.proof import Target

DOCUMENT = Path(__file__).parents[1] / "docs" / "contract-tests.md"
BEGIN, END = "<!-- found by: begin -->", "<!-- found by: end -->"
COLUMNS = ("planted", "Schemathesis", "semantic", "wire", "semantic or wire", "any")

Row = tuple[int, ...]


def found(number: int) -> tuple[str, frozenset[str]]:
    """The class of a planted bug, and the parts that find it, each run alone."""
    mutant = MUTANTS[number]
    with serving(mutant.make()) as url:
        parts = [part for part in ("contract", "semantic", "wire") if _sees(url, part)]
    return mutant.make.__module__.rpartition(".")[2], frozenset(parts)  # type: ignore[attr-defined]


def _sees(url: str, part: str) -> bool:
    return any(result.passed is False for result in run_checks(Target(url, KEY), parts=(part,)))


def measured() -> dict[str, Row]:
    """A row for each class of bugs, and one for all of them, as `COLUMNS` says. Takes some minutes."""
    counts: dict[str, Counter[str]] = {}
    with ProcessPoolExecutor() as processes:
        for name, parts in processes.map(found, range(len(MUTANTS))):
            for group in (name, "all"):
                counts.setdefault(group, Counter()).update(_told(parts))
    rest = {name: counts[name] for name in sorted(counts) if name != "all"}
    return {name: tuple(count[column] for column in COLUMNS) for name, count in (rest | {"all": counts["all"]}).items()}


def _told(parts: frozenset[str]) -> list[str]:
    told = ["planted"] + ["Schemathesis"] * ("contract" in parts) + [p for p in ("semantic", "wire") if p in parts]
    return told + ["semantic or wire"] * bool(parts & {"semantic", "wire"}) + ["any"] * bool(parts)


def table(rows: dict[str, Row]) -> str:
    """The rows in Markdown."""
    head = ["| bugs in | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    return "\n".join(head + [f"| {name} | " + " | ".join(map(str, row)) + " |" for name, row in rows.items()])


def documented() -> dict[str, Row]:
    """The rows that stand in the documentation."""
    text = DOCUMENT.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    lines = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.strip().splitlines()[2:]]
    return {name: tuple(map(int, numbers)) for name, *numbers in lines}


def main() -> None:
    rows = measured()
    text = DOCUMENT.read_text("utf-8")
    pattern = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
    DOCUMENT.write_text(pattern.sub(f"{BEGIN}\n{table(rows)}\n{END}", text), "utf-8")
    sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    main()
