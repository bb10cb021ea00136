"""A model's signature: made from the profile of its table, and kept as JSON beside the model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core.domain.data import ColumnKind, ColumnProfile, TableProfile
from core.domain.errors import ModelUnreadable, SpecInvalid, TableUnusable
from core.domain.signature import CLOSED_LEVEL_ROWS_MIN, CLOSED_LEVELS_MAX, Column, Scalar, Signature

FORMAT = 1


def signature_of(
    profile: TableProfile,
    target: str,
    classes: tuple[Scalar, ...],
    *,
    exclude: Sequence[str] = (),
    dropped: Sequence[str] = (),
) -> Signature:
    """The inputs and outputs of a model that predicts `target` from the other columns of the profiled table.

    `exclude` (asked for by the user) and `dropped` (found useless: ids, empty columns) stay as optional, ignored
    columns. With two classes the second is the positive one, as in every metric that needs one.
    Raises SpecInvalid for a name that is not a column, or the target excluded; TableUnusable when no column is left.
    """
    ignored = set(exclude) | set(dropped)
    for name in (target, *ignored):
        profile.column(name)
    if target in ignored:
        raise SpecInvalid(f"'{target}' is the target and cannot be excluded", hint="Exclude input columns only")
    columns = tuple(_column(c, used=c.name not in ignored) for c in profile.columns if c.name != target)
    if not any(c.used for c in columns):
        raise TableUnusable(
            f"No column is left to predict '{target}' from: {len(columns)} columns, all excluded or useless",
            hint="Exclude fewer columns, or register a table with more of them",
        )
    return Signature(columns, target, classes, positive_class=classes[1] if len(classes) == 2 else None)


def to_json(signature: Signature) -> dict[str, Any]:
    """The signature as JSON values, for `signature.json`; `from_json` gives the equal signature back."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(signature))
    if not signature.costs:
        del values["costs"]  # a signature without them is written as it was before there were any
    return {"format": FORMAT, **values}


def from_json(values: Mapping[str, Any]) -> Signature:
    """The signature that `to_json` wrote. Raises ModelUnreadable that names what is wrong or from a newer version."""
    found = values.get("format")
    if found != FORMAT:
        raise ModelUnreadable(
            f"The signature has format {found!r}, expected {FORMAT}", hint="Train the model again with this version"
        )
    try:
        signature = msgspec.convert({k: v for k, v in values.items() if k != "format"}, Signature)
    except msgspec.ValidationError as e:
        raise ModelUnreadable(f"The model's signature is damaged: {e}", hint="Register the model again") from e
    if problem := _inconsistency(signature, values):
        raise ModelUnreadable(f"The model's signature is damaged: {problem}", hint="Register the model again")
    return signature


def _column(profile: ColumnProfile, *, used: bool) -> Column:
    levels = tuple(sorted(level.value for level in profile.levels)) if profile.kind is ColumnKind.STRING else ()
    # The profile lists every level up to 100, so a list this short is the complete one.
    # Tomorrow has a date that no table has seen.
    closed = (
        not profile.dates
        and 0 < len(levels) <= CLOSED_LEVELS_MAX
        and min(x.count for x in profile.levels) >= CLOSED_LEVEL_ROWS_MIN
    )
    return Column(
        profile.name,
        profile.kind,
        nullable=profile.missing > 0,
        levels=levels,
        closed=closed,
        typical=_typical(profile),
        low=profile.low,
        high=profile.high,
        used=used,
    )


def _typical(profile: ColumnProfile) -> Scalar | None:
    """The profile's typical value in the column's own JSON type: the median of integers may lie between two."""
    value = profile.typical
    if value is None:
        return None
    match profile.kind:
        case ColumnKind.INTEGER:
            return round(float(value))
        case ColumnKind.NUMBER:
            return float(value)
        case ColumnKind.BOOLEAN:
            return bool(value)
        case ColumnKind.STRING:
            return str(value)


def _inconsistency(signature: Signature, values: Mapping[str, Any]) -> str:
    """What a well-typed signature still gets wrong; empty when nothing."""
    names = Counter(c.name for c in signature.columns)
    if twice := [name for name, count in names.items() if count > 1]:
        return f"the column '{twice[0]}' appears twice"
    if signature.target in names:
        return f"the target '{signature.target}' is also an input"
    if len(signature.classes) == 1:
        return "1 class, expected at least 2, or none for a model that gives a number"
    if signature.costs and [len(row) for row in signature.costs] != [len(signature.classes)] * len(signature.classes):
        return "its costs are not one for each class and each decision"
    if odd := [c.name for c in signature.columns if c.closed and not c.levels]:
        return f"the column '{odd[0]}' is closed but has no levels"
    if to_json(signature) != dict(values):
        return "it contains fields that this version does not support"
    return ""
