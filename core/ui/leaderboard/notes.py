"""What to know about the data that was trained on."""

import streamlit as st

from core.domain.training import TrainingResult
from core.ui.kit import words
from core.ui.leaderboard.board import Board
from core.ui.shell.markup import literal


def show(board: Board) -> None:
    """The guardrails of the search; its notes stand above its figures."""
    found = board.job.result
    if not board.trials or not isinstance(found, TrainingResult) or not found.guardrails:
        return
    st.subheader("What to know about this data", anchor=False)
    for guardrail in found.guardrails:
        word = words.state(guardrail.state)
        st.markdown(
            f":{word.color}[{word.icon_code} {word.label}] **{words.identifier(guardrail.name)}** "
            f":gray[{literal(guardrail.detail)}]"
        )
