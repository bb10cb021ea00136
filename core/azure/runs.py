"""What Azure's run history and its MLflow tracking know of a run: states, times, errors, logs, metrics."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from core.azure.context import ML_SCOPE, Context
from core.azure.errors import STATUSES, plain
from core.domain.errors import JobNotFound, SlipwayError

PAGE_RUNS = 1000
AT_ONCE = 100
Document = Mapping[str, Any]


def details(context: Context, run_id: str) -> Document:
    """Times, error and log files of a run. Raises JobNotFound."""
    return _asked(context, "GET", f"history/v1.0{context.target.path}/runs/{quote(run_id, safe='')}/details", run_id)


def many(context: Context, run_ids: Sequence[str]) -> dict[str, Document]:
    """Times and errors of many runs, a hundred by a request; those that are not there are left out."""
    found: dict[str, Document] = {}
    for ids in (run_ids[at : at + AT_ONCE] for at in range(0, len(run_ids), AT_ONCE)):
        asked = {"requests": {run_id: {"runId": run_id, "selectRunMetadata": True} for run_id in ids}}
        got = _asked(context, "POST", f"history/v1.0{context.target.path}/batchrundata", ids[0], json=asked)
        results = _part(got, "successfulResults")
        found |= {run_id: run for run_id, each in results.items() if (run := _part(each, "runMetadata"))}
    return found


def tracked(context: Context, run_id: str) -> Document:
    """A run as MLflow's tracking gives it. Raises JobNotFound."""
    found = _asked(context, "GET", f"{_mlflow(context)}/runs/get", run_id, params={"run_id": run_id})
    return _part(found, "run")


def children(context: Context, run: Document) -> Iterator[Document]:
    """The runs below one, as MLflow's tracking gives them, page by page."""
    info = _part(run, "info")
    run_id = str(info.get("run_id") or "")
    wanted: dict[str, Any] = {
        "experiment_ids": [str(info.get("experiment_id") or "")],
        "filter": f"tags.mlflow.parentRunId = '{run_id}'",
        "max_results": PAGE_RUNS,
    }
    while True:
        page = _asked(context, "POST", f"{_mlflow(context)}/runs/search", run_id, json=wanted)
        yield from (each for each in page.get("runs") or () if isinstance(each, dict))
        if not (token := page.get("next_page_token")):
            return
        wanted = {**wanted, "page_token": token}


def text(context: Context, url: str) -> str:
    """A log file at the address that run history gives, which needs no token; empty where it is not there yet."""
    got = context.http("GET", url, follow_redirects=True)
    return got.text if got.status_code == 200 else ""


def pairs(run: Document, part: str) -> dict[str, Any]:
    """The metrics, params or tags of a run by name."""
    held = _part(run, "data").get(part)
    if isinstance(held, dict):
        return {str(key): value for key, value in held.items()}
    return {str(each["key"]): each.get("value") for each in held or () if isinstance(each, dict) and "key" in each}


def _mlflow(context: Context) -> str:
    return f"mlflow/v2.0{context.target.path}/api/2.0/mlflow"


def _part(document: Any, name: str) -> Document:
    part = document.get(name) if isinstance(document, dict) else None
    return part if isinstance(part, dict) else {}


def _asked(context: Context, method: str, path: str, run_id: str, **sent: Any) -> Document:
    got = context.http(method, f"https://{context.region}.api.azureml.ms/{path}", scope=ML_SCOPE, **sent)
    if got.status_code == 404:
        raise JobNotFound(f"There is no job '{run_id}' in this workspace")
    try:
        document = got.json()
    except ValueError:
        document = {}
    if got.status_code != 200 or not isinstance(document, dict):
        said = plain(said_in(document) or got.text or f"status {got.status_code}")
        raise STATUSES.get(got.status_code, _refused)(said)
    return document


def _refused(said: str) -> SlipwayError:
    return SlipwayError(f"Azure refused: {said}")


def said_in(document: Any) -> str:
    """The message of an error as any of Azure's services writes it."""
    while isinstance(document, dict):
        inner = document.get("error")
        if not isinstance(inner, dict):
            return str(document.get("message") or document.get("code") or "")
        document = inner
    return ""
