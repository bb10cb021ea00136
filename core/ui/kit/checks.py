"""Checks in plain words: what each asked for, how it came out, and by which evidence."""

from collections.abc import Sequence

import streamlit as st

from core.domain.proof import CheckResult
from core.ui.kit import words
from core.ui.kit.words import Word
from core.ui.shell.markup import literal

PARTS = {
    "parity": ("Parity", "The server gives the same probabilities as the trained model."),
    "contract": ("Contract", "The server keeps to its published OpenAPI document, also for requests made to break it."),
    "semantic": ("Semantics", "Rows keep their order, answers do not depend on other rows, invalid rows are rejected."),
    "wire": ("Protocol", "Keys, sizes, encodings and half-sent requests are handled correctly."),
    "performance": ("Performance", "Latency and throughput are within the budget."),
    "shadow": ("Shadow", "Its answers are compared with those of the live deployment, on the same requests."),
}
"""Part of a gate -> its name, and what it proves."""
OUTCOMES = {
    "red": Word("Failed", "red", "cancel"),
    "orange": Word("No verdict", "orange", "help"),
    "green": Word("Passed", "green", "check_circle"),
    "gray": Word("Not applicable", "gray", "remove_circle_outline"),
}
"""How a check came out, worst first."""


def parts_of(checks: Sequence[CheckResult]) -> list[str]:
    """The parts that some checks belong to, in the order in which a gate goes through them."""
    return sorted({c.part for c in checks}, key=lambda p: list(PARTS).index(p) if p in PARTS else len(PARTS))


def title(part: str) -> str:
    """What a part is called."""
    return PARTS.get(part, (words.identifier(part), ""))[0]


def draw_part(part: str, checks: Sequence[CheckResult], commands: bool) -> None:
    """One part of a gate, closed while there is nothing to worry about in it."""
    word, proves = worst(checks), PARTS.get(part, ("", ""))[1]
    applying = [c for c in checks if c.passed is not None or c.no_verdict]
    held = f"{sum(c.passed is True for c in checks)} of {len(applying)} passed" if applying else "not applicable"
    label = f":{word.color}[{word.icon_code}] **{title(part)}** {held} :gray[· {proves}]"
    with st.expander(label, expanded=word.color in ("red", "orange")):
        for check in sorted(checks, key=lambda c: list(OUTCOMES.values()).index(outcome(c))):
            line(check, commands)


def worst(checks: Sequence[CheckResult]) -> Word:
    """The worst outcome among some checks."""
    outcomes = [outcome(c).color for c in checks]
    return next(word for color, word in OUTCOMES.items() if color in outcomes)


def line(check: CheckResult, commands: bool = False) -> None:
    """One check: what should hold, what was seen, and the command that shows it, always where it does not hold."""
    word = outcome(check)
    st.markdown(f":{word.color}[{word.icon_code}] {plainly(check)}  \n:gray[:small[{literal(check.evidence)}]]")
    if check.curl and (commands or check.passed is False):
        st.code(check.curl, language="bash", wrap_lines=True)


def plainly(check: CheckResult) -> str:
    """What a check asks for, in plain words."""
    return check.about.rstrip(".") or words.identifier(check.name)


def outcome(check: CheckResult) -> Word:
    """How a check came out."""
    if check.no_verdict:
        return OUTCOMES["orange"]
    return OUTCOMES["gray" if check.passed is None else "green" if check.passed else "red"]
