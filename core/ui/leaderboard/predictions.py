"""A trial's predictions on rows that its models never saw: one threshold for every chart, and what it is worth."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core.domain.explanation import CurveName, Outcomes, ThresholdTable, TrialCurves
from core.domain.signature import Scalar
from core.ui.kit import charts, judged_charts, words
from core.ui.leaderboard import cached
from core.ui.leaderboard.opened import Opened
from core.ui.shell import choices
from core.ui.shell.markup import literal

WIDE = 0.001
"""Thresholds are this far apart."""
OUTCOMES = {
    "true_positive": ("True positive", "A row of {} that is predicted as {}."),
    "false_negative": ("False negative", "A row of {} that is not predicted as {}."),
    "false_positive": ("False positive", "Another row that is predicted as {}."),
    "true_negative": ("True negative", "Another row that is not predicted as {}."),
}
RATES = {
    "precision": ("Precision", "The share of the rows predicted as the class that are of the class."),
    "recall": ("Recall", "The share of the class's rows that are found."),
    "specificity": ("Specificity", "The share of the other rows that are not predicted as the class."),
    "f1": ("F1", "The harmonic mean of precision and recall."),
    "accuracy": ("Accuracy", "The share of all rows that are predicted correctly."),
}


def show(opened: Opened) -> None:
    """Charts of a regression, or everything that one threshold decides."""
    found = cached.curves(opened.pick)
    st.caption(f"From {words.plural(found.rows, 'prediction')} by models that had not seen the row.")
    if not found.classes:
        _side_by_side(found, None, {}, None, opened.key)
        return
    class_name = choose_class(opened, found.classes)
    table = cached.thresholds(opened.pick, class_name)
    at = _threshold(opened, table, several=len(found.classes) > 2)
    _rates(table, at)
    left, right = st.columns(2)
    with left:
        _confusion(opened, table, at)
    with right:
        _profit(opened, table, at)
    _side_by_side(found, class_name, judged_charts.points(table, at), table.thresholds[at], opened.key)
    if len(found.classes) > 2:
        _all_classes(opened, found)


def choose_class(opened: Opened, classes: Sequence[Scalar]) -> Scalar:
    """The class in question: of two the positive one unless told, of several the first."""
    by_name = {str(name): name for name in classes}
    first = str(classes[-1] if len(classes) == 2 else classes[0])
    with st.container(width=260):
        picked = choices.choose(
            "Class", {name: name for name in by_name}, key="class", first=first, scope=opened.board.job.id
        )
    return by_name[picked]


def _threshold(opened: Opened, table: ThresholdTable, *, several: bool) -> int:
    key = f"trial.threshold.{opened.key}.{table.class_name}"
    if key not in st.session_state:
        st.session_state[key] = round(table.threshold, 3)
    chosen = st.slider(
        literal(f"Predict {table.class_name} from this probability up"),
        0.0,
        1.0,
        step=WIDE,
        format="%.3f",
        key=key,
        help=_decides(opened, table, several=several),
    )
    return table.place(chosen)


def _decides(opened: Opened, table: ThresholdTable, *, several: bool) -> str:
    """How the model itself decides: of several classes by no threshold."""
    if not several:
        return f"The model itself predicts it from {table.threshold:.3g} up."
    which = "that is expected to cost least" if opened.spec.cost_matrix else "that is most probable"
    return f"The model itself predicts the class {which}; here one class is compared with all others."


def _rates(table: ThresholdTable, at: int) -> None:
    rates = table.rates(at)
    for place, (name, (label, told)) in zip(st.columns(len(RATES)), RATES.items(), strict=True):
        place.metric(label, words.percent(rates[name]), help=told)


def _confusion(opened: Opened, table: ThresholdTable, at: int) -> None:
    tp, fp, tn, fn = table.counts(at)
    said = str(table.class_name)
    st.markdown("**Confusion matrix**")
    charts.show(
        judged_charts.confusion([said, f"not {said}"], [[tp, fn], [fp, tn]]),
        key=f"trial.confusion.{opened.key}",
        alt=f"{tp:,} true positives, {fn:,} false negatives, {fp:,} false positives, {tn:,} true negatives",
    )


def _profit(opened: Opened, table: ThresholdTable, at: int) -> None:
    """What all decisions earn or cost at each threshold, by what each kind of them does."""
    st.markdown("**Cost matrix and profit**")
    worth = _worth(opened, table)
    profits, best = table.profits(worth), table.best(worth)
    charts.show(
        judged_charts.profit(table.thresholds, profits, at, best),
        key=f"trial.profit.{opened.key}",
        alt=f"Profit of all decisions by threshold; highest at {table.thresholds[best]:.3f}",
    )
    key = f"trial.threshold.{opened.key}.{table.class_name}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"Profit **{words.number(profits[at])}**, at best **{words.number(profits[best])}** "
            f"(from {table.thresholds[best]:.3f} up)",
            width="content",
        )
        st.button(
            "Use the best threshold",
            key=f"trial.best.{opened.key}",
            icon=":material/star:",
            disabled=profits[at] == profits[best],
            on_click=lambda: st.session_state.update({key: round(table.thresholds[best], 3)}),
        )


def _worth(opened: Opened, table: ThresholdTable) -> Outcomes:
    """For each row: costs are below 0. They begin as the training's cost matrix, where it has one."""
    first, said = _asked(opened, table), literal(str(table.class_name))
    given = {}
    # As they stand in the confusion matrix beside them.
    for place, (name, (label, told)) in zip([*st.columns(2), *st.columns(2)], OUTCOMES.items(), strict=True):
        given[name] = place.number_input(
            label,
            value=float(getattr(first, name)),
            step=1.0,
            format="%g",
            key=f"trial.worth.{name}.{opened.key}",
            help=told.replace("{}", said),
        )
    st.caption("What one row of each kind earns. Negative: what it costs.")
    return Outcomes(**{name: value or 0.0 for name, value in given.items()})


def _asked(opened: Opened, table: ThresholdTable) -> Outcomes:
    """What the training's cost matrix says of this class against one other; costs are negative worths."""
    said = str(table.class_name)
    found: dict[tuple[bool, bool], float] = {}
    for cost in opened.spec.cost_matrix:
        found[str(cost.actual) == said, str(cost.predicted) == said] = -cost.cost
    usual = Outcomes()
    return Outcomes(
        found.get((True, True), usual.true_positive),
        found.get((False, True), usual.false_positive),
        found.get((True, False), usual.false_negative),
        found.get((False, False), usual.true_negative),
    )


def _side_by_side(
    found: TrialCurves,
    class_name: Scalar | None,
    at: Mapping[str, judged_charts.Point],
    threshold: float | None,
    key: str,
) -> None:
    """The curves, two in a row."""
    shown = [curve for name in CurveName if (curve := found.of(name, class_name)) is not None]
    for start in range(0, len(shown), 2):
        for place, curve in zip(st.columns(2), shown[start : start + 2], strict=False):
            axes = judged_charts.AXES[curve.name]
            area = "" if curve.area is None else f" :gray[· {axes.area} {words.score(curve.area)}]"
            upright = threshold if curve.name == CurveName.CALIBRATION else None
            with place:
                st.markdown(f"**{axes.title}**{area}")
                figure = judged_charts.curve(curve, at.get(curve.name), upright=upright)
                charts.show(figure, key=f"trial.{curve.name}.{key}", alt=f"{axes.title}: {axes.y} by {axes.x}")


def _all_classes(opened: Opened, found: TrialCurves) -> None:
    st.markdown("**Confusion matrix of all classes**")
    charts.show(
        judged_charts.confusion([str(name) for name in found.classes], found.confusion),
        key=f"trial.confusions.{opened.key}",
        alt="Rows by true and predicted class",
    )
