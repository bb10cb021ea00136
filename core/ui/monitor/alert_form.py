"""The form of an alert, new or changed."""

import itertools
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.domain.alerts import PERCENT_MAX, REQUESTS_NEEDED, Alert, AlertMetric, AlertRule
from core.domain.pipeline import PipelineEndpoint
from core.ui.monitor.alert_words import METRICS
from core.ui.monitor.opened import Opened
from core.ui.shell import actions, choices, panels
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal

WINDOWS = {60.0: "1 min", 300.0: "5 min", 900.0: "15 min", 3_600.0: "1 h", 86_400.0: "24 h", 604_800.0: "7 days"}
ENDPOINT = "endpoint"
"""A parameter of this name begins with the endpoint that is watched, as that of *Retrain and promote*."""
FORS = {0.0: "At once", 60.0: "1 min", 300.0: "5 min", 900.0: "15 min", 3_600.0: "1 h"}


def show(opened: Opened, rule: AlertRule | None) -> None:
    """Ask for all of it and save; outside of the form stands what its fields follow: the metric and the pipeline."""
    scope = f"alert.form.{opened.name}.{rule.name if rule else ''}"
    metrics = list(METRICS)
    metric = st.selectbox(
        "Watch",
        metrics,
        index=metrics.index(rule.metric) if rule else 0,
        format_func=lambda each: METRICS[each].label,
        key=f"{scope}.metric",
    )
    picked = _pipeline(opened, rule, scope)
    with st.form(scope, border=False):
        given = _fields(opened, rule, metric, f"{scope}.{metric}")
        given |= {"pipeline": picked, "parameters": _parameters(opened, rule, picked, f"{scope}.run")}
        saved = st.form_submit_button("Save" if rule else "Create", type="primary", **able("records.set_alert"))
    if saved and actions.run("Saving", _set, opened, metric, given) is not None:
        choices.put("alert", "", scope=opened.name)
        panels.close("monitor.alert", opened_by="alert_new")
        st.rerun()


def _fields(opened: Opened, rule: AlertRule | None, metric: AlertMetric, key: str) -> dict[str, Any]:
    same = rule if rule and rule.metric is metric else None
    words = METRICS[metric]
    side = "below" if metric.fires_below else "above"
    given: dict[str, Any] = {}
    left, middle, right = st.columns(3)
    with left:
        given["name"] = rule.name if rule else st.text_input("Name", value=_name(opened, metric), key=f"{key}.name")
        limit = same.limit if same else words.first
        given["limit"] = st.number_input(
            f"Fires {side}, {words.unit}",
            min_value=0.0,
            max_value=PERCENT_MAX if metric.is_percent else None,
            value=limit,
            key=f"{key}.limit",
        )
        given["clear"] = st.number_input(
            f"Clears, {words.unit}",
            min_value=0.0,
            value=same.clear if same else None,
            key=f"{key}.clear",
            placeholder="10 % on the good side",
            help="Another limit than the one at which it fires, so that it does not flap.",
        )
    with middle:
        given["window_s"] = _seconds(
            "Over the last", WINDOWS, rule.window_s if rule else metric.window_s, f"{key}.window"
        )
        given["for_s"] = _seconds("Must hold for", FORS, rule.for_s if rule else 0.0, f"{key}.for")
        whole = metric is AlertMetric.AVAILABILITY  # of the endpoint alone
        names = [""] if whole else ["", *(d.name for d in opened.endpoint.deployments)]
        given["deployment"] = st.selectbox(
            "Deployment",
            names,
            index=names.index(rule.deployment) if rule and rule.deployment in names else 0,
            format_func=lambda name: name or "All",
            key=f"{key}.deployment",
        )
    with right:
        given |= _told(rule, key)
        given["requests_needed"] = st.number_input(
            "Requests needed",
            min_value=1,
            value=rule.requests_needed if rule else REQUESTS_NEEDED,
            key=f"{key}.requests",
            help="With fewer requests in the window a share or a percentile is not known.",
        )
    return given


def _told(rule: AlertRule | None, key: str) -> dict[str, Any]:
    return {
        "webhook": st.text_input(
            "Webhook", value=rule.webhook if rule else "", key=f"{key}.webhook", placeholder="https://…",
            help="Gets a POST with the alert as JSON when it fires and when it clears.",
        ).strip(),
        "command": rule.command if rule else "",  # set on the command line alone: it runs on the service's machine
    }  # fmt: skip


def _pipeline(opened: Opened, rule: AlertRule | None, key: str) -> str:
    known = [p.name for p in _published(opened)]
    now = rule.pipeline if rule else ""
    pipelines = ["", *known] if now in ("", *known) else ["", now, *known]
    return st.selectbox(
        "Start a pipeline",
        pipelines,
        index=pipelines.index(now),
        format_func=lambda name: name or "None",
        key=f"{key}.pipeline",
        help="Such as one that retrains and promotes; once, when it fires.",
    )


def _parameters(opened: Opened, rule: AlertRule | None, picked: str, key: str) -> dict[str, str] | None:
    """Of each run that the alert starts, as text; what is left empty has its default then."""
    kept = dict(rule.parameters or {}) if rule and rule.pipeline == picked else {}
    found = next((p for p in _published(opened) if p.name == picked), None)
    if found is None or not found.spec.parameters:
        return kept or None
    given = {}
    for column, parameter in zip(itertools.cycle(st.columns(3)), found.spec.parameters, strict=False):
        first = opened.name if parameter.name == ENDPOINT and not rule else ""
        text = column.text_input(
            literal(f"{picked}: {parameter.name}"),
            value=kept.get(parameter.name, first),
            key=f"{key}.{picked}.{parameter.name}",
            placeholder="Must be given" if parameter.required else str(parameter.default),
            help=literal(parameter.description) or None,
        )
        if text.strip():
            given[parameter.name] = text.strip()
    return given or None


def _published(opened: Opened) -> Sequence[PipelineEndpoint]:
    return opened.workspace.pipelines.list() if opened.workspace.can("pipelines.list") else ()


def _seconds(label: str, options: dict[float, str], now: float, key: str) -> float:
    known = sorted({*options, now})
    return st.selectbox(label, known, index=known.index(now), format_func=lambda s: options.get(s, f"{s:g} s"), key=key)


def _name(opened: Opened, metric: AlertMetric) -> str:
    return f"{opened.name}-{metric.value.removesuffix('_ms').replace('_', '-')}"


def _set(opened: Opened, metric: AlertMetric, given: dict[str, Any]) -> Alert:
    return opened.workspace.records.set_alert(AlertRule(endpoint=opened.name, metric=metric, **given))
