"""`service`, `backup`, `restore` and `doctor`."""

import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from core.cli.command import DONE, FAILED, Command, Context, Outcome, arg
from core.domain.monitoring import Finding, FindingState


def _key(context: Context, options: Namespace) -> Any:
    key = context.workspace.service.key()
    return {"key": key} if options.json else key


def _status(context: Context, options: Namespace) -> Any:
    status = context.workspace.service.status()
    if trouble := status.scheduler_trouble(time.time()):
        context.say(trouble)
    return Outcome(status, DONE if status.running else FAILED)


def _doctor(context: Context, options: Namespace) -> Any:
    findings = tuple(context.workspace.service.doctor())
    bad = any(f.state is FindingState.FAILED for f in findings)
    return Outcome(findings, FAILED if bad else DONE, "\n".join(map(_told, findings)))


def _told(finding: Finding) -> str:
    """In words, with what to do on a line of its own, so that a command can be copied."""
    line = f"{finding.state.upper():<8} {finding.name}: {finding.detail}"
    return f"{line}\n         -> {finding.hint}" if finding.hint else line


FILE = arg("path", metavar="FILE")

COMMANDS = (
    Command(
        "service start",
        "start it in the background, unless it is running",
        lambda context, options: context.workspace.service.start(),
    ),
    Command("service stop", "stop it and its jobs", lambda context, options: context.workspace.service.stop()),
    Command("service status", "whether it is running; exits 1 if not", _status),
    Command(
        "service run",
        "run the service in the foreground",
        lambda context, options: context.workspace.service.run(),
    ),
    Command("service key", "the key of its HTTP API", _key),
    Command("doctor", "check the workspace and this machine for problems", _doctor),
    Command(
        "backup",
        "write the whole workspace to one file",
        lambda context, options: context.workspace.service.backup(Path(options.path)),
        (FILE,),
    ),
    Command(
        "restore",
        "fill an empty workspace from a backup",
        lambda context, options: context.workspace.service.restore(Path(options.path)),
        (FILE,),
    ),
)
