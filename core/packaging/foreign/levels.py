"""The levels that a booster's file names: without names, a category is the number that a request sends."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.domain.errors import ModelUnreadable, SpecInvalid

Levels = Mapping[int, tuple[str, ...]]
"""By the place of a feature, the levels of its text in the order of their numbers."""
WORDS_MAX = 1 << 24
"""Words of all sets of one model: 64 MB. A few bytes of XGBoost's can ask for much more."""
WORD = 32


def lightgbm_levels(text: str, infos: Sequence[str]) -> Levels:
    """From what pandas called them, which LightGBM writes at the end of its file. Raises SpecInvalid."""
    found = re.search(r"^pandas_categorical:(.*)$", text, re.MULTILINE)
    named = msgspec.json.decode(found[1]) if found else None
    if not named:
        return {}
    # A feature of numbers has its range, as [0:1], one of categories all of them, as 2:0:1.
    places = [at for at, info in enumerate(infos) if not info.startswith("[")]
    if len(places) != len(named):
        raise SpecInvalid(
            "Its LightGBM file does not tell which of its features are which of the frame's categories",
            hint="Train it on a frame whose columns of categories all have two values or more",
        )
    return _texts(dict(zip(places, named, strict=True)), infos)


def xgboost_levels(model: Mapping[str, Any], names: Sequence[str]) -> Levels:
    """From what the frame called them, which XGBoost writes from 3.1 on. Raises SpecInvalid."""
    told = (model.get("cats") or {}).get("enc") or []
    return _texts({at: _xgboost_names(one) for at, one in enumerate(told) if one.get("values")}, names)


def _xgboost_names(told: Mapping[str, Any]) -> list[Any]:
    """Texts lie one after the other in signed bytes; numbers are as they are. Raises SpecInvalid."""
    values: list[int] = list(told["values"])
    if "offsets" not in told:
        return values
    if any(value < 0 for value in values):
        # XGBoost 3.2 counts characters where it cuts bytes, and what is left of such names cannot be known.
        raise SpecInvalid(
            "Its XGBoost file has levels with other letters than ASCII's, which XGBoost itself does not write whole",
            hint="Train it on levels in ASCII, or on their numbers from 0",
        )
    joined = bytes(values).decode("ascii")
    return [joined[start:end] for start, end in zip(told["offsets"], told["offsets"][1:], strict=False)]


def _texts(named: Mapping[int, Sequence[Any]], features: Sequence[str]) -> Levels:
    """Those that are texts; numbers must be the categories' own. Raises ModelUnreadable, SpecInvalid."""
    found = {}
    for at, levels in named.items():
        if at >= len(features):
            raise ModelUnreadable("it names the levels of a feature that it does not have")
        if all(isinstance(level, str) for level in levels):
            found[at] = tuple(levels)
            if len(set(levels)) < len(levels):
                raise ModelUnreadable("two levels of one of its features have one name")
        elif list(levels) != list(range(len(levels))) or any(isinstance(level, bool) for level in levels):
            raise SpecInvalid(
                f"The categories of its feature {at} are numbers of their own, as {str(levels[0])[:40]}",
                hint="Train it on categories that are text, or on their numbers from 0",
            )
    return found


def refuse_vast_sets(trees: Sequence[Mapping[str, Any]]) -> None:
    """Raises SpecInvalid where the sets of XGBoost's trees would take more memory than a server has for them."""
    words = 0
    for tree in trees:
        for start, size in zip(tree.get("categories_segments", ()), tree.get("categories_sizes", ()), strict=True):
            words += max(tree["categories"][start : start + size], default=0) // WORD + 1
    if words > WORDS_MAX:
        raise SpecInvalid(
            f"Its XGBoost trees ask for sets of {words * WORD:,} categories in all, more than are read here",
            hint="Code rare levels as one",
        )
