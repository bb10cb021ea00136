"""All public operations of the SDK's classes, with what becomes of each; `docs/azure-emulation.md` shows it."""

from contract_tests.azure.operations import assets, elsewhere, working
from contract_tests.azure.operations.case import Case

OF_THE_NOUNS = frozenset({*assets.CASES, *working.CASES} - {"EvaluatorOperations"})
"""Classes whose operations the emulation is about."""


def cases() -> dict[str, dict[str, Case]]:
    """Class -> operation -> its case."""
    return {**assets.CASES, **working.CASES, **elsewhere.cases()}


def rows() -> list[str]:
    """Lines of a table in Markdown, by class."""
    lines = ["| operation | | why not |", "|---|---|---|"]
    for owner, known in sorted(cases().items()):
        for name, case in sorted(known.items()):
            lines.append(f"| `{owner}.{name}` | {'refused' if case.refused else 'works'} | {case.refused} |")
    return lines


def share() -> tuple[int, int]:
    """(how many of the nouns' operations work, how many there are)."""
    known = [case for owner, each in cases().items() if owner in OF_THE_NOUNS for case in each.values()]
    return sum(not case.refused for case in known), len(known)
