"""The metric service (`/metric/v2.0`): what a run has logged, metric by metric."""

from typing import Any

from core.emulator.arm.resources import WORKSPACE, known
from core.emulator.clock import iso
from core.emulator.emulation import Emulation
from core.emulator.jobs import measured, runs
from core.emulator.jobs.measured import Point
from core.emulator.jobs.runs import Run
from core.emulator.jobs.watching import current
from core.emulator.messages import AzureError, Document, Reply, Request
from core.emulator.routes import Route

SCHEMA = "azureml.v1.scalar"


def listed(emulation: Emulation, request: Request) -> Reply:
    """The metrics that a run has, without their values."""
    run = _run(emulation, request)
    found = [
        {
            "metricKey": {"key": None, "name": name, "namespace": "", "label": None, "labelFilters": {}},
            "columns": {name: "Double"},
            "properties": {"uxMetricType": "azureml.v1.scalar", "dataLocation": None},
            "dataContainerId": f"dcid.{run.id}",
            "name": name,
        }
        for name in measured.all_of(emulation, run.id)
    ]
    return Reply(body={"value": found, "continuationToken": None, "nextLink": None})


def full(emulation: Emulation, request: Request) -> Reply:
    """All values of one metric."""
    run, name = _run(emulation, request), str(request.document().get("metricName") or "")
    points = measured.history(emulation, run.id, name)
    if not points:
        raise AzureError(404, "UserError", f"Run {run.id} has no metric '{name}'")
    return Reply(body=_metric(run, name, points))


def sampled(emulation: Emulation, request: Request) -> Reply:
    """The same; nothing is left out of what is kept here."""
    reply = full(emulation, request)
    more = {"derivedLabelValues": {}, "isPartialResult": False, "numValuesLogged": len(reply.body["value"])}
    return Reply(body=reply.body | more)


def logged(emulation: Emulation, request: Request) -> Reply:
    """Values that a client logs, of several metrics at once."""
    run = _run(emulation, request)
    errors: list[Document] = []
    for metric in request.document().get("values") or []:
        name = str(metric.get("name") or "")
        try:
            points = [_point(emulation, name, value) for value in metric.get("value") or []]
        except (KeyError, TypeError, ValueError):
            errors.append({"metric": metric, "errorResponse": {"error": {"code": "UserError", "message": name}}})
            continue
        measured.add(emulation, run.id, name, points)
    return Reply(body={"errors": errors})


def _run(emulation: Emulation, request: Request) -> Run:
    known(emulation, request)
    return current(emulation, runs.get(emulation, request.found["run"]))


def _point(emulation: Emulation, name: str, value: Document) -> Point:
    data: dict[str, Any] = value["data"]
    number = data[name] if name in data else next(iter(data.values()))
    return Point(float(number), int(emulation.clock.now() * 1000), int(value.get("step") or 0))


def _metric(run: Run, name: str, points: tuple[Point, ...]) -> Document:
    return {
        "dataContainerId": f"dcid.{run.id}",
        "name": name,
        "columns": {name: "Double"},
        "properties": {"uxMetricType": SCHEMA, "dataLocation": None},
        "namespace": "",
        "standardSchemaId": None,
        "value": [
            {
                "metricId": f"{run.number}/{name}/{number}",
                "createdUtc": iso(point.at_ms / 1000),
                "step": point.step,
                "data": {name: point.value if abs(point.value) < float("inf") else str(point.value)},
            }
            for number, point in enumerate(points)
        ],
        "continuationToken": None,
        "nextLink": None,
    }


_RUN = "/metric/v2.0" + WORKSPACE + "/runs/{run}"
ROUTES = (
    Route("POST", "api", _RUN + "/list", listed),
    Route("POST", "api", _RUN + "/full", full),
    Route("POST", "api", _RUN + "/sample", sampled),
    Route("POST", "api", _RUN + "/batch", logged),
)
