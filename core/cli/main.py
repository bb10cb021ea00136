"""The parser made from the table, and one way for every command to begin, end and fail."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

from core.cli.command import DONE, FAILED, NO_VERDICT, WRONG_USE, Command, Context, Outcome
from core.cli.show import as_json, as_text
from core.domain.errors import NoVerdict, SlipwayError, SpecInvalid
from core.settings import Settings, read_settings

WORDS: Mapping[str, tuple[str, str]] = {
    "demo": ("lifecycle", "the app, with the quickstart running in the background"),
    "quickstart": ("lifecycle", "a table becomes a live endpoint"),
    "data": ("data", "tables: register, look at, trace"),
    "compute": ("data", "named limits for jobs"),
    "job": ("jobs", "training and other work: submit, watch, compare"),
    "model": ("models", "registered models"),
    "endpoint": ("endpoints", "scoring endpoints: deploy, traffic, keys, records"),
    "pipeline": ("pipelines", "published pipelines and their runs"),
    "schedule": ("schedules", "when pipelines run"),
    "alert": ("alerts", "what to watch on endpoints"),
    "contract": ("proof", "prove that an endpoint conforms to its own document"),
    "loadtest": ("loads", "load-test an endpoint"),
    "gate": ("proof", "prove a deployment of this workspace"),
    "azure": ("azure", "the emulation of Azure ML, and what Slipway has there"),
    "service": ("service", "the workspace service"),
    "doctor": ("service", "check the workspace and this machine for problems"),
    "backup": ("service", "write the whole workspace to one file"),
    "restore": ("service", "fill an empty workspace from a backup"),
}
"""First word -> (module of `core.cli` with its commands, help). A module is loaded when its word is on the line."""

INTERRUPTED = 130
"""What a shell expects of a program that Ctrl-C ended."""


class Parser(argparse.ArgumentParser):
    """An argparse parser: its complaints are of our family, it takes options anywhere, and none that is cut short."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    mixes = False
    """Whether options may stand between positional arguments; argparse else takes what may be left out as left out."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        found, rest = super().parse_known_args(args, namespace)
        if rest and self.mixes and namespace is None:
            mixed, fewer = self.parse_known_intermixed_args(args, argparse.Namespace())
            return (found, rest) if fewer else (mixed, [])
        return found, rest

    def error(self, message: str) -> NoReturn:
        raise SpecInvalid(message[:1].upper() + message[1:], hint=f"See: {self.prog} --help")


def main(argv: Sequence[str], context: Callable[[Settings], Context] = Context) -> int:
    """Run one command line and give its exit code: 0 done or holds, 1 failed, 2 wrong use, 3 no verdict."""
    os.umask(0o077)  # everything that a workspace keeps is its owner's alone
    in_json = "--json" in argv
    try:
        options = parser(argv).parse_args(argv)
        settings = read_settings(os.environ, home=options.home, workspace=options.workspace)
        return _finish(_run(options.command, context(settings), options), options.command, in_json)
    except SlipwayError as e:
        return _fail(e, in_json)
    except KeyboardInterrupt:
        print("Interrupted; submitted jobs continue", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (`... | head`). Python would complain once more when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as e:  # noqa: BLE001 - a bug: shown whole, and `--json` still gives one document
        traceback.print_exc()
        return _fail(SlipwayError(f"{type(e).__name__}: {e}", hint="This is a bug; the traceback is above"), in_json)


def parser(words: Collection[str]) -> argparse.ArgumentParser:
    """The command line, with the commands below each of `words` that is one of WORDS.

    Common options may stand before or after the words of a command.
    """
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    _common(common)
    top = Parser(prog="python -m core", description="From a table to a live, documented and proven scoring endpoint.")
    _common(top)
    places = top.add_subparsers(metavar="COMMAND", required=True, title="commands")
    for word, (module, about) in WORDS.items():
        place = places.add_parser(word, help=about, parents=[common])
        if word in words:
            _add(place, common, [c for c in commands(module) if c.words.split()[0] == word])
    return top


def commands(module: str) -> tuple[Command, ...]:
    """The commands that a module of `core.cli` defines."""
    found: tuple[Command, ...] = import_module(f"core.cli.{module}").COMMANDS
    return found


def _add(place: Parser, common: Parser, found: Sequence[Command]) -> None:
    if " " not in found[0].words:
        _fill(place, found[0])
        return
    verbs = place.add_subparsers(metavar="VERB", required=True, title="verbs")
    for command in found:
        _fill(
            verbs.add_parser(
                command.words.split()[1],
                help=command.help.replace("%", "%%"),
                parents=[common],
                aliases=command.formerly,
            ),
            command,
        )


def _fill(place: Parser, command: Command) -> None:
    place.description = f"{command.help[:1].upper()}{command.help[1:]}."
    place.set_defaults(command=command)
    place.mixes = all(argument.options.get("nargs") != argparse.REMAINDER for argument in command.arguments)
    for argument in command.arguments:
        place.add_argument(*argument.flags, **argument.options)


def _common(place: argparse.ArgumentParser) -> None:
    place.add_argument("--json", action="store_true", help="one JSON document on standard output, nothing else there")
    place.add_argument("--home", metavar="FOLDER", help="the workspace folder (setting `home`)")
    place.add_argument("--workspace", metavar="NAME", help="the backend (setting `workspace`)")


def _run(command: Command, context: Context, options: argparse.Namespace) -> Any:
    if command.starts_service and context.workspace.can("service.start"):
        context.workspace.service.start()
    return command.run(context, options)


def _finish(result: Any, command: Command, in_json: bool) -> int:
    value, code = (result.value, result.exit_code) if isinstance(result, Outcome) else (result, DONE)
    if in_json:
        print(as_json(value), flush=True)
    elif isinstance(result, Outcome) and result.text:
        print(result.text, flush=True)
    elif value is not None:
        print(as_text(value, command.columns) or "none", flush=True)
    return code


def _fail(error: SlipwayError, in_json: bool) -> int:
    if in_json:
        print(as_json({"error": {"status": error.status, "message": error.message, "hint": error.hint}}))
    else:
        print("\n".join(filter(None, (error.message, error.hint))), file=sys.stderr)
    if isinstance(error, SpecInvalid):
        return WRONG_USE
    return NO_VERDICT if isinstance(error, NoVerdict) else FAILED
