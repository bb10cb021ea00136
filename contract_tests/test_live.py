"""The live endpoint keeps its word, by Schemathesis's own reading and by ours."""

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from living import Live
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from core import gate
from core.checks import Profile, catalogue
from core.domain.endpoint import GateBudget
from core.domain.proof import Target

CONFIG = {
    # 431 refuses a request too, but Schemathesis's own list of refusals lacks it.
    "checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}},
}


OPERATIONS = [("/score", "POST"), ("/swagger.json", "GET"), ("/", "GET")]
ALLOWED = [(*operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
FORBIDDEN = [(*operation, GenerationMode.NEGATIVE) for operation in OPERATIONS if operation != ("/", "GET")]
"""GET / takes nothing that could be sent wrongly."""


@pytest.fixture(scope="module")
def published(live: Target) -> schemathesis.BaseSchema:
    """The document as it is published, with the endpoint behind it."""
    config = SchemathesisConfig.from_dict(CONFIG | {"headers": {"Authorization": f"Bearer {live.key}"}})
    return schemathesis.openapi.from_url(f"{live.url}/swagger.json?version=3.1", config=config)


@pytest.mark.parametrize(("path", "method", "mode"), [*ALLOWED, *FORBIDDEN])
def test_the_live_endpoint_conforms_to_its_document(
    published: schemathesis.BaseSchema, path: str, method: str, mode: GenerationMode
) -> None:
    """What the document allows is answered, what it forbids is rejected, and every answer is as described.

    `schemathesis.pytest.from_fixture` would say this shorter, but 4.32 reads a private name that pytest 9.2 has not.
    """

    @given(case=published[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def conforms(case: schemathesis.Case) -> None:
        case.call_and_validate(timeout=10)

    conforms()


def test_every_version_describes_the_same_operations(live: Target) -> None:
    for version in ("2", "3", "3.1"):
        paths = httpx.get(f"{live.url}/swagger.json", params={"version": version}).json()["paths"]
        described = {(path, method.upper()) for path, item in paths.items() for method in item}
        assert described == set(OPERATIONS), version


@pytest.mark.measures
def test_the_whole_gate_holds_on_the_live_endpoint(live: Target, quickstart: Live) -> None:
    """How fast it is has tests of its own; here a short window only shows that load is answered."""
    budget = GateBudget(p99_ms=5_000, requests_per_s=1, window_s=0.3, windows=1)
    results = gate.run(live, parity=quickstart.model_folder / "parity.npz", budget=budget, profile=Profile.SLIPWAY)
    assert [f"{r.name}: {r.evidence}\n{r.curl}" for r in results if r.passed is False or r.no_verdict] == []
    assert {check.name for check in catalogue()} < {r.name for r in results}
