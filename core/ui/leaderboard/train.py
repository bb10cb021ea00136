"""Ask for a training job."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.domain.data import ColumnKind, ColumnProfile, DataAsset, TableProfile
from core.domain.metrics import primary_metrics
from core.domain.training import CLASSES_MAX, Task, TrainingSpec
from core.ui.kit import tables, words
from core.ui.leaderboard import train_more
from core.ui.leaderboard.train_asked import More
from core.ui.shell import actions, address, cached, choices, failures, panels
from core.ui.shell.abilities import able
from core.workspace import Workspace

FEW_NUMBERS = 10
"""A column of no more different numbers is one of classes."""
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


@st.fragment
def _form(workspace: Workspace, assets: Sequence[DataAsset]) -> None:
    """Drawn alone while it is filled in: what is asked hangs on what was answered."""
    with failures.explained():
        asset = tables.choose(assets, key="train")
        profile = cached.profile(asset.ref)
        if not (learnable := [c.name for c in profile.columns if 2 <= c.distinct <= CLASSES_MAX or numeric(c)]):
            st.info(f"No column of this table has 2 to {CLASSES_MAX} values, so none can be predicted.")
            return
        spec = _ask(assets, asset, profile, learnable)
        if not st.button(
            "Train", type="primary", icon=":material/play_arrow:", key="leaderboard.go", **able("jobs.submit")
        ):
            return
    job = actions.run("Submitting", lambda: workspace.jobs.submit(spec()))
    if job is not None:
        choices.put("job", job.id)
        panels.close("train", opened_by="train")
        st.toast("Training queued", icon=":material/check_circle:")
        st.rerun()


def numeric(column: ColumnProfile) -> bool:
    """It holds numbers, and enough different ones that predicting the number makes sense."""
    return column.kind in (ColumnKind.INTEGER, ColumnKind.NUMBER) and column.distinct > FEW_NUMBERS


def _ask(
    assets: Sequence[DataAsset], asset: DataAsset, profile: TableProfile, learnable: Sequence[str]
) -> Callable[[], TrainingSpec]:
    ref = asset.ref
    left, middle, right = st.columns(3)
    with left:
        classes = [name for name in learnable if profile.column(name).distinct <= CLASSES_MAX]
        target = choices.choose(
            "Predict",
            {name: name for name in learnable},
            key="target",
            first=(classes or learnable)[-1],
            scope=f"train.{ref}",
            noun="column that can be predicted called",
        )
    column = profile.column(target)
    task = _task(column, f"{ref}.{target}")
    timeout_s = middle.select_slider(
        "Search time", TIMES_S, value=60, key="leaderboard.timeout_s", format_func=words.lasting
    )
    regression = task is Task.REGRESSION
    metric = right.selectbox(
        "Optimize for",
        list(primary_metrics(regression)),
        key=f"leaderboard.{'regression' if regression else 'primary'}_metric",
        format_func=words.metric,
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
    others = tuple(each for each in assets if each.ref != ref and target in each.columns)
    columns = tuple(c for c in profile.columns if c.name != target and c.name not in exclude)
    more = train_more.ask(More(str(ref), column, regression, others, columns))
    return lambda: TrainingSpec(
        data=ref,
        target=target,
        timeout_s=float(timeout_s),
        task=task,
        primary_metric=metric,
        exclude=tuple(exclude),
        experiment_name=experiment.strip() or "default",
        **more(),
    )


def _task(column: ColumnProfile, key: str) -> Task:
    """A class or a number: asked only where the column could be either."""
    if not numeric(column):
        return Task.CLASSIFICATION
    if column.distinct > CLASSES_MAX:
        st.caption("This column has too many values for classes, so the number itself is predicted.")
        return Task.REGRESSION
    kinds = {Task.CLASSIFICATION: "A class", Task.REGRESSION: "The number itself"}
    picked = st.segmented_control(
        "What to predict",
        list(kinds),
        format_func=kinds.__getitem__,
        default=Task.CLASSIFICATION,
        required=True,
        key=f"leaderboard.task.{key}",
    )
    return picked or Task.CLASSIFICATION
