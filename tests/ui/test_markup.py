"""Text from elsewhere inside Markdown: it reads as it was written, whatever stands around it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.ui.shell.markup import code, literal

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
JOINER = "\u2060"
SIGNS = re.compile(r"(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)")
PICTURES = re.compile(r":(\+1|-1|streamlit|material[/_]\w+|(?!\d\d?:)[\w-]+):")
COLOURED = re.compile(r"(?<!\\):[^\W\d]")
"""What Streamlit 1.67 replaces in text that has been read (`StreamlitMarkdown.js`), and how its directives begin."""
PIECES = (
    *"<>-=~:$*_`[]()|&#+!\\ \n\tab1.{}\"'%;/é",
    "smile",
    "->",
    ">=",
    ":material/check:",
    "amp;",
    "red[",
    "1.",
    "- ",
)
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join).filter(str.strip)


def shown(markdown: str) -> str:
    """What a reader sees, with `{}` around what is bold; anything else than text and paragraphs fails."""
    seen = []
    for block in READER.parse(markdown):
        assert block.type in ("inline", "paragraph_open", "paragraph_close"), block.type
        for part in block.children or ():
            seen.append(
                {"strong_open": "{", "strong_close": "}", "softbreak": "\n", "hardbreak": "\n"}.get(
                    part.type, part.content
                )
            )
            assert part.type in ("text", "text_special", "strong_open", "strong_close", "softbreak", "hardbreak")
    return "".join(seen)


def words(text: str) -> list[str]:
    return text.replace(JOINER, "").split()


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_whatever_a_name_is_it_is_shown_as_it_is(text):
    for before, after in (("", ""), ("Class ", " is rare"), (":gray[ ", " ]")):
        markdown = f"{before}{literal(text)}{after}"
        assert words(shown(markdown)) == words(f"{before}{text}{after}")
    bold = shown(f"The class **{literal(text)}** is rare")
    assert words(bold.replace("{", "").replace("}", "")) == words(
        f"The class {text.replace('{', '').replace('}', '')} is rare"
    )
    assert bold.startswith("The class {")
    assert bold.endswith("} is rare")


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_nothing_in_a_name_becomes_a_sign_a_picture_or_a_colour(text):
    made = literal(text)
    assert not SIGNS.search(shown(made))
    assert not PICTURES.search(shown(made))
    assert ":material/" not in made
    assert not COLOURED.search(made)
    assert "$" not in re.sub(r"\\[\\$]", "", made)


@pytest.mark.parametrize(
    "text",
    [
        *("plain words, 11.2 %", "day_of_week", "http://127.0.0.1:8701/score", "'age' is 17 to 98", "a-b (c)"),
        *("-5", "08:30:12", "1.5", "a & b", "C++", "x=1"),
    ],
)
def test_everyday_text_is_left_as_it_is(text):
    assert literal(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold**", r"\*\*bold\*\*"), ("[x](http://h)", r"\[x\](http://h)"), (":red[x]", r"\:red\[x\]"),
        ("`code`", r"\`code\`"), ("$a$", r"\$a\$"), ("_it_", r"\_it\_"), ("<b>", r"\<b>"), (">50K", r"\>50K"),
        ("a -> b", f"a -{JOINER}> b"),
        (":smile:", f":{JOINER}smile:"), ("# of calls", r"\# of calls"), ("1. a", r"1\. a"),
    ],
)  # fmt: skip
def test_markup_in_a_name_is_escaped(text, expected):
    assert literal(text) == expected


@pytest.mark.parametrize("text", ["echo hi", "echo `date`", "a``b`", "`"])
def test_code_is_shown_whole(text):
    (paragraph,) = (block for block in READER.parse(code(text)) if block.type == "inline")
    assert [(part.type, part.content) for part in paragraph.children or ()] == [("code_inline", text)]
