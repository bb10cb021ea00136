"""`quickstart` and `demo`."""

import time
from argparse import Namespace
from typing import Any

from core.cli.command import Command, Context, Outcome, arg
from core.quickstart import QuickstartOptions, QuickstartReport
from core.quickstart import run as run_quickstart

DEFAULTS = QuickstartOptions()


def _quickstart(context: Context, options: Namespace) -> Any:
    wanted = QuickstartOptions(options.data, options.target, options.timeout, options.reuse, tuple(options.exclude))
    report = run_quickstart(context.workspace, wanted, say=context.say, clock=time.monotonic, sleep=context.sleep)
    return Outcome(report.document() if options.json else _summary(report), report.exit_code)


def _summary(report: QuickstartReport) -> str:
    """What a person wants to know at the end; the key stays where it is."""
    best = report.document()["job"]["best"]
    metrics = ", ".join(f"{name} {value:.4f}" for name, value in best["metrics"].items() if name == "AUC_weighted")
    seconds = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in report.seconds.items())
    return "\n".join(
        (
            f"Model     {report.model.ref}, {best['algorithm']}, {metrics}",
            f"Endpoint  {report.endpoint.scoring_uri} ({report.endpoint.name})",
            f"Score     {report.score.status} {report.score.body}",
            f"Gate      {'passed' if report.passed else 'NOT passed'}, {len(report.checks)} checks",
            f"Took      {seconds}",
            *(f"Note      {note}" for note in report.notes),
        )
    )


def _demo(context: Context, options: Namespace) -> None:
    from core.cli.demo import run_demo  # subprocesses and signals, for this command alone

    run_demo(context)


COMMANDS = (
    Command(
        "demo",
        "the app, with the quickstart running in the background",
        _demo,
    ),
    Command(
        "quickstart",
        "a table becomes a live endpoint: register, train, deploy, gate, give traffic, score",
        _quickstart,
        (
            arg("--data", default=DEFAULTS.data, metavar="NAME|PATH", help="the table (default: %(default)s)"),
            arg("--target", default=DEFAULTS.target, help="the column to predict (default: %(default)s)"),
            arg(
                "--timeout",
                type=float,
                default=DEFAULTS.timeout_s,
                metavar="SECONDS",
                help="time for the search (default: %(default)s)",
            ),
            arg("--exclude", action="append", default=[], metavar="COLUMN", help="exclude this column; repeatable"),
            arg("--reuse", action="store_true", help="reuse the newest model of this table and target"),
        ),
    ),
)
