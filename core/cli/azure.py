"""`azure`: the emulation of Azure ML, alone or around a command."""

import json
import signal
import subprocess
import threading
from argparse import REMAINDER, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli import azure_clock
from core.cli.command import DONE, Command, Context, Outcome, arg
from core.domain.errors import SpecInvalid
from core.settings import as_environment, read_settings

if TYPE_CHECKING:
    from core.domain.resources import Resource
    from core.workspace import Workspace

NOTICE = "This is an emulation of Azure Machine Learning on this machine. Nothing here is in the cloud or costs money."


def _emulate(context: Context, options: Namespace) -> Any:
    """Print what a client needs and serve until Ctrl-C, or run a command inside and pass on its exit code."""
    from core.emulator.emulation import Options
    from core.emulator.server import emulated
    from core.emulator.variables import config_json, shell_lines
    from core.workspace import open_workspace

    command = options.inside[1:] if options.inside[:1] == ["--"] else options.inside
    if options.time_scale <= 0:
        raise SpecInvalid(f"--time-scale is {options.time_scale:g}, expected more than 0", hint="30 is usual")
    local = open_workspace(read_settings(as_environment(context.settings), workspace="local"))
    chosen = Options(allow_code=options.allow_code, scale=options.time_scale)
    local.service.start()
    with emulated(local, chosen, port=options.port) as running:
        if options.config:
            Path(options.config).write_text(json.dumps(config_json(running.emulation.names), indent=2) + "\n")
        if command:
            return Outcome(None, _inside(command, {**context.environ, **running.variables}))
        print(json.dumps(running.variables) if options.json else shell_lines(running.variables), flush=True)
        context.say(f"Azure ML is emulated over {local.settings.home}. Ctrl-C stops it; nothing is lost.")
        _until_stopped()
    return Outcome(None, DONE)


def _inside(command: list[str], environ: dict[str, str]) -> int:
    """The exit code of a command; one that a signal ended has 128 and its number, as in a shell."""
    try:
        child = subprocess.Popen(command, env=environ)
    except OSError as e:
        raise SpecInvalid(f"'{command[0]}' cannot be run: {e.strerror}", hint="Give a program after --") from e

    def pass_on(number: int, frame: object) -> None:
        child.send_signal(number)

    # Ctrl-C reaches the command from the terminal; it decides, and whoever stops us alone stops it.
    handlers: dict[int, Any] = {
        signal.SIGINT: lambda number, frame: None,
        signal.SIGTERM: pass_on,
        signal.SIGHUP: pass_on,
    }
    with _handling(handlers):
        code = child.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _handling(handlers: Mapping[int, Any]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _until_stopped() -> None:
    stopped = threading.Event()
    with _handling(dict.fromkeys((signal.SIGINT, signal.SIGTERM), lambda *_: stopped.set())):
        stopped.wait()


def _demo(context: Context, options: Namespace) -> None:
    """The app on the emulation, which is the backend there; its own folder keeps the demo of this machine apart."""
    from core.cli.demo import run_demo, service_meanwhile
    from core.emulator.emulation import Options
    from core.emulator.server import emulated
    from core.workspace import open_workspace

    environ = as_environment(context.settings)
    home = context.settings.home
    local = open_workspace(
        read_settings(environ, workspace="local", home=str(home / "azure-emulated"), service_port="0")
    )
    # What comes to run there is our own: the steps of pipelines are commands that run Slipway.
    with (
        _stopped_again(context.workspace),
        service_meanwhile(local),
        emulated(local, Options(allow_code=True)) as running,
    ):
        names = running.emulation.names
        inside = read_settings(
            environ,
            workspace="azure",
            azure_config="",
            azure_credential="environment",
            azure_subscription=names.subscription,
            azure_resource_group=names.resource_group,
            azure_workspace=names.workspace,
            azure_notice=NOTICE,
        )
        run_demo(Context(inside, {**context.environ, **running.variables}, context.sleep))


@contextmanager
def _stopped_again(here: "Workspace") -> Iterator[None]:
    """This machine's own service, which the app starts when a visitor turns to it, lives no longer than the demo."""
    able = here.can("service.status", "service.stop")
    before = able and here.service.status().running
    yield
    if able and not before and here.service.status().running:
        here.service.stop()


def _fault(context: Context, options: Namespace) -> Any:
    """What shall go wrong; an emulation over the same folder that is up does it from now on."""
    from core.emulator.faults import KINDS, of_folder, read, shown

    faults = of_folder(context.settings.home / "emulation")
    if options.action == "list":
        return [shown(each) for each in faults.all()]
    if options.action == "clear":
        return {"cleared": faults.clear(options.what or "")}
    if not options.what:
        raise SpecInvalid("Say what shall go wrong", hint=f"There are {', '.join(KINDS)}")
    names = ("method", "path", "target", "times", "seconds", "field")
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    return shown(faults.add(read({"kind": options.what, **given})))


def _there(context: Context) -> "Workspace":
    """The workspace of Azure ML, whether it was named on the line or not."""
    from core.workspace import open_workspace

    if context.workspace.can("service.resources"):
        return context.workspace
    return open_workspace(read_settings(as_environment(context.settings), workspace="azure"))


def _resources(context: Context, options: Namespace) -> Any:
    found = _there(context).service.resources()
    if found:
        context.say(_total(found))
    return found


def _teardown(context: Context, options: Namespace) -> Any:
    service = _there(context).service
    if not options.yes:
        ours = [each for each in service.resources() if each.made_here]
        names = ", ".join(f"{each.kind} {each.name}" for each in ours) or "nothing"
        raise SpecInvalid(f"This would remove {names}", hint="Add --yes to remove it; data, models and runs stay")
    return service.teardown()


def _total(found: Sequence["Resource"]) -> str:
    known = sum(each.hourly_cost or 0.0 for each in found)
    unknown = sum(each.hourly_cost is None for each in found)
    more = f", and {unknown} whose price is not known" if unknown else ""
    return f"Together {known:,.2f} {found[0].currency} an hour by the list prices that ship with Slipway{more}"


COMMANDS = (
    Command(
        "azure resources",
        "what runs or fires in the workspace of Azure ML, and what it costs an hour",
        _resources,
        columns=("kind", "name", "state", "size", "count", "hourly_cost", "made_here", "note"),
    ),
    Command(
        "azure teardown",
        "remove what Slipway made there and that runs, fires or costs; data, models and runs stay",
        _teardown,
        (arg("--yes", action="store_true", help="do it; without, it only says what it would remove"),),
        columns=("kind", "name", "state", "hourly_cost"),
    ),
    Command(
        "azure demo",
        "the app on an emulation of Azure ML, with the quickstart running in the background",
        _demo,
    ),
    Command(
        "azure emulate",
        "answer as Azure ML does, on this machine; after --, run a command inside it",
        _emulate,
        (
            arg("--config", metavar="FILE", help="write a config.json as Azure's studio does"),
            arg("--port", type=int, default=0, help="port of the proxy, on loopback; 0 picks a free one"),
            arg("--allow-code", action="store_true", help="let code that a client sends run on this machine"),
            arg(
                "--time-scale",
                type=float,
                default=30.0,
                help="emulated seconds of a job's budget in a real one; 30 makes 15 minutes 30 seconds",
            ),
            arg("inside", nargs=REMAINDER, metavar="-- COMMAND ...", help="a command to run inside the emulation"),
        ),
    ),
    *azure_clock.COMMANDS,
    Command(
        "azure fault",
        "let something go wrong in the emulation (add), show it (list), let nothing go wrong anymore (clear)",
        _fault,
        (
            arg("action", choices=("add", "list", "clear"), help="what to do"),
            arg("what", nargs="?", help="add: what goes wrong, such as throttled or 429; clear: the id of one fault"),
            arg("--method", help="only requests of this method"),
            arg("--path", help="only requests whose host and path have this, or fit this pattern with stars"),
            arg("--target", help="only this deployment, compute, or last name of the path"),
            arg("--times", type=int, help="how often; 1 unless given, 0 is every time"),
            arg("--seconds", type=float, help="how much longer an operation takes, or what Retry-After says"),
            arg("--field", help="the field of an answer that has a wrong type, such as properties.traffic"),
        ),
    ),
)
