"""What the training of a deployment's model was like: from the model's folder, else from the table where it is here."""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.domain.errors import Conflict, DataNotFound
from core.domain.model import Model
from core.local.context import Context
from core.local.deleted import files

if TYPE_CHECKING:
    from core.ml.drift.reference import Reference
    from core.predict.arrays import Array
    from core.predict.folder import Predictor

HELD = 8


@dataclass(frozen=True, slots=True)
class Watched:
    """A model with what its training was like."""

    model: Model
    predictor: "Predictor"
    reference: "Reference"
    key: str
    """Changes with the reference."""


class References:
    """Of one workspace's models; the latest few are held. Imports of the engine stand where they are used."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: OrderedDict[tuple[str, str], Watched] = OrderedDict()
        self._one = threading.RLock()

    def of(self, name: str, version: int) -> Watched:
        """Raises ModelNotFound, ModelUnreadable, Conflict where nothing tells what the training data was like."""
        model = self._context.store.models.get(name, version)
        key = (model.ref, model.job_id)
        with self._one:
            if key not in self._known:
                self._known[key] = self._read(model)
                while len(self._known) > HELD:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            return self._known[key]

    def predictor(self, name: str, version: int) -> "Predictor":
        """A model, whether anything tells of its training data or not. Raises ModelNotFound, ModelUnreadable."""
        from core.predict.folder import load_model

        model = self._context.store.models.get(name, version)
        return load_model(self._context.paths.model(model.name, model.job_id, model.trial))

    def _read(self, model: Model) -> Watched:
        from core.ml.drift.reference import FILE, Reference
        from core.predict.folder import load_model

        folder = self._context.paths.model(model.name, model.job_id, model.trial)
        predictor = load_model(folder)
        try:
            reference = Reference.from_json(msgspec.json.decode((folder / FILE).read_bytes()))
        except FileNotFoundError:
            reference = self._of_table(model, predictor)
        key = hashlib.sha256(msgspec.json.encode(reference.to_json())).hexdigest()[:16]
        return Watched(model, predictor, reference, key)

    def _of_table(self, model: Model, predictor: "Predictor") -> "Reference":
        """Of a model that was packaged before its reference was kept beside it."""
        from core.ml.drift.table import reference_of

        try:
            with files(self._context.store, model.data) as data:
                table = self._context.paths.table(data.name, data.content_id)
                return reference_of(table, data.rows, predictor, self._said(model))
        except DataNotFound as e:
            raise Conflict(
                f"Nothing tells what the training data of model '{model.ref}' was like: {model.data} is not here, and "
                "the model's folder holds no reference",
                hint="Train the model again with this version, or register the table",
            ) from e

    def _said(self, model: Model) -> "Array | None":
        """Of rows by models that never saw them; None where the trial has left nothing."""
        import numpy as np

        kept: Path = self._context.paths.trials(model.job_id) / str(model.trial) / "oof.npy"
        return np.load(kept, allow_pickle=False).astype(np.float64) if kept.exists() else None
