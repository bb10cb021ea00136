"""The sample tables, each registered by one click."""

import streamlit as st

from core.domain.data import DataAsset
from core.ui.kit import tables, words
from core.ui.shell import actions, cached
from core.ui.shell.abilities import able
from core.ui.shell.markup import literal
from core.workspace import Workspace

SAMPLE = "bankmarketing_train"
"""A table that every workspace can register by its name: found, fetched, or made as a synthetic twin."""
TITLES = {
    SAMPLE: "Bank Marketing",
    "telco_churn": "Telco churn",
    "adult": "Adult income",
    "german_credit": "German credit",
    "online_shoppers": "Online shoppers",
}
TARGETS = {
    SAMPLE: "y",
    "telco_churn": "churn",
    "adult": "income",
    "german_credit": "credit_risk",
    "online_shoppers": "revenue",
}


def buttons() -> None:
    """Register a sample by one click; Home then shows what to do with it."""
    with st.container(horizontal=True, gap="small"):
        for name in known(cached.workspace()):
            _button(name, TITLES[name])


def known(workspace: Workspace) -> list[str]:
    """The samples that this workspace can register by their names."""
    found = {table.name for table in workspace.data.available()} if workspace.can("data.available") else set()
    return [name for name in TITLES if name == SAMPLE or name in found]


def _button(name: str, title: str) -> None:
    key = f"home.sample.{name}"
    if st.button(f"Use sample: {title}", icon=":material/add:", key=key, **able("data.register")):
        asset = actions.run("Registering the sample", cached.workspace().data.register, name, name)
        if asset is not None:
            st.toast(
                f"{literal(words.asset(asset.ref))}: {words.plural(asset.rows, 'row')}", icon=":material/check_circle:"
            )
            st.rerun()


def to_train(asset: DataAsset) -> dict[str, str]:
    """What the training form is told of a table: a sample's target is known."""
    target = TARGETS.get(asset.name)
    return {"train": tables.key_of(asset)} | ({"target": target} if target in asset.columns and target else {})
