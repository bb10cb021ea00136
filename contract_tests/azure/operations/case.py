"""One public operation of the SDK: how it is run once, and what becomes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.azure.operations.world import World

Run = Callable[[World], Any]


@dataclass(frozen=True)
class Case:
    """`refused` is why the emulation does not do it; empty where it does."""

    run: Run
    refused: str = ""
    says: str = ""
    """What a refusal has in its message, as a regular expression."""


def works(runs: Mapping[str, Run]) -> dict[str, Case]:
    return {name: Case(run) for name, run in runs.items()}


def refused(why: str, says: str, runs: Mapping[str, Run]) -> dict[str, Case]:
    return {name: Case(run, why, says) for name, run in runs.items()}
