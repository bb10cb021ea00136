"""Text from elsewhere inside Markdown."""

import re

# Emphasis, code, links, colours, math, and Streamlit's `:name:` and `:colour[...]`; not the `_` inside a name.
_MARKUP = re.compile(r"[\\`*\[\]$<]|~(?=~)|:(?=[a-z])|(?<!\w)_|_(?!\w)")


def literal(text: str) -> str:
    """Text from elsewhere (a table, an error) inside Markdown: nothing in it is markup."""
    return _MARKUP.sub(r"\\\g<0>", text)
