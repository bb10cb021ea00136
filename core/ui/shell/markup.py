"""Text from elsewhere inside Markdown."""

import re

_JOINER = "\u2060"
"""A character without width: it keeps apart what Streamlit would replace even where it is escaped."""
_LINE = r"(?:^|(?<=[\n\r]))"
_INDENTS = re.compile(rf"{_LINE}\s+")
# Streamlit makes signs of ` -> ` and its like, and pictures of `:name:`, once the Markdown has been read.
_SIGNS = re.compile(r"(?<![^\s\ufeff])(?=(?:<?->|<-|--|[<>~]=)(?![^\s\ufeff]))(.)")
_PICTURES = re.compile(r":(?=material/|(?!\d\d?:)[\w+-]+:)")
# Emphasis, code, links, colours, math, tables and entities; not the `_` inside a name.
_MARKUP = re.compile(r"[\\`*\[\]$<~|]|:(?=[^\W\d])|&(?=#?\w+;)|(?<!\w)_|_(?!\w)")
# What makes a heading, a list, a quotation or a rule of the line that begins with it.
_BEGINS = re.compile(rf"{_LINE}(\d{{1,9}}(?=[.)](?:\s|$))|(?=#{{1,6}}(?:\s|$)|[+-](?:[\s-]|$)|>|=|:-))")


def literal(text: str) -> str:
    """Text from elsewhere (a table, an error) inside Markdown: nothing in it is markup, or is replaced by a sign."""
    lines = _INDENTS.sub("", text)
    apart = _PICTURES.sub(f":{_JOINER}", _SIGNS.sub(rf"\1{_JOINER}", lines))
    escaped = _BEGINS.sub(r"\1\\", _MARKUP.sub(r"\\\g<0>", apart))
    return f"{escaped}{_JOINER}" if escaped[-1:].isspace() else escaped  # before `**` a blank would undo it


def code(text: str) -> str:
    """Text from elsewhere as code inside Markdown, whatever it has of backticks."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, pad = "`" * (longest + 1), " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"
