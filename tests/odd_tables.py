"""Columns, categories and labels as nobody would choose them and tables have them; the same for the same seed."""

from random import Random

from core.domain.data import ColumnKind
from core.domain.signature import Column, Scalar, Signature

NAMES = (
    # what this house, JavaScript, Python, JSON Schema and MLflow call things
    *("data", "Inputs", "input_data", "method", "index", "columns", "params", "GlobalParameters", "result", "Results"),
    *("__proto__", "constructor", "toString", "__class__", "self", "None", "true", "null", "NaN", "class", "id"),
    *("$ref", "type", "enum", "properties", "required", "maxItems", "minItems", "items", "nullable", "example"),
    *("no such column", "never published", "@", "@@", "@_", "message", "details", "row", "5 MB", "x", "xxxxxxxxxxx"),
    # numbers and blanks
    *("0", "1", "-1", "1.5", "2022", "1e5", " ", "  ", "a b", " a", "a ", "\u00a0", "\u200b", "\ufeff"),
    # letter case and unicode's several ways to write one letter
    *("Age", "age", "AGE", "é", "e\u0301", "Å", "\u212b", "A\u030a", "ß", "ẞ", "ss", "İ", "i", "ı", "ﬁ", "fi"),
    # every plane, right to left, joined, combining, beyond U+FFFF
    *(
        "Straße",
        "год",
        "年齢",
        "العمر",
        "גיל",
        "อายุ",
        "वर्ष",
        "😀",
        "👩\u200d👩\u200d👧",
        "🏳️\u200d🌈",
        "𝒳",
        "𐍈",
        "\U0010fffd",
    ),
    # what must be quoted somewhere
    *('"', '""', "'", "\\", "\\\\", '\\"', "\\u0041", "\\ud800", "`", "$(x)", "${HOME}", "a;b", "a,b", "a\tb", "a|b"),
    *(
        "[",
        "]",
        "{",
        "}",
        "[]",
        "{}",
        "[0]",
        "a[b]",
        "a.b",
        "a/b",
        "~1",
        "#/a",
        "%s",
        "%41",
        "<b>",
        "&amp;",
        "</script>",
    ),
    # control characters that a table can hold
    *("\x01", "\x7f", "\x85", "\u2028", "\u2029", "a\nb", "a\r\nb", "\x1b[31m", "\x00", "\x1f"),
    # very long
    *("long" * 75, "😀" * 60, "k" * 5_000, '"' * 41),
)
LEVELS = (*NAMES[:60:3], "", "yes", "Yes", "YES", "never seen before", "old", "a\x00b", "😀𝒳", "x" * 300, *NAMES[60:])
LABELS: tuple[tuple[Scalar, ...], ...] = (
    ("no", "yes"),
    (0, 1),
    (False, True),
    (-1, 1),
    (0, 2**53 - 1),
    ("0", "1"),
    ("", " "),
    ('it\'s "so"', "back\\slash"),
    ("é", "e\u0301"),
    ("a", "b", "c"),
    (1, 2, 3, 4, 5),
    ("😀", "😃", "𝒳"),
    ("null", "true", "{}", "[1]"),
    tuple(range(40)),
    tuple(f'class {at} "{chr(0x1F600 + at)}"' for at in range(100)),
)
RANGES: tuple[tuple[float, float], ...] = (
    *((0.0, 1.0), (-3.0, 3.0), (0.0, 100.0), (5.0, 5.0), (0.0, 1.0), (-1e-9, 1e-9), (1e-300, 1e-290), (0.0, 1e15)),
    *((-1.7e308, 1.7e308), (-1e18, 1e18), (-(2.0**63), 2.0**63), (2.0**60, 2.0**60 + 4096)),
)


def odd_signature(seed: int, width: int) -> Signature:
    """So many columns, at least one of them read by the model, of names, kinds and labels by chance."""
    random = Random(seed)
    names = _names(random, width + 1)
    columns = tuple(_column(name, random, used=at == 0 or random.random() < 0.9) for at, name in enumerate(names[1:]))
    classes = random.choice(LABELS)
    positive = classes[1] if len(classes) == 2 else None
    threshold = random.choice((None, 0.2, 0.5)) if positive is not None else None
    target = (
        names[0] if names[0].strip() else f"{names[0]}target"
    )  # blanks are trimmed off names, so none has them alone
    return Signature(columns, target, classes, positive, threshold)


def _names(random: Random, count: int) -> list[str]:
    known = random.sample(NAMES, min(count, len(NAMES) * 2 // 3))
    made = dict.fromkeys(known)
    while len(made) < count:
        made[f"{random.choice(NAMES)[:300]}{random.choice(('', '_', ' ', '😀'))}{random.randrange(10_000)}"] = None
    found = list(made)[:count]
    random.shuffle(found)
    return found


def _column(name: str, random: Random, *, used: bool) -> Column:
    kind = random.choice(list(ColumnKind))
    nullable = random.random() < 0.3
    if kind is ColumnKind.STRING:
        levels = tuple(sorted(random.sample(list(dict.fromkeys(LEVELS)), random.choice((1, 2, 3, 12)))))
        closed = random.random() < 0.7
        return Column(name, kind, nullable, levels, closed, random.choice(levels), used=used)
    if kind is ColumnKind.BOOLEAN:
        return Column(name, kind, nullable, typical=random.random() < 0.5, used=used)
    low, high = random.choice(RANGES[:-4] if kind is ColumnKind.NUMBER else (*RANGES[:4], *RANGES[-3:]))
    if kind is ColumnKind.NUMBER and random.random() < 0.2:
        low, high = random.choice(RANGES[-4:])
    middle = low / 2 + high / 2
    return Column(
        name,
        kind,
        nullable,
        typical=round(middle) if kind is ColumnKind.INTEGER else middle,
        low=low,
        high=high,
        used=used,
    )
