"""Ask for a training job."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.domain.data import DataAsset, DataRef, TableProfile
from core.domain.metrics import PRIMARY_METRICS
from core.domain.training import CLASSES_MAX, TrainingSpec
from core.ui.kit import tables, words
from core.ui.shell import actions, address, cached, choices, panels
from core.ui.shell.abilities import able
from core.workspace import Workspace

TIMES_S = (15, 30, 60, 120, 300, 600, 1800, 3600)


def train_form(workspace: Workspace, assets: Sequence[DataAsset], *, first: bool) -> None:
    """Ask for a training job and submit it; the leaderboard then shows it.

    The form is open for the `first` training and where the address brings a table, `?train=NAME:VERSION`. While it is
    closed nothing of it is computed.
    """
    form = panels.panel("Train on a table", key="train", opened_by="train", first=first)
    if form.open:
        with form:
            _form(workspace, assets)
    else:
        address.write({"train": "", "target": ""})


def _form(workspace: Workspace, assets: Sequence[DataAsset]) -> None:
    asset = tables.choose(assets, key="train")
    profile = cached.profile(asset.ref)
    if not (learnable := [c.name for c in profile.columns if 2 <= c.distinct <= CLASSES_MAX]):
        st.info(f"No column of this table has 2 to {CLASSES_MAX} values, so none can be predicted.")
        return
    with st.form("leaderboard.train", border=False):
        spec = _ask(asset.ref, profile, learnable)
        if not st.form_submit_button("Train", type="primary", icon=":material/play_arrow:", **able("jobs.submit")):
            return
    job = actions.run("Submitting", lambda: workspace.jobs.submit(spec()))
    if job is not None:
        choices.put("job", job.id)
        panels.close("train", opened_by="train")
        st.toast("Training queued", icon=":material/check_circle:")
        st.rerun()


def _ask(ref: DataRef, profile: TableProfile, learnable: Sequence[str]) -> Callable[[], TrainingSpec]:
    left, middle, right = st.columns(3)
    with left:
        target = choices.choose(
            "Predict",
            {name: name for name in learnable},
            key="target",
            first=learnable[-1],
            scope=f"train.{ref}",
            noun="column that can be predicted called",
        )
    timeout_s = middle.select_slider(
        "Search time", TIMES_S, value=60, key="leaderboard.timeout_s", format_func=words.lasting
    )
    metric = right.selectbox(
        "Optimize for", list(PRIMARY_METRICS), key="leaderboard.primary_metric", format_func=words.metric
    )
    left, right = st.columns([2, 1])
    exclude = left.multiselect(
        "Exclude columns",
        [c.name for c in profile.columns if c.name != target],
        key=f"leaderboard.exclude.{ref}",
        placeholder="None excluded",
        help="For columns that are known only after the fact. Clients may go on sending them; the model ignores them.",
    )
    experiment = right.text_input("Experiment", value="default", key="leaderboard.experiment")
    return lambda: TrainingSpec(
        data=ref,
        target=target,
        timeout_s=float(timeout_s),
        primary_metric=metric,
        exclude=tuple(exclude),
        experiment_name=experiment.strip() or "default",
    )
