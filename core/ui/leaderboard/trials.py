"""Training for people: ask for a job, watch its trials, open one, register the best."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.data import DataAsset, DataRef, TableProfile
from core.domain.endpoint import endpoint_name
from core.domain.job import Job, JobState
from core.domain.training import CLASSES_MAX, HIGHER_IS_BETTER, GuardrailState, TrainingSpec, Trial, TrialState
from core.ui.kit import charts, jobs, notices, tables, words
from core.ui.shell import actions, cached, choices, failures, navigation
from core.ui.shell.live import FAST_S
from core.ui.shell.markup import literal
from core.ui.shell.state import state
from core.workspace import Workspace

TIMES_S = (15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True, slots=True)
class Board:
    """A training job with its trials, best first, at one moment."""

    job: Job
    trials: tuple[Trial, ...]
    models: tuple[str, ...]
    """The models that were registered from it, as `name, version 3`."""
    data: DataAsset | None
    now: float

    @property
    def scored(self) -> tuple[Trial, ...]:
        return tuple(t for t in self.trials if t.metrics)


# Ask


def train_form(workspace: Workspace, assets: Sequence[DataAsset]) -> None:
    """Ask for a training job and submit it; the leaderboard then shows it."""
    asset = tables.choose(assets, key="leaderboard.data")
    profile = cached.profile(asset.ref)
    with st.form("leaderboard.train", border=False):
        spec = _ask(asset.ref, profile)
        if not st.form_submit_button("Train", type="primary", icon=":material/play_arrow:"):
            return
    job = actions.run("Submitting", lambda: workspace.submit(spec()))
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
        "Best by", list(HIGHER_IS_BETTER), key="leaderboard.primary_metric", format_func=words.metric
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


def choose(listed: Sequence[Job]) -> Job:
    """The training job that the visitor (or the address) chooses, the newest unless told."""
    now = time.time()
    labels = {
        job.id: f"{jobs.about(job)} · experiment {job.experiment_name} · {words.moment(job.created_at, now)}"
        for job in listed
    }
    picked = choices.choose("Training job", labels, key="job")
    return next(job for job in listed if job.id == picked)


# Show


def look(workspace: Workspace, job_id: str) -> Board:
    """The job as it is now."""
    job = workspace.job(job_id)
    data = jobs.data_of(job)
    return Board(
        job=job,
        trials=workspace.trials(job_id),
        models=tuple(f"{m.name}, version {m.version}" for m in workspace.list_models() if m.job_id == job_id),
        data=None if data is None else cached.asset(data),
        now=time.time(),
    )


def pace(board: Board) -> float | None:
    """Often until the job has ended, then never."""
    return None if board.job.state.final else FAST_S


def draw(workspace: Workspace, board: Board) -> None:
    """Where the job stands, its scores over time, its trials, and the one that was opened."""
    notices.twin(board.data)
    _head(workspace, board)
    if not board.trials:
        if not board.job.state.final:
            st.info("The first trial starts in a moment.", icon=":material/hourglass_top:")
        return
    metric = _metric_picker(board)
    left, right = st.columns([5, 3])
    with left:
        trial_table(board, metric)
    with right:
        if board.scored:
            charts.show(
                charts.best_so_far(board.trials, metric, board.job.started_at or board.trials[0].started_at),
                key="leaderboard.chart",
                alt=f"Best {words.metric(metric)} over time",
            )
    _detail(workspace, board)
    _notes(board.job)


def _head(workspace: Workspace, board: Board) -> None:
    if board.job.state is JobState.FAILED:
        failures.say(board.job.message, board.job.hint)
    jobs.progress(board.job, board.trials, board.now)
    if not board.job.state.final:
        asked = board.job.cancel_requested
        if st.button("Stop here", icon=":material/stop_circle:", key="leaderboard.cancel", disabled=asked):
            actions.apply("Stopping", workspace.cancel_job, board.job.id)
    elif board.job.state is JobState.SUCCEEDED:
        _register(workspace, board)


def _register(workspace: Workspace, board: Board) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if board.models:
            st.markdown(f":green[:material/check_circle:] Registered as **{board.models[0]}**", width="content")
            navigation.link("Deploy", "Deploy it")
            return
        suggested = endpoint_name(board.data.name if board.data else "model")
        name = st.text_input("Model name", value=suggested, key=f"leaderboard.model.{board.job.id}", width=320)
        icon = ":material/bookmark_add:"
        go = st.button("Register the best model", type="primary", icon=icon, key="leaderboard.register")
    if go:
        actions.apply("Registering", workspace.register_model, name.strip(), board.job.id)


def _metric_picker(board: Board) -> str:
    primary = jobs.primary_metric(board.job)
    found = sorted({name for t in board.trials for name in t.metrics} - {primary})
    picked = st.selectbox(
        "Metric", [primary, *found], key="metric", bind="query-params", format_func=words.metric, width=240
    )
    return picked


def ordered(trials: Sequence[Trial], metric: str) -> tuple[Trial, ...]:
    """Best first; trials without a score last, in the order of their numbers."""
    return tuple(sorted(trials, key=lambda t: (-jobs.standing(t, metric), t.number)))


def trial_table(board: Board, metric: str) -> None:
    """The leaderboard itself: a click on a row opens the trial."""
    rows = ordered(board.trials, metric)
    state.shown_trials = tuple(t.number for t in rows)
    opened = state.trial[1] if state.trial and state.trial[0] == board.job.id else None
    # A new key for each new ranking: a selection kept by position would move to another trial as trials land.
    key = f"leaderboard.trials.{board.job.id}.{metric}.{hash(state.shown_trials)}"
    st.dataframe(
        {
            "Rank": [str(i + 1) if metric in t.metrics else words.DASH for i, t in enumerate(rows)],
            "Algorithm": [words.algorithm(t.algorithm) for t in rows],
            words.metric(metric): [t.metrics.get(metric) for t in rows],
            "State": [words.state(t.state).label for t in rows],
            "Time": [words.lasting(_time(t, board.now)) for t in rows],
            "Trial": [t.number for t in rows],
        },
        key=key,
        hide_index=True,
        height=min(38 + 35 * len(rows), 320),
        on_select=lambda: _open_trial(key, board.job.id),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [state.shown_trials.index(opened)]}}
        if opened in state.shown_trials
        else None,
        column_config={
            "Rank": st.column_config.TextColumn(width=50),
            words.metric(metric): st.column_config.NumberColumn(format="%.4f", width=80),
            "State": st.column_config.TextColumn(width=80),
            "Time": st.column_config.TextColumn(width=70),
            "Trial": st.column_config.NumberColumn(width=50),
        },
        placeholder=words.DASH,
    )


def _time(trial: Trial, now: float) -> float:
    return now - trial.started_at if trial.state is TrialState.RUNNING else trial.duration_s


def _open_trial(key: str, job_id: str) -> None:
    rows = st.session_state[key].selection.rows
    state.trial = (job_id, state.shown_trials[rows[0]]) if rows else None


def _detail(workspace: Workspace, board: Board) -> None:
    chosen = state.trial
    trial = next((t for t in board.trials if chosen == (board.job.id, t.number)), None)
    if trial is None:
        st.caption(":material/touch_app: Click a row to open its trial: parameters, all metrics, time and log.")
        return
    word = words.state(trial.state)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**Trial {trial.number}: {words.algorithm(trial.algorithm)}**", width="content")
            notices.badge(word, f"{word.label}, {words.lasting(_time(trial, board.now))}")
        if trial.error:
            failures.say(trial.error)
        if trial.members:
            st.markdown(f"Averages the probabilities of trials {', '.join(str(n) for n in trial.members)}.")
        left, right = st.columns(2)
        left.table(
            {
                "Metric": [words.metric(n) for n in trial.metrics],
                "Score": [words.score(v) for v in trial.metrics.values()],
            }
        )
        if trial.params:
            right.table(
                {
                    "Parameter": list(trial.params),
                    "Value": [_value(v) for v in trial.params.values()],
                }
            )
        if lines := workspace.trial_detail(board.job.id, trial.number).log:
            st.code("\n".join(lines), language=None)


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _notes(job: Job) -> None:
    notes = job.result.get("notes", ())
    guardrails = job.result.get("guardrails", ())
    if not notes and not guardrails:
        return
    st.subheader("What to know about this data", anchor=False)
    for note in notes:
        st.warning(literal(note), icon=":material/lightbulb:")
    for guardrail in guardrails:
        word = words.state(GuardrailState(guardrail["state"]))
        st.markdown(
            f":{word.color}[{word.icon_code} {word.label}] **{words.identifier(guardrail['name'])}** "
            f":gray[{literal(guardrail['detail'])}]"
        )
