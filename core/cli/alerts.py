"""`alert`: rules over what is monitored."""

from argparse import Namespace
from typing import Any

from core.cli.command import Command, Context, arg
from core.domain.alerts import AlertMetric, AlertRule


def _alert(context: Context, options: Namespace) -> Any:
    rule = AlertRule(
        options.name, options.endpoint, AlertMetric(options.metric), options.limit, window_s=options.window
    )
    return context.workspace.records.set_alert(rule)


COMMANDS = (
    Command(
        "alert set",
        "create or change an alert",
        _alert,
        (
            arg("name"),
            arg("--endpoint", required=True),
            arg("--metric", required=True, choices=tuple(AlertMetric)),
            arg("--limit", required=True, type=float, help="fire while the metric is beyond it"),
            arg("--window", type=float, default=300.0, metavar="SECONDS", help="(default: %(default)s)"),
        ),
    ),
    Command("alert list", "all alerts with their state", lambda context, options: context.workspace.records.alerts()),
)
