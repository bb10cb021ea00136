"""Autoscale of managed deployments: settings of Azure Monitor, which the SDK has no words for.

A deployment has one setting at most. One that somebody has made under another name is read, and written over.
"""

import re
from collections.abc import Mapping
from typing import Any

from core.azure.arm import Answer, ask_all, send
from core.azure.context import TAG, Context
from core.azure.names import mapping
from core.domain.autoscale import Autoscale, ScaleMetric
from core.domain.errors import Forbidden, SlipwayError, SpecInvalid
from core.domain.version import VERSION

API = "2022-10-01"
PROFILE = "default"
METRICS: Mapping[ScaleMetric, str] = {
    ScaleMetric.CPU: "CpuUtilizationPercentage",
    ScaleMetric.REQUESTS: "RequestsPerMinute",
}
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
ROLE = "It takes Microsoft.Insights/autoscaleSettings/write on the resource group; the role Contributor has it"
OTHER_HINT = "Look at it in Azure's portal; `endpoint autoscale` with --min and --max replaces it"


def get(context: Context, endpoint: str, deployment: str) -> Autoscale | None:
    """What is in force; None for none. Raises SlipwayError for one that Slipway has no words for."""
    found = _found(context, endpoint, deployment)
    if found is None or found["properties"].get("enabled") is False:
        return None
    try:
        return _autoscale(found["properties"])
    except (KeyError, IndexError, TypeError, ValueError, StopIteration, SpecInvalid) as e:
        raise SlipwayError(
            f"The autoscale setting '{found.get('name')}' of '{endpoint}/{deployment}' is of another form than ours",
            hint=OTHER_HINT,
        ) from e


def put(context: Context, endpoint: str, deployment: str, wanted: Autoscale) -> None:
    """Make the setting, or change the one that is there."""
    found = _found(context, endpoint, deployment)
    name = str(found["name"]) if found else f"{TAG}-{context.target.workspace}-{endpoint}-{deployment}"
    body = {
        "location": context.region,
        "tags": {TAG: VERSION},
        "properties": {
            "name": name,
            "enabled": True,
            "targetResourceUri": _target(context, endpoint, deployment),
            "profiles": [_profile(context, endpoint, deployment, wanted)],
        },
    }
    _checked(endpoint, deployment, send(context, "PUT", f"{_folder(context)}/{name}", API, body))


def delete(context: Context, endpoint: str, deployment: str) -> None:
    """Remove the setting, where there is one; the deployment keeps the instances that it has."""
    if found := _found(context, endpoint, deployment):
        path = f"{_folder(context)}/{found['name']}"
        _checked(endpoint, deployment, send(context, "DELETE", path, API))


def forget(context: Context, endpoint: str, deployment: str = "") -> None:
    """Remove the settings of a deployment that is about to go, or of all of an endpoint: Azure leaves them behind."""
    below = _target(context, endpoint, deployment).lower()
    try:
        found = _listed(context)
    except Forbidden:  # who may not look has made none
        return
    for each in found:
        target = _uri(each)
        if target == below or (not deployment and target.startswith(below)):
            _checked(endpoint, deployment, send(context, "DELETE", f"{_folder(context)}/{each['name']}", API))


def _found(context: Context, endpoint: str, deployment: str) -> Mapping[str, Any] | None:
    target = _target(context, endpoint, deployment).lower()
    return next((each for each in _listed(context) if _uri(each) == target), None)


def _listed(context: Context) -> list[Mapping[str, Any]]:
    """The settings of the resource group."""
    return [each for each in ask_all(context, _folder(context), API) if mapping(mapping(each).get("properties"))]


def _uri(setting: Mapping[str, Any]) -> str:
    return str(setting["properties"].get("targetResourceUri") or "").lower()


def _folder(context: Context) -> str:
    return f"{context.target.group_path}/providers/Microsoft.Insights/autoscaleSettings"


def _target(context: Context, endpoint: str, deployment: str) -> str:
    return f"{context.target.path}/onlineEndpoints/{endpoint}/deployments/{deployment}"


def _profile(context: Context, endpoint: str, deployment: str, wanted: Autoscale) -> dict[str, Any]:
    return {
        "name": PROFILE,
        "capacity": {
            "minimum": str(wanted.min_instances),
            "maximum": str(wanted.max_instances),
            "default": str(wanted.default_instances),
        },
        "rules": [
            _rule(context, endpoint, deployment, wanted, "Increase", wanted.scale_out_above),
            _rule(context, endpoint, deployment, wanted, "Decrease", wanted.scale_in_below),
        ],
    }


def _rule(
    context: Context, endpoint: str, deployment: str, wanted: Autoscale, direction: str, threshold: float
) -> dict[str, Any]:
    trigger: dict[str, Any] = {
        "metricName": METRICS[wanted.metric],
        "metricResourceUri": _target(context, endpoint, deployment),
        "timeGrain": "PT1M",
        "statistic": "Average",
        "timeWindow": f"PT{wanted.window_min}M",
        "timeAggregation": "Average",
        "operator": "GreaterThan" if direction == "Increase" else "LessThan",
        "threshold": threshold,
    }
    if wanted.metric is ScaleMetric.REQUESTS:  # the endpoint counts them, by deployment
        trigger |= {
            "metricResourceUri": trigger["metricResourceUri"].partition("/deployments/")[0],
            "dimensions": [{"DimensionName": "deployment", "Operator": "Equals", "Values": [deployment]}],
            "dividePerInstance": True,
        }
    action = {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": f"PT{wanted.cooldown_min}M"}
    return {"metricTrigger": trigger, "scaleAction": action}


def _autoscale(properties: Mapping[str, Any]) -> Autoscale:
    """Ours, from Azure's words. Raises whatever another form of them brings about."""
    (profile,) = properties["profiles"]
    more, fewer = (_of_direction(profile["rules"], direction) for direction in ("Increase", "Decrease"))
    metric = next(ours for ours, theirs in METRICS.items() if theirs == more["metricTrigger"]["metricName"])
    if fewer["metricTrigger"]["metricName"] != METRICS[metric]:
        raise ValueError("Two metrics")
    low, high, usual = (int(profile["capacity"][name]) for name in ("minimum", "maximum", "default"))
    return Autoscale(
        low,
        high,
        usual,
        metric,
        float(more["metricTrigger"]["threshold"]),
        float(fewer["metricTrigger"]["threshold"]),
        _minutes(more["metricTrigger"]["timeWindow"]),
        _minutes(more["scaleAction"]["cooldown"]),
    )


def _of_direction(rules: list[Mapping[str, Any]], direction: str) -> Mapping[str, Any]:
    (found,) = [rule for rule in rules if rule["scaleAction"]["direction"] == direction]
    return found


def _minutes(duration: str) -> int:
    """Of an ISO 8601 duration, which Azure may write anew: PT60M as PT1H."""
    if (found := _DURATION.fullmatch(duration)) is None:
        raise ValueError(duration)
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return (days * 24 + hours) * 60 + minutes


def _checked(endpoint: str, deployment: str, answer: Answer) -> None:
    if answer.status in (401, 403):
        raise Forbidden(f"Azure does not let you change autoscale: {answer.message}", hint=ROLE)
    if not answer.found and answer.status != 404:
        name = f"{endpoint}/{deployment}".rstrip("/")
        raise SpecInvalid(f"Azure refuses to change the autoscale setting of '{name}': {answer.message}")
