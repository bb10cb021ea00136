"""How a run is started: a request to the batch endpoint with an Entra token, once for each repeat key."""

import hashlib
import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.azure.arm import ask
from core.azure.context import ML_SCOPE, Context
from core.azure.errors import refusal
from core.azure.kept import kept
from core.azure.pipelines import words
from core.azure.pipelines.documents import API, RunDocument, document
from core.definitions.pipelines import plan, values_of
from core.domain.errors import Conflict, SlipwayError, SpecInvalid
from core.domain.pipeline import PipelineEndpoint
from core.domain.rules import check_text, shown
from core.domain.run import RunOrigin

log = logging.getLogger(__name__)
REPEAT_KEY_CHARS_MAX = 128
REPEAT_S = 24 * 3600
DEPLOYMENT_HEADER = "azureml-model-deployment"
ONCE_HEADER = "repeatability-request-id"
"""What the SDK sends too: Azure may tell a request by it that it has seen already."""


def checked(found: PipelineEndpoint, experiment_name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Every parameter's value. Raises SpecInvalid, Conflict for a disabled pipeline."""
    if not found.enabled:
        raise Conflict(f"Pipeline '{found.name}' is disabled", hint="Enable it, or publish it again")
    check_text("The experiment's name", experiment_name, empty=True)
    if not experiment_name.strip():
        raise SpecInvalid("A run needs an experiment name", hint='Send {"ExperimentName": "..."}')
    plan(found.spec, parameters)
    return values_of(found.spec, parameters)


def check_repeat_key(key: str) -> None:
    """Raises SpecInvalid for a key that is too long or that no header can carry; an empty one is none."""
    if len(key) > REPEAT_KEY_CHARS_MAX or any(not "!" <= letter <= "~" for letter in key):
        raise SpecInvalid(
            f"The idempotency key is {shown(key)}, expected 1 to {REPEAT_KEY_CHARS_MAX} printable ASCII "
            "characters without spaces",
            hint="A UUID is a good one",
        )


def digest(version: int, experiment_name: str, parameters: Mapping[str, Any]) -> str:
    """What a trigger asks for, to tell a repeated one from another one; `version` 0 is the default, whichever it is."""
    asked = [version, experiment_name, dict(parameters)]
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()[:32]


def repeated(runs: Sequence[RunDocument], pipeline: str, key: str, asked: str, now: float) -> str:
    """The run that a trigger with this key has started within 24 hours; empty where none has.

    Raises Conflict where something else was asked for then.
    """
    for run in runs if key else ():
        if run.pipeline == pipeline and run.tags.get(words.REPEAT) == key and now - run.created_at < REPEAT_S:
            if run.tags.get(words.ASKED) != asked:
                raise Conflict(
                    f"This idempotency key has started another run of '{pipeline}', with other values",
                    hint="Send a new key with a new request, and the same request with the same key",
                )
            return run.id
    return ""


def tags(
    found: PipelineEndpoint,
    origin: RunOrigin,
    *,
    schedule: str = "",
    retry_of: str = "",
    key: str = "",
    asked: str = "",
) -> dict[str, str]:
    """What a run is known by."""
    given = {
        words.NAME: found.name,
        words.AT: str(found.version),
        words.ORIGIN: origin.value,
        words.SCHEDULE: schedule,
        words.RETRY_OF: retry_of,
        words.REPEAT: key,
        words.ASKED: asked if key else "",
    }
    return words.made(**{name: value for name, value in given.items() if value})


def start(
    context: Context,
    found: PipelineEndpoint,
    experiment_name: str,
    values: Mapping[str, Any],
    known_by: Mapping[str, str],
) -> str:
    """Start a run of a version, and give its id. Sent once: an answer that is lost starts no second run."""
    given = words.inputs(found.spec.parameters)
    literals = {
        given[name]: {"jobInputType": "Literal", "value": words.as_text(value)} for name, value in values.items()
    }
    body = {
        "properties": {
            "inputData": literals,
            "tags": dict(known_by),
            "properties": {"experimentName": experiment_name, **known_by, **kept(words.VALUES, dict(values))},
        }
    }
    key = known_by.get(words.REPEAT, "")
    once = uuid.uuid5(uuid.NAMESPACE_URL, f"{found.trigger_uri}#{key}") if key else uuid.uuid4()
    headers = {DEPLOYMENT_HEADER: words.deployment_of(found.version), ONCE_HEADER: str(once)}
    reply = context.http("POST", found.trigger_uri, scope=ML_SCOPE, json=body, headers=headers)
    if reply.status_code not in (200, 201, 202):
        raise refusal(reply.status_code, _said(reply))
    run_id = str(reply.json().get("name") or "")
    try:
        _note(context, run_id, known_by)
    except SlipwayError:
        _take_back(context, run_id)
        raise
    return run_id


def _take_back(context: Context, run_id: str) -> None:
    """Cancel a run that nobody would find again. What went wrong before is told, not what goes wrong here."""
    try:
        with context.asking("job", run_id) as client:
            client.jobs.begin_cancel(run_id, polling=False)
    except SlipwayError as e:
        log.warning("Run %s has started, nothing knows of it, and it cannot be canceled now: %s", run_id, e.message)


def _said(reply: Any) -> str:
    try:
        return str(reply.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return str(reply.text[:300]) or f"status {reply.status_code}"


def _note(context: Context, run_id: str, known_by: Mapping[str, str]) -> None:
    """Give the run's job its tags where the endpoint has not passed them on."""
    answer = ask(context, f"{context.target.path}/jobs/{run_id}", API)
    if answer.found and document(answer.body).pipeline:
        return
    base = f"https://{context.region}.api.azureml.ms/mlflow/v2.0{context.target.path}/api/2.0/mlflow/runs/set-tag"
    for name, value in known_by.items():
        reply = context.http("POST", base, scope=ML_SCOPE, json={"run_id": run_id, "key": name, "value": value})
        if reply.status_code != 200:
            raise refusal(reply.status_code, f"Run {run_id} has started, but Azure refused its tags: {_said(reply)}")
