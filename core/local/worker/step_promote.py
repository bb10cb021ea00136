"""Give a deployment whose gate has passed all traffic; the others stay, with none."""

from collections.abc import Mapping

import msgspec

from core.domain.endpoint import Endpoint
from core.domain.errors import GateRefused, StateChanged
from core.domain.run import StepResult
from core.durable import write_atomic
from core.local.worker.step_attempt import Step, acted, waited
from core.local.worker.work import Work

SETTLED_TIMEOUT_S = 30.0
BY = "pipeline"


def run(work: Work, step: Step) -> StepResult:
    """Twice is once. Raises GateRefused, and StateChanged where the traffic has changed under the run."""
    name, _, deployment = step.inputs["deployment"].partition("/")
    if not work.store.deployments.get(name, deployment).proven:
        raise GateRefused(f"The gate of {name}/{deployment} has not passed", hint="Its report says why")
    endpoint = work.store.endpoints.get(name)
    before = _before(work, endpoint)
    if endpoint.traffic.get(deployment) != 100:
        _check_live(endpoint, step.inputs.get("live"))
        traffic = {**{d.name: 0 for d in endpoint.deployments}, deployment: 100}
        work.workspace.endpoints.set_traffic(name, traffic, by=BY, expected=endpoint.traffic)
    acted()
    endpoint = waited(lambda: work.store.endpoints.get(name), lambda now: now.settled, SETTLED_TIMEOUT_S)
    if not endpoint.settled:
        work.log.warning(f"The server of {name} has not taken up the change within {SETTLED_TIMEOUT_S:g} s.")
    had = ", ".join(f"{other} {percent} %" for other, percent in before.items() if percent and other != deployment)
    said = f"{name}/{deployment} has all traffic" + (f"; before: {had}" if had else "")
    return StepResult({"promoted": True, "traffic": dict(endpoint.traffic), "previous": dict(before)}, note=said)


def _before(work: Work, endpoint: Endpoint) -> Mapping[str, int]:
    """The traffic that the step has met, also where it was killed after it had changed it."""
    kept = work.folder / "before.json"
    if not kept.exists():
        write_atomic(kept, msgspec.json.encode(dict(endpoint.traffic)))
    found: dict[str, int] = msgspec.json.decode(kept.read_bytes())
    return found


def _check_live(endpoint: Endpoint, compared: str | None) -> None:
    """Raise StateChanged where another one is live than the new model was compared with."""
    chosen = endpoint.chosen("")
    live = f"{endpoint.name}/{chosen.name}" if chosen else ""
    if compared is not None and compared != live:
        raise StateChanged(
            f"The new model was compared with {compared or 'none'}, but {live or 'none'} is live now",
            hint="Run the pipeline again, so that it is compared with the one that is live",
        )
