"""Register a table as it is now; the same bytes give the version that exists.

`data` names, in this order: a path; `NAME:VERSION` of a data asset (also `NAME:latest`); a table that a data folder has
under this name, which is read as it is now; a data asset, of which the newest version is taken that is no part of
another. A table that was uploaded is found by the name of its asset alone.
"""

import os
from dataclasses import replace
from pathlib import Path

from core.definitions.advance import Basis
from core.domain.counting import counted
from core.domain.data import DataAsset, DataRef, Note, NoteKind, Reading
from core.domain.errors import SourceUnreadable, TableUnusable
from core.domain.names import reference
from core.domain.pipeline import ValueType
from core.domain.run import Artifact, StepResult
from core.domain.step_settings import PrepareSettings
from core.local import tables
from core.local.deleted import files
from core.local.reuse import Reuses
from core.local.worker.step_attempt import Step
from core.local.worker.work import Work
from core.ml.data.content import split
from core.ml.data.guardrails import check_target
from core.sources import Source, resolve, sha256
from core.sources.asset import ingested

HOLDOUT = "-holdout"
"""What the name of the rows ends in that are kept from every training."""


def run(work: Work, step: Step) -> StepResult:
    """Raises SourceUnreadable, DataNotFound, TableUnusable."""
    settings = step.settings(PrepareSettings)
    known, found = _looked_up(work, settings.data)
    earlier = _basis(work, step, known, found, sha256(found) if found else "")
    if earlier.reused_from:
        return _reused(earlier)
    name = settings.name or (known.name if known else found.name if found else "")
    if settings.holdout_pct:
        asset, held_out = _split(work, settings, name, known, found)
    else:
        asset, held_out = _whole(work, settings, name, known), None
    new = asset.created_at >= step.run.created_at
    if new:
        # At once: the run has made it whatever becomes of this attempt, and a schedule that waits for it asks who did.
        made = [Artifact(ValueType.DATA, str(each.ref)) for each in (asset, held_out) if each]
        work.store.runs.note_artifacts(step.run.id, step.step.name, made, made=True)
    for note in asset.notes:
        work.log.info(note.text)
    _check(work, asset, settings.target)
    outputs = {"data": str(asset.ref), "rows": asset.rows, "source": asset.source}
    outputs["new"] = new
    said = f"{asset.ref} has {counted(asset.rows, 'row')}"
    if held_out:
        outputs["holdout"] = str(held_out.ref)
        said += f", and {held_out.ref} the {held_out.rows:,} that no training sees"
    basis = _basis(work, step, known, found, asset.sha256)  # the file may have become another since it was looked at
    return _reused(basis) if basis.reused_from else StepResult(outputs, parts=basis.parts, why=basis.why, note=said)


def _basis(work: Work, step: Step, known: DataAsset | None, found: Source | None, read: str) -> Basis:
    """What the step depends on, with the source's bytes, and an earlier run's outputs where nothing has changed."""
    source = known.content_id if known else f"{found.kind} {read}" if found else ""
    return Reuses(work.store, work.settings).further(step.run, step.step, {"source": source})


def _reused(basis: Basis) -> StepResult:
    outputs = {**basis.outputs, "new": False}
    return StepResult(outputs, reused_from=basis.reused_from, parts=basis.parts, why=basis.why, note=basis.note)


def _looked_up(work: Work, data: str) -> tuple[DataAsset | None, Source | None]:
    """What `data` means: a version that is registered, or a table to be read. Raises SourceUnreadable, DataNotFound."""
    assets = [asset for asset in work.store.data.list() if asset.name in (data, reference(data)[0])]
    if assets and reference(data)[0] != data:
        return work.store.data.get(DataRef(*reference(data))), None
    try:
        return None, resolve(data, work.settings, work.log.info)
    except SourceUnreadable:
        if whole := [asset for asset in assets if not asset.split]:
            return max(whole, key=lambda asset: asset.version), None
        raise


def _whole(work: Work, settings: PrepareSettings, name: str, known: DataAsset | None) -> DataAsset:
    if known is None:
        return work.workspace.data.register(name, settings.data, Reading(target=settings.target))
    if known.name == name:
        return known
    with files(work.store, known.ref), tables.incoming(work.paths, name, work.clock) as folder:
        os.link(work.paths.table(known.name, known.content_id), folder / tables.TABLE)
        return _published(work, replace(known, name=name), folder)


def _split(
    work: Work, settings: PrepareSettings, name: str, known: DataAsset | None, found: Source | None
) -> tuple[DataAsset, DataAsset | None]:
    """The table without the rows that are kept from every training, and these. Raises TableUnusable."""
    share = f"{settings.holdout_pct:g} % of the rows, chosen by what stands in them"
    with tables.incoming(work.paths, name, work.clock) as folder:
        if known is not None:
            with files(work.store, known.ref):
                os.link(work.paths.table(known.name, known.content_id), folder / tables.TABLE)
            whole = known
        else:
            assert found is not None
            reading = Reading(target=settings.target)
            whole = ingested(found, name, folder / tables.TABLE, reading, work.clock())
        rest, out = folder / "rest", folder / "held out"
        rest.mkdir()
        out.mkdir()
        rows, kept = split(folder / tables.TABLE, rest / tables.TABLE, out / tables.TABLE, settings.holdout_pct)
        if not rows:
            raise TableUnusable(f"No row of '{settings.data}' is left to train on: {share}, are all of them")
        asset = _part(work, whole, name, rows, f"Without {share}: they are kept from every training", rest)
        if not kept:
            work.log.warning(f"The hold-out is empty: {share}, are none of {counted(rows, 'row')}")
            return asset, None
        return asset, _part(work, whole, name + HOLDOUT, kept, f"These are {share}, kept from every training", out)


def _part(work: Work, whole: DataAsset, name: str, rows: int, text: str, folder: Path) -> DataAsset:
    notes = (*whole.notes, Note(NoteKind.HELD_OUT, text))
    return _published(work, replace(whole, name=name, rows=rows, notes=notes), folder)


def _published(work: Work, asset: DataAsset, folder: Path) -> DataAsset:
    """A version of its own, made now of a table in a folder; what its profile says is found anew."""
    notes = tuple(note for note in asset.notes if note.kind is not NoteKind.SPELLINGS)
    asset = replace(asset, version=0, created_at=work.clock(), notes=notes)
    return tables.published(work.store, work.paths, asset, folder)


def _check(work: Work, asset: DataAsset, target: str) -> None:
    """Raise TableUnusable for a target that cannot be learned."""
    if target:
        with files(work.store, asset.ref):
            table = work.paths.table(asset.name, asset.content_id)
            check_target(work.workspace.data.profile(asset.ref), table, asset.named(target))
