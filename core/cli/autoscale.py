"""`endpoint autoscale`."""

from argparse import Namespace
from typing import Any

from core.cli.command import Command, Context, arg
from core.domain.autoscale import ABOVE_PCT, BELOW_PCT, COOLDOWN_MIN, WINDOW_MIN, Autoscale, ScaleMetric
from core.domain.errors import SpecInvalid


def _autoscale(context: Context, options: Namespace) -> Any:
    endpoints = context.workspace.endpoints
    given = (options.min, options.max)
    if options.off and given == (None, None):
        endpoints.set_autoscale(options.name, options.deployment, None)
    elif options.off or (given != (None, None) and None in given):
        raise SpecInvalid("--min and --max go together, and not with --off", hint="None of them shows what is in force")
    elif options.min is not None:
        endpoints.set_autoscale(options.name, options.deployment, _wanted(options))
    return endpoints.autoscale(options.name, options.deployment) or {"autoscale": "off"}


def _wanted(options: Namespace) -> Autoscale:
    metric = ScaleMetric(options.metric)
    if metric is ScaleMetric.REQUESTS and None in (options.above, options.below):
        raise SpecInvalid("With --metric requests, --above and --below are needed", hint="In requests a minute")
    return Autoscale(
        options.min,
        options.max,
        options.min if options.default is None else options.default,
        metric,
        ABOVE_PCT if options.above is None else options.above,
        BELOW_PCT if options.below is None else options.below,
        options.window_min,
        options.cooldown_min,
    )


AUTOSCALE = Command(
    "endpoint autoscale",
    "let a deployment get and lose instances, on Azure",
    _autoscale,
    (
        arg("name", metavar="ENDPOINT"),
        arg("deployment", metavar="DEPLOYMENT"),
        arg("--min", type=int, metavar="N", help="at least so many instances; without --min and --max: show it"),
        arg("--max", type=int, metavar="N", help="at most so many"),
        arg("--default", type=int, metavar="N", help="while nothing is measured (default: --min)"),
        arg(
            "--metric", choices=tuple(ScaleMetric), default=ScaleMetric.CPU, help="requests: a minute, to each instance"
        ),
        arg("--above", type=float, help=f"an instance more above this (cpu: {ABOVE_PCT:g} percent)"),
        arg("--below", type=float, help=f"an instance less below this (cpu: {BELOW_PCT:g} percent)"),
        arg("--window-min", type=int, default=WINDOW_MIN, help="averaged over so many minutes (default: %(default)s)"),
        arg("--cooldown-min", type=int, default=COOLDOWN_MIN, help="between two changes (default: %(default)s)"),
        arg("--off", action="store_true", help="keep the number of instances that there is now"),
    ),
)
