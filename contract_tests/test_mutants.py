"""The suite finds every planted bug, and never complains about a correct server, whatever its style."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from threading import Barrier

import pytest
from turns import in_turn

from contract_tests import found_by
from contract_tests.foreign import Flats, Rain, Wines
from contract_tests.limited import Bounded, Paced, limited
from contract_tests.mutants import MUTANTS, Mutant
from contract_tests.mutants.styles import Unclassed
from contract_tests.other_style import serving_another_style
from contract_tests.reference import KEY, LooseReference, Reference, Request, serving
from contract_tests.styles import Churn, Digits, Iris, Tensors, Wordless
from core.checks import run_checks
from core.domain.errors import NoVerdict
from core.domain.proof import CheckResult, Target

SEEDS = 20
CLIENTS, ROUNDS = 8, 50
SCHEMATHESIS_VARIES = 10
"""Of 235 planted bugs Schemathesis alone found 78, 81 and 83 in three runs."""


def by_class() -> Iterator[object]:
    """Every mutant in a week of quick runs, but for those that take a second or more."""
    quick = [mutant for mutant in MUTANTS if not (mutant.part == "contract" or mutant.slow)]
    yield from in_turn(quick, 7, lambda mutant: mutant.name)
    for mutant in MUTANTS:
        if mutant not in quick:
            yield pytest.param(mutant, id=mutant.name, marks=pytest.mark.full)


def violations(results: tuple[CheckResult, ...]) -> list[tuple[str, str]]:
    return [(result.name, result.evidence) for result in results if result.passed is False]


@pytest.mark.parametrize("mutant", list(by_class()))
def test_every_planted_bug_is_found_by_its_part(mutant: Mutant) -> None:
    with serving(mutant.make()) as url:
        results = run_checks(Target(url, KEY), parts=(mutant.part,))
    failed = [result for result in results if result.passed is False]
    assert failed
    assert all(result.evidence for result in failed)
    assert all(url in result.curl and KEY[:12] not in result.curl + result.evidence for result in failed)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_bug_can_be_seen(mutant: Mutant) -> None:
    if mutant.in_company:
        assert not mixed_up(Reference(), mutant)
        server = mutant.make()
        # A race may come out well by luck, fifty in a row do not.
        assert any(mixed_up(server, mutant) for _ in range(ROUNDS))
    elif not mutant.slow:
        assert seen(mutant.make(), mutant) != seen(mutant.correct(), mutant)


def seen(server: Reference, mutant: Mutant) -> tuple[int, bytes, str, dict[str, str]] | str:
    """What a client can see of the answer to the witness."""
    for request in mutant.before:
        server.respond(request)
    try:
        reply = server.respond(mutant.witness)
    except ConnectionError as e:
        return repr(e)
    told = {name: value for name, value in reply.headers.items() if name != "x-request-id"}
    return reply.status, reply.body, reply.content_type, told


def mixed_up(server: Reference, mutant: Mutant) -> bool:
    """Whether one of many clients that ask at the same moment gets another answer than the reference gives to it."""
    other = replace(mutant.witness, body=mutant.witness.body.replace(b'"age": 30', b'"age": 80'))
    requests = [mutant.witness, other] * (CLIENTS // 2)
    alone = [Reference().respond(request).body for request in requests]
    together = Barrier(CLIENTS)

    def ask(request: Request) -> bytes:
        together.wait(timeout=10)
        return server.respond(request).body

    with ThreadPoolExecutor(CLIENTS) as threads:
        return list(threads.map(ask, requests)) != alone


def serving_limited(size_kb: int, documented: bool) -> AbstractContextManager[str]:
    return serving(limited(size_kb, documented=documented)())


LIMITED = {
    f"bodies of {size_kb} KB, {'' if documented else 'not '}documented": partial(serving_limited, size_kb, documented)
    for size_kb in (64, 256, 1024)
    for documented in (True, False)
}
CORRECT: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "strict document": lambda: serving(Reference()),
    "loose document": lambda: serving(LooseReference()),
    "another style": serving_another_style,
    "a key in a header of its own, prices with intervals": lambda: serving(Flats()),
    "Swagger 2.0, labels beside probabilities": lambda: serving(Wines()),
    "a list of rows, no key": lambda: serving(Rain()),
    "no classes published": lambda: serving(Unclassed()),
    "vetiver's style": lambda: serving(Iris()),
    "KServe's style": lambda: serving(Digits()),
    "BentoML's style": lambda: serving(Churn()),
    "bounds, and nothing observed": lambda: serving(Bounded()),
    "a server that asks to come again later": lambda: serving(Paced()),
} | LIMITED
STRICT, *OTHERS = CORRECT


@pytest.mark.parametrize(
    ("server", "words"),
    [(Tensors, "takes tensors"), (Wordless, "does not say what rows look like: POST /predict has no body")],
)
def test_a_correct_server_that_cannot_be_examined_is_told_so_in_one_sentence(server: type[Iris], words: str) -> None:
    with serving(server()) as url, pytest.raises(NoVerdict, match=words):
        run_checks(Target(url, KEY))


@pytest.mark.parametrize("server", [STRICT, *in_turn(OTHERS, 6)])
@pytest.mark.parametrize("seed", [pytest.param(n, marks=[pytest.mark.full] if n else []) for n in range(SEEDS)])
def test_a_correct_server_raises_no_alarm(server: str, seed: int) -> None:
    with CORRECT[server]() as url:
        results = run_checks(Target(url, KEY), seed=seed)
    assert violations(results) == []
    assert not [result.name for result in results if result.no_verdict]


def test_there_are_at_least_eighty_bugs_in_every_part() -> None:
    assert len(MUTANTS) >= 80
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.part for mutant in MUTANTS} == {"contract", "semantic", "wire"}


@pytest.mark.full
def test_the_table_in_the_documentation_is_what_is_found() -> None:
    """But for what Schemathesis finds alone: it has so many seconds, and sends more or less on another machine."""
    measured, documented = found_by.measured(), found_by.documented()
    alone = found_by.COLUMNS.index("Schemathesis")

    def sure(rows: dict[str, found_by.Row]) -> dict[str, found_by.Row]:
        return {name: (*row[:alone], *row[alone + 1 :]) for name, row in rows.items()}

    assert sure(measured) == sure(documented)
    assert abs(measured["all"][alone] - documented["all"][alone]) <= SCHEMATHESIS_VARIES
