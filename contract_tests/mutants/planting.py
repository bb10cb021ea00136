"""How a bug is planted: the correct reference server with one part replaced, and a request that shows it.

The checks may not read names, ports or headers that only mutants have. `witness` is a request whose answer differs from
the reference's, after the requests of `before` for bugs that need a history, or beside other clients for bugs that need
company: a bug that nobody could see is not planted.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contract_tests.reference import KEY, Reference, Request

ROWS = (
    {"age": 30, "balance": 1000.0, "job": "admin", "city": "Oslo", "member": True},
    {"age": 37, "balance": -50.5, "job": "farmer", "city": "Ottawa", "member": False},
    {"age": 62, "balance": None, "job": "pilot", "city": "Lima", "member": None},
)


def post(body: Any, *, method: str = "POST", target: str = "/score", **headers: str) -> Request:
    """POST /score with the key; `headers` replace the usual ones, underscores for dashes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    usual = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    return Request(method, target, usual | {k.replace("_", "-"): v for k, v in headers.items()}, raw)


def row(**changes: Any) -> Request:
    """A request with one row, changed."""
    return post({"data": [ROWS[0] | changes]})


def cell(name: str, literal: bytes) -> Request:
    """A request with one row in which these bytes stand for the column's value."""
    marked = json.dumps({"data": [ROWS[0] | {name: "@@"}], "method": "predict_proba"}).encode()
    return post(marked.replace(b'"@@"', literal))


@dataclass(frozen=True)
class Mutant:
    """One bug. `part` is the part of the suite that must find it alone."""

    name: str
    part: str
    make: Callable[[], Reference]
    witness: Request
    before: tuple[Request, ...] = ()
    in_company: bool = False
    slow: bool = False
    """Found only after a wait: tried with the longer tests."""
    correct: Callable[[], Reference] = Reference
    """The server that it was planted in."""


MUTANTS: list[Mutant] = []


def planted(
    part: str,
    witness: Request,
    *,
    before: tuple[Request, ...] = (),
    in_company: bool = False,
    slow: bool = False,
) -> Callable[[type[Reference]], type[Reference]]:
    """Enter a mutant."""

    def plant(mutant: type[Reference]) -> type[Reference]:
        MUTANTS.append(Mutant(mutant.__name__, part, mutant, witness, before, in_company, slow, _correct(mutant)))
        return mutant

    return plant


def _correct(mutant: type[Reference]) -> type[Reference]:
    """The first of its ancestors that is no bug and no help for bugs."""
    return next(kind for kind in mutant.__mro__[1:] if kind.__module__.rpartition(".")[0] != __package__)


PREDICT = post({"data": ROWS, "method": "predict"})
CHANCES = post({"data": ROWS, "method": "predict_proba"})
