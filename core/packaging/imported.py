"""A model folder from elsewhere -> one of ours: read as data, asked once, and written anew.

Nothing in it is run or unpickled: only files that are data are taken, and the code beside them is written again by this
Slipway. Each form that a folder can have is a line in `FORMS`; the first that recognizes a folder reads it.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.contract.payload import Decoder
from core.domain.errors import ModelUnreadable, SlipwayError, SpecInvalid
from core.domain.signature import parity_limit
from core.ml.drift.reference import FILE as REFERENCE
from core.ml.drift.reference import Reference
from core.ml.finished import NATIVE
from core.packaging import mlflow, model_card
from core.packaging.foreign.boosters import is_booster, take_booster
from core.packaging.foreign.onnx import MODEL, is_onnx, take_onnx
from core.predict.folder import Predictor, load_model

PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".cloudpickle", ".dill", ".pt", ".pth"})
PICKLE_OPCODE = b"\x80"
PICKLE_PROTOCOLS = range(2, 6)
NO_PICKLE_HINT = (
    "Save the model as a native LightGBM or XGBoost file, or train it with "
    "job.set_training(enable_onnx_compatible_models=True) and import its model.onnx"
)
ONNX_BESIDE = f"Import a folder that holds {MODEL} (and model_onnx.json) alone: it needs no pickle"
DATA_FILES = ("signature.json", "model.json", "arrays.npz", "card.json", "parity.npz", REFERENCE)
"""What a folder of ours is made of, `native/` beside them; the rest is written from these."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A folder that was taken over."""

    digest: str
    """SHA-256 of all the data that was taken, with the names of the files."""
    card: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """One layout that a model folder can have."""

    recognizes: Callable[[Path], bool]
    take: Callable[[Path, Path], None]
    """(the folder, an empty one) -> writes DATA_FILES there. It may raise SpecInvalid and ModelUnreadable."""


def take_over(source: Path, staged: Path) -> Imported:
    """Write the model in `source` to the folder `staged`, which is made.

    Raises SpecInvalid for a folder that has no form we read, that holds a pickle or a link, that is damaged, and whose
    model answers otherwise than it did when it was packaged.
    """
    if not source.is_dir():
        raise SpecInvalid(f"There is no folder {source}", hint="Name a folder that `model package` wrote")
    _refuse_what_could_run(source)
    try:
        form = next((form for form in FORMS if form.recognizes(source)), None)
        if form is None:
            raise SpecInvalid(
                f"{source.name} is not a model folder that can be read: it has no model.json and signature.json"
                " of Slipway, and no MLmodel of a native booster or of ONNX",
                hint="Import a folder that `model package` wrote, or a LightGBM, XGBoost or ONNX model saved by MLflow",
            )
        staged.mkdir(parents=True)
        form.take(source, staged)
        predictor = load_model(staged)
        _check_parity(staged, predictor)
        _check_reference(staged)
        card = _card(staged)
    except ModelUnreadable as e:
        raise SpecInvalid(f"The model in {source.name} cannot be imported: {e}", hint="Package it again") from e
    digest = _digest(staged)
    mlflow.write_flavor(staged, predictor.signature, job_id=str(card["job_id"]), created_at=float(card["created_at"]))
    return Imported(digest, card)


def _refuse_what_could_run(source: Path) -> None:
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_symlink():
            raise SpecInvalid(f"{name} is a link", hint="Import a folder that holds all its files itself")
        if path.is_file() and _is_pickle(path):
            raise SpecInvalid(
                f"{name} is a pickle, which could run anything when it is read",
                hint=ONNX_BESIDE if (source / MODEL).is_file() else NO_PICKLE_HINT,
            )


def _is_pickle(path: Path) -> bool:
    if path.suffix.lower() in PICKLES:
        return True
    with path.open("rb") as file:
        head = file.read(2)
    return head[:1] == PICKLE_OPCODE and head[1:] != b"" and head[1] in PICKLE_PROTOCOLS


def _is_ours(source: Path) -> bool:
    return (source / "model.json").is_file() and (source / "signature.json").is_file()


def _take_ours(source: Path, staged: Path) -> None:
    for name in (*DATA_FILES, model_card.FILE):
        if (source / name).is_file():
            shutil.copyfile(source / name, staged / name)
    if (source / NATIVE).is_dir():
        shutil.copytree(source / NATIVE, staged / NATIVE)


FORMS: tuple[Form, ...] = (Form(_is_ours, _take_ours), Form(is_booster, take_booster), Form(is_onnx, take_onnx))


def _card(staged: Path) -> Mapping[str, Any]:
    """The model's card, with everything that a registration reads. Raises ModelUnreadable."""
    try:
        card = msgspec.json.decode((staged / "card.json").read_bytes())
        metrics = {str(name): float(value) for name, value in card["metrics"].items()}
        data = {"name": str(card["data"]["name"]), "version": int(card["data"]["version"])}
        return {
            **card,
            "metrics": metrics,
            "data": {**card["data"], **data},
            "trial": int(card["trial"]),
            "algorithm": str(card["algorithm"]),
            "created_at": float(card["created_at"]),
            "job_id": str(card["job_id"]),
        }
    except (OSError, msgspec.DecodeError) as e:
        raise ModelUnreadable(f"its card.json cannot be read: {e}") from e
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise ModelUnreadable(f"its card.json is damaged: {e!r}") from e


def _check_parity(staged: Path, predictor: Predictor) -> None:
    """Where the folder brings the answers of the trained model, it must still give them. Raises ModelUnreadable."""
    path = staged / "parity.npz"
    if not path.exists():
        return
    try:
        with np.load(path, allow_pickle=False) as kept:
            body, own = kept["body"].tobytes(), kept["probabilities"]
        served = predictor.probabilities(Decoder(predictor.signature)(body).columns)
        apart = float(np.abs(served - own).max())
    except (OSError, ValueError, KeyError, EOFError, SlipwayError) as e:
        raise ModelUnreadable(f"its parity.npz is damaged: {e}") from e
    if not apart <= parity_limit(float(np.abs(own).max(initial=0.0))):
        raise ModelUnreadable(f"it answers up to {apart:.2g} apart from the model that was trained")


def _check_reference(staged: Path) -> None:
    """Where the folder tells what the training data was like, that must be readable. Raises ModelUnreadable."""
    path = staged / REFERENCE
    if path.exists():
        try:
            Reference.from_json(msgspec.json.decode(path.read_bytes()))
        except (msgspec.DecodeError, AttributeError) as e:
            raise ModelUnreadable(f"its {REFERENCE} is damaged: {e}") from e


def _digest(staged: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in staged.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(staged)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
