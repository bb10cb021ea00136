"""The models that a trial has left, read back to be explained."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.domain.signature import Signature
from core.ml.finished import ARRAYS, MEMBER, FinishedTrial, read_trial
from core.ml.task import REPEAT
from core.predict.combination import Combination, Vote
from core.predict.encoder import Encoder
from core.predict.folder import Predictor, read_combination, read_part
from core.predict.part import Part


def predictor_of(finished: FinishedTrial, signature: Signature) -> Predictor:
    """What a trial says, an ensemble's members and their folds together. Raises FileNotFoundError, ModelUnreadable."""
    members = finished.trial.members or (finished.trial.number,)
    read = [_bag(finished.folder.with_name(str(number))) for number in members]
    return Predictor(signature, read[0][1], tuple(parts for parts, _ in read), _combination(finished))


def repeats_of(finished: FinishedTrial) -> tuple[int, ...]:
    """Of each member of a trial, the how manieth repeat it is: each has folds of its own."""
    members = finished.trial.members or (finished.trial.number,)
    trials = (read_trial(finished.folder.with_name(str(number))).trial for number in members)
    return tuple(int(trial.params.get(REPEAT) or 0) for trial in trials)


def of_folds(predictor: Predictor, folds: Sequence[int]) -> Predictor:
    """The models of one fold of each bag, which answer for its rows; a single model answers for all."""
    chosen = zip(predictor.bags, folds, strict=True)
    bags = tuple((replace(parts[fold % len(parts)], share=1.0),) for parts, fold in chosen)
    return replace(predictor, bags=bags)


def _bag(folder: Path) -> tuple[tuple[Part, ...], Encoder]:
    described = json.loads((folder / MEMBER).read_bytes())
    with np.load(folder / ARRAYS, allow_pickle=False) as kept:
        arrays = dict(kept)
    return tuple(read_part(part, arrays) for part in described["parts"]), Encoder.from_json(described["encoder"])


def _combination(finished: FinishedTrial) -> Combination:
    if finished.combination:
        return read_combination(finished.combination)
    return Vote(finished.weights or (1.0,))
