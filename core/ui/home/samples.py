"""The sample table, registered by one click."""

import streamlit as st

from core.domain.data import DataAsset
from core.ui.kit import tables, words
from core.ui.shell import actions, cached
from core.ui.shell.abilities import able

SAMPLE, TITLE, TARGET = "bankmarketing_train", "Bank Marketing", "y"
"""A table that every workspace can register by its name: found, fetched, or made as a synthetic twin."""


def button() -> None:
    """Register the sample; Home then shows what to do with it."""
    if st.button(
        f"Use sample: {TITLE}", type="primary", icon=":material/add:", key="home.sample", **able("data.register")
    ):
        asset = actions.run("Registering the sample", cached.workspace().data.register, SAMPLE, SAMPLE)
        if asset is not None:
            st.toast(f"{words.asset(asset.ref)}: {words.plural(asset.rows, 'row')}", icon=":material/check_circle:")
            st.rerun()


def to_train(asset: DataAsset) -> dict[str, str]:
    """What the training form is told of a table: the sample's target is known."""
    target = {"target": TARGET} if asset.name == SAMPLE and TARGET in asset.columns else {}
    return {"train": tables.key_of(asset), **target}
