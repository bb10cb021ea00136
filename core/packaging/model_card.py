"""The model card as a person reads it: what the model predicts, from which data, how well, and where its limits are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.domain.counting import counted
from core.domain.metrics import metric_named
from core.domain.signature import Signature
from core.domain.training import algorithm_label

FILE = "MODEL_CARD.md"
SHOWN = ("log_loss", "accuracy", "balanced_accuracy", "f1_score_weighted", "r2_score", "mean_absolute_error")
"""Metrics that a card shows beside the primary one; `card.json` has all of them."""


def markdown(card: Mapping[str, Any], signature: Signature) -> str:
    """The text of the card, from what `card.json` holds."""
    parts = (
        _purpose(card, signature),
        _quality(card, signature),
        _made_of(card),
        _data(card),
        _limits(card, signature),
    )
    return "\n".join([f"# {card['name']}", "", *(line for part in parts for line in part)])


def _purpose(card: Mapping[str, Any], signature: Signature) -> Iterator[str]:
    columns = counted(len(signature.used), "column")
    if signature.classes:
        classes = ", ".join(f"`{c}`" for c in signature.classes)
        yield f"Predicts `{signature.target}` ({classes}) from {columns}, with a probability for each class."
    else:
        yield f"Predicts the number `{signature.target}` from {columns}."
    if signature.threshold is not None:
        yield (
            f"`predict` answers `{signature.positive_class}` from a probability of {signature.threshold:.4g} up; "
            "that threshold follows the cost matrix of the training."
        )
    if signature.costs:
        yield "`predict` answers the class that is expected to cost least by the cost matrix of the training."
    yield ""


def _quality(card: Mapping[str, Any], signature: Signature) -> Iterator[str]:
    metrics, primary = card["metrics"], card["primary_metric"]
    yield from ("## How good it is", "")
    yield "On rows that took no part in training it, in choosing it, or in weighing its members:"
    yield from ("", "| metric | value |", "|---|---|")
    for name in dict.fromkeys((primary, *SHOWN)):
        if name in metrics:
            yield f"| {metric_named(name).label} (`{name}`) | {metrics[name]:.4f} |"
    if signature.threshold is not None or signature.costs:
        yield from (
            "",
            "Where a metric counts right answers, the most probable class is taken for the answer, not the class that "
            "`predict` decides on by the cost matrix.",
        )
    if len(scores := card["fold_scores"]) > 1:
        mean = sum(scores) / len(scores)
        spread = (sum((s - mean) ** 2 for s in scores) / (len(scores) - 1)) ** 0.5
        yield from (
            "",
            f"Over {len(scores)} parts of the data, {metric_named(primary).label} was {mean:.4f} ± {spread:.4f}.",
        )
    yield ""


def _made_of(card: Mapping[str, Any]) -> Iterator[str]:
    members: Sequence[Mapping[str, Any]] = card["members"]
    yield from ("## What it is made of", "")
    if len(members) == 1:
        yield f"One model, {_name(members[0]['algorithm'])} (trial {members[0]['trial']})."
    else:
        yield f"{_name(card['algorithm'])}, made of {counted(len(members), 'trial')}:"
        yield from ("", "| trial | algorithm | weight |", "|---|---|---|")
        for member in members:
            yield f"| {member['trial']} | {_name(member['algorithm'])} | {member['weight']:.3f} |"
        if card["combination"]["meta"].get("calibration"):
            yield from ("", "Its probabilities are calibrated.")
    made = "refitted on all rows" if any(m["refitted"] for m in members) else "the mean of the models of its folds"
    yield from ("", f"Each trial's model is {made}." if len(members) > 1 else f"It is {made}.", "")


def _data(card: Mapping[str, Any]) -> Iterator[str]:
    data = card["data"]
    yield from ("## Data", "")
    rows = counted(data["rows"], "row")
    yield f"Trained on version {data['version']} of `{data['name']}` ({rows}, SHA-256 `{data['sha256']}`)."
    for what in ("excluded", "dropped"):
        if card[what]:
            yield f"Columns that were {what}: {', '.join(f'`{name}`' for name in card[what])}."
    yield from ("", "| check of the data | result | what was found |", "|---|---|---|")
    for check in card["guardrails"]:
        yield f"| {_cell(check['name'])} | {check['state']} | {_cell(check['detail'])} |"
    yield ""


def _limits(card: Mapping[str, Any], signature: Signature) -> Iterator[str]:
    yield from ("## Limits", "")
    for note in card["notes"]:
        yield f"- {note}."
    if card.get("class_weights"):
        yield "- It was trained with class weights: its probabilities are moved towards the classes that weigh more."
    yield "- Its figures hold for rows like those that it was trained on, and not for other times or groups of people."
    if closed := [c.name for c in signature.used if c.closed]:
        yield f"- Other values than those in the training data are rejected in {', '.join(f'`{n}`' for n in closed)}."
    packages = ", ".join(f"{name} {version}" for name, version in card["environment"]["packages"].items())
    yield from ("", f"Made with Python {card['environment']['python']}, {packages}; seed {card['seed']}.", "")


def _name(algorithm: str) -> str:
    return algorithm_label(algorithm)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
