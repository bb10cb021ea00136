"""The suite finds every planted bug, and never complains about a correct server, whatever its style."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from contract_tests import found_by
from contract_tests.mutants import MUTANTS, Mutant
from contract_tests.other_style import serving_another_style
from contract_tests.reference import KEY, LooseReference, Reference, Reply, serving
from core.checks import run_checks
from core.domain.proof import CheckResult, Target

SEEDS = 20


def by_class() -> Iterator[object]:
    """Every mutant, a third of them in the quick run; those that Schemathesis must find take a second each."""
    for number, mutant in enumerate(MUTANTS):
        longer = number % 3 or mutant.part == "contract" or mutant.slow
        marks = [pytest.mark.full] if longer else []
        yield pytest.param(mutant, id=mutant.name, marks=marks)


def violations(results: tuple[CheckResult, ...]) -> list[tuple[str, str]]:
    return [(result.name, result.evidence) for result in results if result.passed is False]


@pytest.mark.parametrize("mutant", by_class())
def test_every_planted_bug_is_found_by_its_part(mutant: Mutant) -> None:
    with serving(mutant.make()) as url:
        results = run_checks(Target(url, KEY), parts=(mutant.part,))
    failed = [result for result in results if result.passed is False]
    assert failed
    assert all(result.evidence for result in failed)
    assert all(url in result.curl and KEY[:8] not in result.curl + result.evidence for result in failed)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_bug_can_be_seen(mutant: Mutant) -> None:
    if mutant.in_company:
        assert len({reply.body for reply in in_company(mutant.make(), mutant)}) > len(
            {reply.body for reply in in_company(Reference(), mutant)}
        )
    elif not mutant.slow:
        assert seen(mutant.make(), mutant) != seen(Reference(), mutant)


def seen(server: Reference, mutant: Mutant) -> tuple[int, bytes, str, str | None, str | None] | str:
    """What a client can see of the answer to the witness."""
    for request in mutant.before:
        server.respond(request)
    try:
        reply = server.respond(mutant.witness)
    except ConnectionError as e:
        return repr(e)
    allow, challenge = (reply.headers.get(name) for name in ("Allow", "WWW-Authenticate"))
    return reply.status, reply.body, reply.content_type, allow, challenge


def in_company(server: Reference, mutant: Mutant) -> list[Reply]:
    """Answers to two requests by many clients at once."""
    other = MUTANTS[0].witness.body.replace(b'"age": 30', b'"age": 80')
    requests = [mutant.witness, type(mutant.witness)("POST", "/score", mutant.witness.headers, other)] * 20
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(server.respond, requests))


CORRECT = {
    "strict document": lambda: serving(Reference()),
    "loose document": lambda: serving(LooseReference()),
    "another style": serving_another_style,
}


@pytest.mark.parametrize("server", CORRECT)
@pytest.mark.parametrize("seed", [pytest.param(n, marks=[pytest.mark.full] if n else []) for n in range(SEEDS)])
def test_a_correct_server_raises_no_alarm(server: str, seed: int) -> None:
    running: AbstractContextManager[str] = CORRECT[server]()
    with running as url:
        results = run_checks(Target(url, KEY), seed=seed)
    assert violations(results) == []
    assert not [result.name for result in results if result.no_verdict]


def test_there_are_at_least_eighty_bugs_in_every_part() -> None:
    assert len(MUTANTS) >= 80
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    assert {mutant.part for mutant in MUTANTS} == {"contract", "semantic", "wire"}


@pytest.mark.full
def test_the_table_in_the_documentation_is_what_is_found() -> None:
    assert found_by.measured() == found_by.documented()
