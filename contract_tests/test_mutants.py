"""The suite finds every planted bug, and never complains about the correct server."""

import pytest

from contract_tests.mutants.planted import MUTANTS, Mutant
from contract_tests.reference import KEY, Reference, Reply, serving
from core.checks import run_checks
from core.domain.proof import Target


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_bug_is_found(mutant: Mutant) -> None:
    with serving(mutant.make()) as url:
        results = run_checks(Target(url, KEY), parts=(mutant.part,))
    failed = [result for result in results if result.passed is False]
    assert failed
    assert all(result.evidence for result in failed)
    assert all(url in result.curl and KEY[:8] not in result.curl + result.evidence for result in failed)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_bug_can_be_seen(mutant: Mutant) -> None:
    def ask(server: Reference) -> Reply:
        for _ in range(mutant.before):
            server.respond(mutant.witness)
        return server.respond(mutant.witness)

    healthy, sick = ask(Reference()), ask(mutant.make())
    healthy.headers["x-request-id"] = sick.headers["x-request-id"] = ""
    assert sick != healthy


@pytest.mark.parametrize("seed", range(3))
def test_the_correct_server_raises_no_alarm(seed: int) -> None:
    with serving(Reference()) as url:
        results = run_checks(Target(url, KEY), seed=seed)
    assert [(result.name, result.evidence) for result in results if result.passed is False] == []
