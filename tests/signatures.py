"""Signatures for tests: the Bank Marketing table's own shape, and any that hypothesis can think of."""

from hypothesis import strategies as st

from core.contract.signature import signature_of
from core.domain.data import ColumnKind, ColumnProfile, ColumnRole, Level, TableProfile
from core.domain.signature import Column, Signature

ROWS = 1000

_BANK_TEXT = {
    "job": ("admin.", "blue-collar", "management", "unknown"),
    "marital": ("divorced", "married", "single", "unknown"),
    "education": ("basic.4y", "high.school", "university.degree", "unknown"),
    "default": ("no", "unknown", "yes"),
    "housing": ("no", "unknown", "yes"),
    "loan": ("no", "unknown", "yes"),
    "contact": ("cellular", "telephone"),
    "month": ("jun", "may", "nov"),
    "day_of_week": ("fri", "mon", "thu", "tue", "wed"),
    "poutcome": ("failure", "nonexistent", "success"),
}
_BANK_INTEGERS = {
    "age": (17, 98, 38),
    "duration": (0, 4918, 180),
    "campaign": (1, 56, 2),
    "pdays": (0, 999, 999),
    "previous": (0, 7, 0),
}
_BANK_NUMBERS = {
    "emp.var.rate": (-3.4, 1.4, 1.1),
    "cons.price.idx": (92.201, 94.767, 93.749),
    "cons.conf.idx": (-50.8, -26.9, -41.8),
    "euribor3m": (0.634, 5.045, 4.857),
    "nr.employed": (4963.6, 5228.1, 5191.0),
}


def numeric(name: str, low: float, high: float, typical: float, kind: ColumnKind = ColumnKind.NUMBER) -> ColumnProfile:
    return ColumnProfile(name, kind, ColumnRole.FEATURE, ROWS, 0, 100, low=low, high=high, typical=typical)


def text(name: str, *levels: str, count: int = 100, missing: int = 0) -> ColumnProfile:
    known = tuple(Level(level, count) for level in levels)
    return ColumnProfile(
        name, ColumnKind.STRING, ColumnRole.FEATURE, ROWS, missing, len(levels), levels=known, typical=levels[0]
    )


def bank_profile() -> TableProfile:
    """The columns of the Bank Marketing table and its target `y`, in a made-up summary."""
    return TableProfile(
        ROWS,
        (
            *(numeric(n, *v, kind=ColumnKind.INTEGER) for n, v in _BANK_INTEGERS.items()),
            *(text(n, *levels) for n, levels in _BANK_TEXT.items()),
            *(numeric(n, *v) for n, v in _BANK_NUMBERS.items()),
            text("y", "no", "yes"),
        ),
    )


def bank_signature(**options: object) -> Signature:
    return signature_of(bank_profile(), "y", ("no", "yes"), **options)  # type: ignore[arg-type]


def mixed_signature() -> Signature:
    """Every kind of column: nullable and not, closed and open, used and unused; integer classes."""
    return Signature(
        columns=(
            Column("count", ColumnKind.INTEGER, nullable=False, typical=3, low=0.0, high=9.0),
            Column("rate", ColumnKind.NUMBER, nullable=True, typical=0.5, low=0.0, high=1.0),
            Column("flag", ColumnKind.BOOLEAN, nullable=False, typical=True),
            Column("colour", ColumnKind.STRING, nullable=True, levels=("blue", "red"), closed=True, typical="red"),
            Column("note", ColumnKind.STRING, nullable=False, levels=("long", "short"), typical="short"),
            Column("id", ColumnKind.STRING, nullable=False, used=False),
        ),
        target="bought",
        classes=(0, 1),
        positive_class=1,
    )


_names = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=6
)  # quotes, backslashes, emoji and the empty name included


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    """Any signature whose first column the model reads."""
    names = draw(st.lists(_names, min_size=2, max_size=6, unique=True))
    columns = tuple(draw(_columns(name, used=i == 0 or draw(st.booleans()))) for i, name in enumerate(names[1:]))
    classes = draw(st.sampled_from([("no", "yes"), (0, 1), (False, True), ("a", "b", "c")]))
    costs = (
        draw(st.sampled_from([(), ((0.0, 1.0, 1.0), (1.0, 0.0, 1.0), (9.0, 5.5, -1.0))])) if len(classes) == 3 else ()
    )
    return Signature(columns, names[0], classes, classes[1] if len(classes) == 2 else None, costs=costs)


@st.composite
def _columns(draw: st.DrawFn, name: str, used: bool) -> Column:
    kind = draw(st.sampled_from(ColumnKind))
    levels = tuple(sorted(draw(st.sets(_names, min_size=1, max_size=4)))) if kind is ColumnKind.STRING else ()
    return Column(
        name,
        kind,
        nullable=draw(st.booleans()),
        levels=levels,
        closed=bool(levels) and draw(st.booleans()),
        low=draw(st.sampled_from([None, -3.0])),
        high=draw(st.sampled_from([None, 40.0])),
        used=used,
    )
