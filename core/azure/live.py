"""What is live in a workspace of Azure ML, with what it costs an hour; and the removal of what Slipway made.

Read by Azure Resource Manager's lists: the SDK does not tell how many machines a cluster has now.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from core.azure import prices, scaling
from core.azure.arm import ask_all
from core.azure.context import TAG, Context
from core.domain.errors import NotFound, SlipwayError
from core.domain.resources import Resource

API = "2024-01-01-preview"
JOBS_API = "2024-01-01-preview"
AT_WORK = frozenset(
    {"NotStarted", "Starting", "Provisioning", "Preparing", "Queued", "Running", "Finalizing", "CancelRequested"}
)
RUNNING = frozenset({"Running", "Starting", "Resizing", "Creating"})
UNPRICED = "The price list that ships with Slipway ({as_of}) does not know {size} in {region}"


def resources(context: Context) -> tuple[Resource, ...]:
    """All that runs or fires, whoever made it; the dearest first."""
    found = [*_computes(context), *_online(context), *_batch(context), *_schedules(context), *_jobs(context)]
    return tuple(sorted(found, key=lambda r: (-_cost(r), r.kind, r.name)))


def teardown(context: Context) -> tuple[Resource, ...]:
    """Remove what Slipway made and that runs, fires or costs; what it is, as it was. Data, models and runs stay.

    Schedules go first, so that nothing new starts, then jobs, endpoints, and last the clusters that they ran on.
    """
    ours = [each for each in resources(context) if each.made_here]
    left: list[tuple[Resource, SlipwayError]] = []
    for kind, remove in _REMOVALS.items():
        for each in ours:
            if each.kind != kind:
                continue
            try:
                if kind == "online endpoint":
                    context.here.forget_endpoint(each.name)
                    scaling.forget(context, each.name)
                with context.asking(kind, each.name) as client:
                    remove(client, each.name)
            except NotFound:
                continue  # somebody else has removed it meanwhile
            except SlipwayError as e:
                left.append((each, e))
    if left:
        raise _unremoved(left)
    return tuple(ours)


def _unremoved(left: Sequence[tuple[Resource, SlipwayError]]) -> SlipwayError:
    """The first refusal, with the names of all that is still there: the rest is gone."""
    names = ", ".join(f"{each.kind} {each.name}" for each, _ in left)
    first = left[0][1]
    return type(first)(f"Still there: {names}. {first.message}", hint="All else is removed; ask again for what is left")


def _end_schedule(client: Any, name: str) -> None:
    """Azure deletes none that is on."""
    client.schedules.begin_disable(name).result()
    client.schedules.begin_delete(name).result()


_REMOVALS: Mapping[str, Callable[[Any, str], object]] = {
    "schedule": _end_schedule,
    "job": lambda client, name: client.jobs.begin_cancel(name),
    "online endpoint": lambda client, name: client.online_endpoints.begin_delete(name),
    "batch endpoint": lambda client, name: client.batch_endpoints.begin_delete(name),
    "cluster": lambda client, name: client.compute.begin_delete(name),
}
"""Kind -> how it is removed, in this order. Deployments go with their endpoint."""


def _computes(context: Context) -> Iterator[Resource]:
    for document in _all(context, "computes"):
        about = document.get("properties") or {}
        inner = about.get("properties") or {}
        kind = str(about.get("computeType", ""))
        if kind == "AmlCompute":
            count = int(inner.get("currentNodeCount") or 0)
            least = int((inner.get("scaleSettings") or {}).get("minNodeCount") or 0)
            note = f"It never has fewer than {least} machines, also while idle" if least else "It has none while idle"
            yield _priced(context, "cluster", document, str(inner.get("vmSize", "")), count, note=note)
        elif kind == "ComputeInstance":
            count = 1 if inner.get("state") in RUNNING else 0
            yield _priced(context, "compute instance", document, str(inner.get("vmSize", "")), count)


def _online(context: Context) -> Iterator[Resource]:
    for endpoint in _all(context, "onlineEndpoints"):
        yield _plain("online endpoint", endpoint)
        for deployment in _all(context, f"onlineEndpoints/{endpoint['name']}/deployments"):
            size = str((deployment.get("properties") or {}).get("instanceType") or "")
            count = int((deployment.get("sku") or {}).get("capacity") or 1)
            name = f"{endpoint['name']}/{deployment['name']}"
            yield _priced(context, "deployment", deployment, size, count, name=name, made=_ours(endpoint))


def _batch(context: Context) -> Iterator[Resource]:
    for document in _all(context, "batchEndpoints"):
        yield _plain("batch endpoint", document, note="It costs nothing between its runs")


def _schedules(context: Context) -> Iterator[Resource]:
    for document in _all(context, "schedules"):
        on = (document.get("properties") or {}).get("isEnabled", True)
        yield _plain(
            "schedule", document, state="enabled" if on else "disabled", note="Its runs cost what their cluster does"
        )


def _jobs(context: Context) -> Iterator[Resource]:
    for document in _all(context, "jobs", JOBS_API):
        state = str((document.get("properties") or {}).get("status") or "")
        if state in AT_WORK:
            yield _plain("job", document, state=state, note="Its machines are counted with its cluster")


def _plain(kind: str, document: Mapping[str, Any], *, state: str = "", note: str = "") -> Resource:
    return Resource(kind, str(document["name"]), state or _state(document), _ours(document), note=note)


def _priced(
    context: Context, kind: str, document: Mapping[str, Any], size: str, count: int,
    *, name: str = "", note: str = "", made: bool = False,
) -> Resource:  # fmt: skip
    price = prices.hourly(size, context.region)
    if price is None:
        note = UNPRICED.format(as_of=prices.AS_OF, size=size or "its size", region=context.region)
    cost = None if price is None and count else round((price or 0.0) * count, 4)
    return Resource(
        kind, name or str(document["name"]), _state(document), made or _ours(document), size, count, cost,
        prices.CURRENCY, note,
    )  # fmt: skip


def _all(context: Context, below: str, version: str = API) -> list[Mapping[str, Any]]:
    return ask_all(context, f"{context.target.path}/{below}", version)


def _ours(document: Mapping[str, Any]) -> bool:
    """Resources with a location carry tags of their own, others among their properties."""
    tags = document.get("tags") or {}
    inner = (document.get("properties") or {}).get("tags") or {}
    return TAG in tags or TAG in inner


def _state(document: Mapping[str, Any]) -> str:
    return str((document.get("properties") or {}).get("provisioningState") or "unknown").lower()


def _cost(resource: Resource) -> float:
    return resource.hourly_cost or 0.0
