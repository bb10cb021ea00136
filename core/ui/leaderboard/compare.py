"""Trials of this job and of others side by side: "better" is said only where the rows bear it out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import streamlit as st

from core.domain.errors import JobNotFound, SlipwayError
from core.domain.explanation import PairedDifference
from core.domain.job import JobKind
from core.domain.metrics import METRICS, metric_named
from core.domain.training import Trial
from core.ui.kit import charts, jobs, judged_charts, words
from core.ui.leaderboard import cached
from core.ui.leaderboard.board import Board, look
from core.ui.shell import address, panels
from core.ui.shell.markup import literal

SIGNS = {
    1: ":green[:material/trending_up:]",
    -1: ":red[:material/trending_down:]",
    0: ":gray[:material/drag_handle:]",
}
OFFERED_JOBS, OFFERED_TRIALS = 10, 50
"""Of so many other jobs the best trial is offered, and so many trials of this one."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One of the trials: what is told of it, and by what the workspace knows it."""

    short: str
    """Which one it is, without what is told of it."""
    label: str
    job_id: str
    trial: Trial

    @property
    def pick(self) -> cached.Pick:
        return cached.pick(self.job_id, self.trial)

    @property
    def key(self) -> str:
        """As an address names it."""
        return f"{self.job_id}:{self.trial.number}"


def show(board: Board) -> None:
    """Choose two or more trials; the first is what the others are measured against."""
    if len(board.scored) < 2:
        return
    form = panels.panel("Compare trials", key="compare", opened_by="compare", icon="compare_arrows")
    if not form.open:
        return
    with form:
        offered = {each.key: each for each in _offered(board)}
        picked = _ask(board, offered)
        if len(picked) < 2:
            st.caption("Choose two or more trials. The others are compared with the first one.")
            return
        _metrics(board, picked)
        _pairs(board, picked)


def _ask(board: Board, offered: dict[str, Compared]) -> list[Compared]:
    """The trials that are chosen, kept in the address."""
    key = f"leaderboard.compare.{board.job.id}"
    named = [each for each in address.read("compare").split(",") if each in offered]
    if key not in st.session_state:
        opened = address.read("trial")
        first = [k for k, each in offered.items() if each.job_id == board.job.id]
        mine = f"{board.job.id}:{opened}"
        st.session_state[key] = named or list(dict.fromkeys([*([mine] if mine in offered else []), *first]))[:2]
    st.session_state[key] = [each for each in st.session_state[key] if each in offered]
    chosen = st.multiselect(
        "Trials", list(offered), format_func=lambda k: offered[k].label, key=key, placeholder="Choose trials"
    )
    address.write({"compare": ",".join(chosen)})
    return [offered[each] for each in chosen]


def _offered(board: Board) -> Sequence[Compared]:
    """This job's best trials, the best trial of each other job with the same target, and what the address names."""
    metric = jobs.primary_metric(board.job)
    found = [Compared(_number(t), _name(t, metric), board.job.id, t) for t in board.ranked(metric) if t.metrics][
        :OFFERED_TRIALS
    ]
    if not board.workspace.can("jobs.list"):
        return found
    for job in board.workspace.jobs.list(JobKind.AUTOML, limit=OFFERED_JOBS):
        alike = getattr(job.spec, "target", "") == getattr(board.job.spec, "target", None)
        if job.id == board.job.id or not job.state.final or not alike:
            continue
        if (best := look(board.workspace, job.id).best) is not None and best.metrics:
            when = words.moment(job.created_at, board.now)
            short = f"Best trial of the training of {when}"
            found.append(Compared(short, f"{short}: {_name(best, metric)}", job.id, best))
    known = {each.key for each in found}
    return [*found, *_named(board, [key for key in address.read("compare").split(",") if key and key not in known])]


def _named(board: Board, keys: Sequence[str]) -> Iterator[Compared]:
    """Trials that an address names though they are not offered; what does not exist is left out."""
    metric = jobs.primary_metric(board.job)
    for key in dict.fromkeys(keys):
        job_id, _, number = key.rpartition(":")
        try:
            other = look(board.workspace, job_id)
        except JobNotFound:
            continue
        if (trial := other.trial(number)) is not None and trial.metrics:
            when = words.moment(other.job.created_at, board.now)
            of = "" if job_id == board.job.id else f" of the training of {when}"
            yield Compared(f"{_number(trial)}{of}", _name(trial, metric, of), job_id, trial)


def _number(trial: Trial) -> str:
    return f"Trial {trial.number}"


def _name(trial: Trial, metric: str, of: str = "") -> str:
    return f"{_number(trial)}{of}: {words.algorithm(trial.algorithm)}, {words.score(trial.metrics.get(metric))}"


def _metrics(board: Board, picked: Sequence[Compared]) -> None:
    """Every metric that one of them has, a column for each trial."""
    primary = jobs.primary_metric(board.job)
    order = {name: at for at, name in enumerate((primary, *METRICS))}
    found = {n for each in picked for n in each.trial.metrics}
    names = sorted(found, key=lambda n: (order.get(n, len(order)), n))
    st.dataframe(
        {
            "Metric": [
                f"{words.metric(n)}{'' if metric_named(n).higher_is_better else ', lower is better'}" for n in names
            ],
            **{f"{at}. {each.short}": [each.trial.metrics.get(n) for n in names] for at, each in enumerate(picked, 1)},
        },
        hide_index=True,
        key="leaderboard.compared",
        height=min(38 + 35 * len(names), 290),
        placeholder=words.DASH,
        column_config={
            f"{at}. {each.short}": st.column_config.NumberColumn(format="%.4f") for at, each in enumerate(picked, 1)
        },
    )


def _pairs(board: Board, picked: Sequence[Compared]) -> None:
    """Each of the others against the first, on the same rows."""
    if not board.workspace.can("jobs.compare_pair"):
        return
    first, *others = picked
    metric = jobs.primary_metric(board.job)
    found: list[tuple[Compared, PairedDifference]] = []
    for other in others:
        try:
            found.append((other, cached.compared(other.pick, first.pick, metric)))
        except SlipwayError as error:
            st.caption(f"{literal(other.label)}: {literal(error.message)}.")
    if not found:
        return
    against = f"{first.short[:1].lower()}{first.short[1:]}"
    charts.show(
        judged_charts.differences(
            [each.label for each, _ in found], [pair for _, pair in found], words.metric(metric), against
        ),
        key="leaderboard.differences",
        alt="; ".join(f"{_which(each)} {_verdict(first, pair)}" for each, pair in found),
    )
    for each, pair in found:
        st.markdown(f"{SIGNS[pair.verdict]} **{literal(_which(each))}** {literal(_verdict(first, pair))}")


def _which(compared: Compared) -> str:
    return compared.label.rsplit(",", 1)[0]


def _verdict(first: Compared, pair: PairedDifference) -> str:
    """What may be said of a trial against the first one, and no more."""
    gain = f"{pair.gain:+.4f}, {100 * pair.confidence:.0f} % interval {pair.low:+.4f} to {pair.high:+.4f}"
    by, than = f"by {words.metric(pair.metric)}: {gain}.", _which(first)
    if pair.verdict:
        return f"is {'better' if pair.verdict > 0 else 'worse'} than {than} {by}"
    return f"and {than} cannot be told apart {by}"
