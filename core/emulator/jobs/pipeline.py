"""Pipeline jobs: nodes that begin when what they take is there. Everything is kept, so that a restart goes on."""

from collections.abc import Callable, Mapping
from typing import Any

from core.emulator.emulation import Emulation
from core.emulator.jobs import nodes, runs
from core.emulator.jobs.expressions import NothingThere, needs, only
from core.emulator.jobs.nodes import SCOPE_OUTPUT
from core.emulator.jobs.refusals import due
from core.emulator.jobs.runs import Run
from core.emulator.messages import AzureError, Document

Cancel = Callable[[Emulation, Run], Run]


def begin(emulation: Emulation, run: Run) -> Run:
    """Begin: from now on nodes are started; or fail, where one of them cannot run here."""
    why = nodes.why_not(emulation, {"jobs": run.local["nodes"]})
    if why:
        return _failed(emulation, run, why) if due(emulation, run) else run
    return runs.change(emulation, run.id, status="Running", started_at=emulation.clock.now())


def advance(emulation: Emulation, run: Run, cancel: Cancel) -> Run:
    """Start the nodes that may begin, and end the pipeline when none is left; quick."""
    with emulation.state.lock:
        run = runs.get(emulation, run.id)
        if run.final or run.status in ("NotStarted", "Preparing"):
            return run
        children = {name: runs.get(emulation, each) for name, each in run.local["children"].items()}
        bad = sorted(name for name, child in children.items() if child.status in ("Failed", "Canceled"))
        going = [child for child in children.values() if not child.final]
        stopping = run.status == "CancelRequested" or (bad and not _continues(run))
        if not stopping:
            started, refused = _start(emulation, run, children)
            if refused:
                return _failed(emulation, run, refused)
            going += started
        elif bad:
            for child in going:
                if child.status != "CancelRequested":
                    cancel(emulation, child)
        return runs.get(emulation, run.id) if going else _ended(emulation, run, children, bad)


def cancel_all(emulation: Emulation, run: Run, cancel: Cancel) -> Run:
    """Ask all nodes to end; those that have not begun will not."""
    run = runs.change(emulation, run.id, status="CancelRequested")
    for each in run.local["children"].values():
        child = runs.get(emulation, each)
        if not child.final and child.status != "CancelRequested":
            cancel(emulation, child)
    if run.started_at is None:
        return runs.ended(emulation, run.id, "Canceled")
    return advance(emulation, run, cancel)


def _start(emulation: Emulation, run: Run, children: Mapping[str, Run]) -> tuple[list[Run], str]:
    """The nodes that have been started now; why one could not be."""
    done = {name: child for name, child in children.items() if child.status == "Completed"}
    ids = dict(run.local["children"])
    started: list[Run] = []
    for name, node in run.local["nodes"].items():
        if name in children or not needs(node) <= set(done):
            continue
        try:
            child = nodes.made(emulation, run, name, node, done)
        except AzureError as e:
            return started, f"Node '{name}' cannot begin: {e.message}"
        except NothingThere as e:
            return started, f"Node '{name}' cannot begin: there is no '{e}'."
        runs.keep(emulation, child)
        runs.child_document(emulation, child)
        ids[name] = child.id
        started.append(child)
    if started:
        runs.change(emulation, run.id, local={**run.local, "children": ids})
    return started, ""


def _ended(emulation: Emulation, run: Run, children: Mapping[str, Run], bad: list[str]) -> Run:
    if run.status == "CancelRequested":
        return runs.ended(emulation, run.id, "Canceled")
    if bad:
        failed = ", ".join(f"/{name}" for name in bad)
        return _failed(
            emulation,
            run,
            f"Pipeline has failed child jobs. Failed nodes: {failed}. For more details and logs, please go to the job"
            " detail page and check the child jobs.",
        )
    uris, types = _outputs(run, children)
    return runs.ended(emulation, run.id, "Completed", outputs=uris, output_types=types)


def _failed(emulation: Emulation, run: Run, message: str) -> Run:
    return runs.ended(emulation, run.id, "Failed", {"code": "UserError", "message": message})


def _outputs(run: Run, children: Mapping[str, Run]) -> tuple[Document, Document]:
    """The pipeline's outputs are those of the nodes that say so."""
    uris: Document = {}
    types: Document = {}
    for name, node in run.local["nodes"].items():
        child = children.get(name)
        for output, said in (node.get("outputs") or {}).items():
            text = said if isinstance(said, str) else (said or {}).get("value") or (said or {}).get("path")
            bound = only(text)
            if child and bound.startswith(SCOPE_OUTPUT) and output in child.outputs:
                uris[bound.removeprefix(SCOPE_OUTPUT)] = child.outputs[output]
                types[bound.removeprefix(SCOPE_OUTPUT)] = child.output_types.get(output, "uri_folder")
    return uris, types


def _continues(run: Run) -> bool:
    value: Any = run.local.get("settings", {}).get("continue_on_step_failure")
    if value is None:
        value = run.local.get("settings", {}).get("continueOnStepFailure")
    return str(value).lower() == "true"
