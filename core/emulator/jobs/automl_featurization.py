"""An AutoML job's featurization: as it is shown, and as the training has it."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.emulator.jobs.automl_words import squeezed
from core.emulator.messages import Document

PURPOSES = {"categoricalhash": Purpose.CATEGORICAL} | {squeezed(purpose): purpose for purpose in Purpose}
"""Azure's purposes of a column, squeezed; of a hashed category the hash is left out."""


def shown(given: Mapping[str, Any] | None) -> Document | None:
    """As it is shown: with Azure's spelling of its mode, and all that was not said."""
    if not given:
        return None
    nothing: Document = dict.fromkeys(
        ("datasetLanguage", "blockedTransformers", "columnNameAndTypes", "transformerParams")
    )
    mode = str(given.get("mode") or "Auto").capitalize()
    return nothing | {"enableDnnFeaturization": False} | dict(given) | {"mode": mode}


def excluded(task: Mapping[str, Any]) -> tuple[str, ...]:
    """What is no feature: columns that say how to weigh or split rows, and those that featurization drops."""
    said = task.get("featurizationSettings") or {}
    ignored = [name for name, purpose in _purposes(said).items() if purpose is Purpose.IGNORE]
    named = [task.get("weightColumnName"), *(task.get("cvSplitColumnNames") or [])]
    return tuple(dict.fromkeys(str(name) for name in (*named, *ignored, *(said.get("dropColumns") or [])) if name))


def read(said: Mapping[str, Any]) -> Featurization:
    """What the training is to do. Columns that are named without the mode "custom" are left to the engine."""
    mode = str(said.get("mode", "auto")).lower()
    if mode == FeaturizationMode.OFF:
        return Featurization(FeaturizationMode.OFF)
    purposes = {name: purpose for name, purpose in _purposes(said).items() if purpose is not Purpose.IGNORE}
    fills = dict(_fills(said))
    if mode != FeaturizationMode.CUSTOM or not (purposes or fills):
        return Featurization()
    constants = {name: value for name, (how, value) in fills.items() if how is Imputation.CONSTANT}
    imputations = {name: how for name, (how, _) in fills.items()}
    return Featurization(FeaturizationMode.CUSTOM, purposes, imputations, constants)


def unused(said: Mapping[str, Any]) -> Iterator[str]:
    """What is asked for and not looked at here, each in a sentence."""
    others = [
        name for name, each in (said.get("transformerParams") or {}).items() if each and squeezed(name) != "imputer"
    ]
    for name in (*others, *(said.get("blockedTransformers") or [])):
        yield f"featurizationSettings: {name} is not used: the engine has transformers of its own."


def _purposes(said: Mapping[str, Any]) -> dict[str, Purpose]:
    given = said.get("columnNameAndTypes") or {}
    return {str(name): PURPOSES[squeezed(kind)] for name, kind in given.items() if squeezed(kind) in PURPOSES}


def _fills(said: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Imputation, Any]]]:
    """Column -> what stands for its missing cells, with the constant."""
    given = {squeezed(name): each for name, each in (said.get("transformerParams") or {}).items()}
    for each in given.get("imputer") or ():
        parameters = each.get("parameters") or {}
        how = str(parameters.get("strategy", "")).lower()
        value = parameters.get("fill_value", parameters.get("fillValue", 0))
        if how in tuple(Imputation):
            yield from ((str(name), (Imputation(how), value)) for name in each.get("fields") or ())
