"""Ask for a training job."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.domain.data import DataAsset, DataRef, TableProfile
from core.domain.metrics import PRIMARY_METRICS
from core.domain.training import CLASSES_MAX, TrainingSpec
from core.ui.kit import tables, words
from core.ui.shell import actions, cached, choices
from core.ui.shell.abilities import able
from core.workspace import Workspace

TIMES_S = (15, 30, 60, 120, 300, 600, 1800, 3600)


def train_form(workspace: Workspace, assets: Sequence[DataAsset]) -> None:
    """Ask for a training job and submit it; the leaderboard then shows it."""
    asset = tables.choose(assets, key="leaderboard.data")
    profile = cached.profile(asset.ref)
    with st.form("leaderboard.train", border=False):
        spec = _ask(asset.ref, profile)
        if not st.form_submit_button("Train", type="primary", icon=":material/play_arrow:", **able("jobs.submit")):
            return
    job = actions.run("Submitting", lambda: workspace.jobs.submit(spec()))
    if job is not None:
        choices.put("job", job.id)
        st.toast("The job waits for its compute", icon=":material/check_circle:")
        st.rerun()


def _ask(ref: DataRef, profile: TableProfile) -> Callable[[], TrainingSpec]:
    names = [c.name for c in profile.columns]
    learnable = [c.name for c in profile.columns if 2 <= c.distinct <= CLASSES_MAX]
    left, middle, right = st.columns(3)
    target = left.selectbox(
        "Predict",
        learnable,
        index=len(learnable) - 1 if learnable else None,
        key=f"leaderboard.target.{ref}",
        help=f"Columns with 2 to {CLASSES_MAX} values can be predicted.",
    )
    timeout_s = middle.select_slider(
        "Time for the whole search", TIMES_S, value=60, key="leaderboard.timeout_s", format_func=words.lasting
    )
    metric = right.selectbox(
        "Best by", list(PRIMARY_METRICS), key="leaderboard.primary_metric", format_func=words.metric
    )
    left, right = st.columns([2, 1])
    exclude = left.multiselect(
        "Do not learn from",
        [n for n in names if n != target],
        key=f"leaderboard.exclude.{ref}",
        placeholder="nothing is excluded",
        help="For columns that are known only after the fact. Clients may go on sending them; the model ignores them.",
    )
    experiment = right.text_input("Experiment", value="default", key="leaderboard.experiment")
    return lambda: TrainingSpec(
        data=ref,
        target=target or "",
        timeout_s=float(timeout_s),
        primary_metric=metric,
        exclude=tuple(exclude),
        experiment_name=experiment.strip() or "default",
    )
