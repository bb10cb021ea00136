"""Native LightGBM and XGBoost files -> trees, without either library: both would run C++ over what a stranger sent."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from core.domain.data import ColumnKind
from core.domain.errors import ModelUnreadable, SpecInvalid
from core.domain.signature import Column
from core.domain.training import Algorithm
from core.ml.learners.lightgbm import lightgbm_forest
from core.ml.learners.xgboost import xgboost_learner_forest
from core.packaging.foreign import ubjson
from core.packaging.foreign.described import COLUMNS_MAX, Described, described, inside, read
from core.packaging.foreign.levels import Levels, lightgbm_levels, refuse_vast_sets, xgboost_levels
from core.packaging.foreign.written import Taken, write
from core.predict.members import Forest

DEPTH_MAX = 1_000
"""Steps from a root to a leaf; a libraries' own trees are a few tens deep."""
ZERO_IS_MISSING = 1
"""LightGBM's missing type in bits 2 and 3 of decision_type (include/LightGBM/tree.h)."""
XGBOOST_OBJECTIVES = ("binary:logistic", "multi:softprob", "multi:softmax")


def is_booster(folder: Path) -> bool:
    """Whether an `MLmodel` says that this is a booster of LightGBM or XGBoost. Raises ModelUnreadable, SpecInvalid."""
    return _flavor(described(folder)) != ""


def take_booster(folder: Path, staged: Path) -> None:
    """Raises ModelUnreadable for a damaged file, SpecInvalid for a model that is no classification of numbers."""
    about = described(folder)
    flavor = _flavor(about)
    options = about.flavors[flavor]
    content = read(inside(folder, options.get("data")))
    with reading(flavor):
        taken = READERS[flavor](content, options)
    write(staged, replace(taken, columns=_columns(about, taken.columns)), about)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Whatever a parser trips over in a damaged file is said as one sentence. Raises ModelUnreadable."""
    try:
        with np.errstate(all="ignore"):
            yield
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError) as e:
        said = str(e).splitlines()[0][:120] if str(e) else type(e).__name__
        raise ModelUnreadable(f"its {what} file is damaged: {said}") from e


def _flavor(about: Described) -> str:
    return next((name for name in READERS if name in about.flavors), "")


def _lightgbm(content: bytes, options: Mapping[str, Any]) -> Taken:
    text = content.decode()
    if not text.startswith("tree\n") or "end of trees" not in text:
        raise ModelUnreadable("its LightGBM file is no complete text model")
    header, *trees = text[: text.index("end of trees")].split("\nTree=")
    fields = dict(line.split("=", 1) for line in header.splitlines() if "=" in line)
    objective = fields.get("objective", "").split()
    outputs = int(fields["num_tree_per_iteration"])
    _refuse_lightgbm(objective, outputs, trees)
    forest = lightgbm_forest(text)
    slope = next((float(word.removeprefix("sigmoid:")) for word in objective if word.startswith("sigmoid:")), 1.0)
    averaged = len(trees) / outputs if "average_output" in header.splitlines() else 1.0
    forest = replace(forest, scale=slope / averaged)
    names = fields["feature_names"].split()
    if len(names) != int(fields["max_feature_idx"]) + 1:
        raise ModelUnreadable("its LightGBM file names another number of features than it has")
    levels = lightgbm_levels(text, fields["feature_infos"].split())
    return _taken(forest, names, levels, Algorithm.LIGHTGBM, ("lightgbm.txt", content))


def _refuse_lightgbm(objective: Sequence[str], outputs: int, trees: Sequence[str]) -> None:
    kind = objective[0] if objective else "none"
    if kind not in ("binary", "multiclass", "cross_entropy"):
        raise _no_classification("LightGBM", kind)
    if (outputs == 1) != (kind != "multiclass"):
        raise ModelUnreadable(f"its LightGBM file has {outputs} outputs, and its objective is {kind}")
    if any(re.search(r"^is_linear=1", tree, re.MULTILINE) for tree in trees):
        raise SpecInvalid("Its LightGBM trees have linear models as leaves", hint="Train it without linear_tree")
    kinds = re.findall(r"^decision_type=(.*)$", "\n".join(trees), re.MULTILINE)
    if any((int(word) >> 2) & 3 == ZERO_IS_MISSING for line in kinds for word in set(line.split())):
        raise SpecInvalid("Its LightGBM trees take 0 as missing", hint="Train it without zero_as_missing")


def _xgboost(content: bytes, options: Mapping[str, Any]) -> Taken:
    document, name = _xgboost_document(content)
    learner = document["learner"]
    objective, booster = str(learner["objective"]["name"]), str(learner["gradient_booster"]["name"])
    if objective not in XGBOOST_OBJECTIVES:
        raise _no_classification("XGBoost", objective)
    if booster != "gbtree":
        raise SpecInvalid(f"Its XGBoost booster is {booster}, and gbtree alone is read", hint="Train it with gbtree")
    _refuse_xgboost(learner)
    if str(options.get("model_class", "")).startswith("xgboost.sklearn"):
        _until_best(learner)
    names = [str(feature) for feature in learner.get("feature_names") or ()]
    count = int(learner["learner_model_param"]["num_feature"])
    if names and len(names) != count:
        raise ModelUnreadable("its XGBoost file names another number of features than it has")
    if not 0 < count <= COLUMNS_MAX:
        raise SpecInvalid(f"It has {count:,} features, 1 to {COLUMNS_MAX:,} can be scored")
    names = names or [f"f{i}" for i in range(count)]
    levels = xgboost_levels(learner["gradient_booster"]["model"], names)
    return _taken(xgboost_learner_forest(learner), names, levels, Algorithm.XGBOOST, (name, content))


def _xgboost_document(content: bytes) -> tuple[dict[str, Any], str]:
    if content[:1] != b"{":
        raise SpecInvalid(
            "Its XGBoost file is neither JSON nor UBJSON; the older binary form is not read",
            hint='Save it with mlflow.xgboost.log_model(..., model_format="json"), or save_model("model.json")',
        )
    if content[1:2] in b"iUIlL":
        return ubjson.decode(content), "xgboost.ubj"
    try:
        return msgspec.json.decode(content), "xgboost.json"
    except msgspec.DecodeError as e:
        raise ModelUnreadable(f"its XGBoost file is damaged: {e}") from e


def _refuse_xgboost(learner: Mapping[str, Any]) -> None:
    model = learner["gradient_booster"]["model"]
    refuse_vast_sets(model["trees"])
    param = learner["learner_model_param"]
    if int(param.get("num_target", 1)) > 1 or any(
        int(tree["tree_param"]["size_leaf_vector"]) > 1 for tree in model["trees"]
    ):
        raise SpecInvalid("Its XGBoost model predicts several targets at once", hint="Train one model for each target")


def _until_best(learner: dict[str, Any]) -> None:
    """XGBoost's scikit-learn classes answer with the trees up to the best round of early stopping."""
    best = learner.get("attributes", {}).get("best_iteration")
    if best is None:
        return
    model = learner["gradient_booster"]["model"]
    outputs = max(1, int(learner["learner_model_param"]["num_class"]))
    count = (int(best) + 1) * outputs * int(model["gbtree_model_param"].get("num_parallel_tree", 1) or 1)
    model["trees"], model["tree_info"] = model["trees"][:count], model["tree_info"][:count]


def _no_classification(library: str, objective: str) -> SpecInvalid:
    return SpecInvalid(
        f"Its {library} objective is '{objective}', and classification alone is served here",
        hint="A regression or a ranking can be deployed on Azure ML, not here",
    )


def _taken(
    forest: Forest, names: Sequence[str], levels: Levels, algorithm: Algorithm, native: tuple[str, bytes]
) -> Taken:
    if forest.depth > DEPTH_MAX:
        raise ModelUnreadable(f"its trees are {forest.depth} deep, and at most {DEPTH_MAX} is read")
    columns = [
        Column(name, ColumnKind.STRING if at in levels else ColumnKind.NUMBER, nullable=True, levels=levels.get(at, ()))
        for at, name in enumerate(names)
    ]
    classes = tuple(range(max(2, len(forest.base))))
    return Taken(columns, classes, forest, str(algorithm), native)


def _columns(about: Described, features: Sequence[Column]) -> tuple[Column, ...]:
    """The signature's columns in the order of the booster's features. Raises SpecInvalid where they do not fit."""
    if not about.columns:
        return tuple(features)
    found = _ordered(about, [feature.name for feature in features])
    for column, feature in zip(found, features, strict=True):
        if column.kind is ColumnKind.STRING and feature.kind is not ColumnKind.STRING:
            raise SpecInvalid(
                f"Its column '{column.name}' is text, and the booster takes a number for it",
                hint="Train it on a frame whose column of text is a category of pandas, which names its levels in the "
                "file, or import a model whose columns are numbers",
            )
        if feature.kind is ColumnKind.STRING and column.kind is not ColumnKind.STRING:
            raise SpecInvalid(
                f"Its column '{column.name}' holds text in the booster and no text in its signature",
                hint="Save it with the signature of the very frame that it was trained on",
            )
    return tuple(replace(column, levels=feature.levels) for column, feature in zip(found, features, strict=True))


def _ordered(about: Described, features: Sequence[str]) -> tuple[Column, ...]:
    """The signature's columns in the order of the booster's features, found by name or, without names, by place."""
    # LightGBM writes an underscore for a space.
    named = {column.name.replace(" ", "_"): column for column in about.columns}
    plain = [name.replace(" ", "_") for name in features]
    if set(named) == set(plain) and len(named) == len(plain):
        return tuple(named[name] for name in plain)
    generic = all(re.fullmatch(r"(Column_|f)\d+", name) for name in features)
    if len(about.columns) != len(features) or not generic:
        odd = sorted(set(plain) ^ set(named))
        raise SpecInvalid(
            f"Its signature has {len(about.columns)} columns and its booster {len(features)} features; "
            f"'{odd[0] if odd else features[0]}' is not in both",
            hint="Save it with the signature of the very frame that it was trained on",
        )
    return about.columns


READERS: Mapping[str, Callable[[bytes, Mapping[str, Any]], Taken]] = {"lightgbm": _lightgbm, "xgboost": _xgboost}
"""By MLflow's flavor."""
