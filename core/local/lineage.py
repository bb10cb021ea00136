"""What the steps of a run made and used, noted as they do: data versions, trainings, models, deployments, reports."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from core.domain.data import DataRef
from core.domain.errors import SlipwayError
from core.domain.names import reference
from core.domain.pipeline import PipelineStep, ValueType
from core.domain.proof import GateResult
from core.domain.run import Artifact, StepRun, StepState
from core.domain.steps import STEP_TYPES
from core.local.dependence import live_models, named_table, outputs_of, type_of
from core.local.store import Nouns

NOTED = frozenset({ValueType.DATA, ValueType.JOB, ValueType.MODEL, ValueType.DEPLOYMENT, ValueType.REPORT})
"""What has a page of its own, and is there after the run."""


def note(
    tx: Nouns, run_id: str, plan: Sequence[PipelineStep], known: Mapping[str, StepRun], names: Collection[str]
) -> None:
    """Note, inside a transaction, what the steps of these names have made and used so far; once more does no harm.

    `known` are all steps of the run.
    """
    for step in plan:
        if step.name not in names:
            continue
        run = known[step.name]
        if run.started_at is None and run.state is not StepState.SUCCEEDED:
            continue
        tx.runs.note_artifacts(run_id, run.name, _used(tx, plan, known, step), made=False)
        tx.runs.note_artifacts(run_id, run.name, _given(step, run), made=_made(run))
        tx.runs.note_artifacts(run_id, run.name, _left(tx, step, run), made=True)


def _used(
    store: Nouns, plan: Sequence[PipelineStep], known: Mapping[str, StepRun], step: PipelineStep
) -> Iterator[Artifact]:
    for source in step.inputs.values():
        name, _, output = source.partition(".")
        kind, value = type_of(plan, source), known[name].outputs.get(output)
        if kind in NOTED and value:
            yield Artifact(kind, str(value))
    if table := named_table(step):
        yield Artifact(ValueType.DATA, _version(store, table))
    yield from (Artifact(ValueType.MODEL, model) for model in live_models(store, step))


def _version(store: Nouns, named: str) -> str:
    """A table with its version, which a name alone leaves open."""
    try:
        return str(store.data.get(DataRef(*reference(named))).ref)
    except SlipwayError:
        return named  # the step will say that it is not there


def _given(step: PipelineStep, run: StepRun) -> Iterator[Artifact]:
    for name, kind in outputs_of(step).items():
        if kind in NOTED and (value := run.outputs.get(name)):
            yield Artifact(kind, str(value))


def _made(run: StepRun) -> bool:
    """Whether what a step gives is there because of it: `prepare` says by `new` whether a table was there before."""
    return not run.reused_from and run.outputs.get("new", True) is not False


def _left(store: Nouns, step: PipelineStep, run: StepRun) -> Iterator[Artifact]:
    """What a step's own training or gate has come to, also where the step failed."""
    if not run.started_job_id or run.reused_from:
        return
    if ValueType.JOB in STEP_TYPES[step.kind].outputs.values():
        yield Artifact(ValueType.JOB, run.started_job_id)
    result = store.jobs.get(run.started_job_id).result
    if isinstance(result, GateResult):
        yield Artifact(ValueType.REPORT, result.report_id)
