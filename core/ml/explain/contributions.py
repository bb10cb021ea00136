"""What each column contributes to the answer for one row, whatever the model is made of.

Trees and linear models have exact Shapley values on the scale of their margins. A single one is explained on that
scale; several, on the scale of the probability that comes out, to which theirs are carried. All else is estimated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.domain.explanation import Explanation, Method, Scale
from core.ml.explain.carried import carried
from core.ml.explain.sampled import sampled
from core.ml.explain.sources import sources_of
from core.ml.explain.treeshap import Shapley, cover_of, shapley_of
from core.predict.arrays import LINKS, Array
from core.predict.combination import Vote
from core.predict.folder import Predictor
from core.predict.forest import Forest
from core.predict.linear import Linear
from core.predict.part import Part
from core.predict.steps import widened

INPUTS_MAX = 60
"""Of a stack of many classes: with more, carrying takes longer than estimating."""


@dataclass(slots=True)
class Explainer:
    """Of one predictor. `background` are encoded rows of the usual kind: what they are on average is the base."""

    predictor: Predictor
    background: Array
    _parts: dict[tuple[int, int], "_Explained | None"] = field(default_factory=dict)

    def explain(self, matrix: Array, place: int) -> Explanation:
        """Of the first row of the encoded matrix, for the class at this place (0 for a regression)."""
        row, predictor = matrix[:1], self.predictor
        said = predictor.of_matrix(row)[0]
        exact = self._exact(row, place)
        if exact is None:
            base, columns = sampled(predictor, self.background, row[0], place)
            found = _Told(base, columns, float(said[place]), self._scale(Scale.PROBABILITY), Method.PERMUTATION)
        else:
            found = exact[0]
        names = [code.name for code in predictor.encoder.codes]
        summed = dict.fromkeys(names, 0.0)
        for name, value in zip(names, found.columns, strict=True):
            summed[name] += float(value)
        # What is left is the rounding of float32, in which a library adds; it is no column's.
        base = found.score - sum(summed.values())
        classes = predictor.signature.classes
        of_class = classes[place] if classes else None
        shares = tuple(map(float, said)) if classes else ()
        return Explanation(base, summed, found.score, found.scale, found.method, of_class, shares)

    def sizes(self, matrix: Array, place: int) -> tuple[Array, Scale] | None:
        """The mean size of each column's contribution over the rows; None where they could be estimated only."""
        told = self._exact(matrix, place)
        if told is None:
            return None
        names = [code.name for code in self.predictor.encoder.codes]
        summed = np.zeros((len(told), len(self.predictor.encoder.names)))
        where = [self.predictor.encoder.names.index(name) for name in names]
        for at, each in enumerate(told):
            np.add.at(summed[at], where, each.columns)
        return np.abs(summed).mean(axis=0), told[0].scale

    @property
    def work(self) -> int:
        """How much is to be added up for one row."""
        places = [(bag, at) for bag, parts in enumerate(self.predictor.bags) for at in range(len(parts))]
        trees = [part.trees for place in places if (part := self._part(*place)) is not None]
        return sum(each.work for each in trees if each is not None)

    def _exact(self, matrix: Array, place: int) -> "list[_Told] | None":
        """Of every row; None where the model, or a part of it, has no exact contributions."""
        bags = self.predictor.bags
        alone = len(bags) == 1 and len(bags[0]) == 1 and self.predictor.combination == Vote()
        if alone:
            part = self._part(0, 0)
            return part.told(matrix, place, self.predictor) if part else None
        return self._together(matrix, place)

    def _together(self, matrix: Array, place: int) -> "list[_Told] | None":
        """The probability of several models, or the number that they predict."""
        outputs, bags = len(self.predictor.signature.classes) or 1, self.predictor.bags
        if outputs > 2 and self._carries and outputs * len(bags) > INPUTS_MAX:
            return None
        said = []
        for bag, parts in enumerate(bags):
            each = [self._part(bag, at) for at in range(len(parts))]
            if any(part is None for part in each):
                return None
            whole = range(outputs) if outputs > 2 and self._carries else (place,)
            said.append(_mean([(part, p.share) for part, p in zip(each, parts, strict=True) if part], matrix, whole))
        start = np.array([s.base for s in said])  # bags x classes
        scores = self.predictor.of_matrix(matrix)[:, place]
        return [self._combined(start, said, at, place, float(score)) for at, score in enumerate(scores)]

    def _combined(self, start: Array, said: "Sequence[_Said]", at: int, place: int, score: float) -> "_Told":
        """One row."""
        factors = self._factors(start, np.array([s.score[at] for s in said]), place)
        columns = np.einsum("bco,bo->c", np.stack([s.columns[at] for s in said]), factors)
        base = score - float(columns.sum())
        return _Told(base, columns, score, self._scale(Scale.PROBABILITY), Method.COMBINED_SHAP)

    @property
    def _carries(self) -> bool:
        """The combination is more than a weighted mean."""
        combination = self.predictor.combination
        return not isinstance(combination, Vote) or combination.calibration is not None

    def _factors(self, start: Array, end: Array, place: int) -> Array:
        """Of each bag's contributions (bags x classes that are looked at)."""
        combination = self.predictor.combination
        if isinstance(combination, Vote) and combination.calibration is None:
            return np.array(combination.weights)[:, None]
        outputs = len(self.predictor.signature.classes) or 1

        def combined(points: Array) -> Array:
            each = points.reshape(len(points), *start.shape)
            if outputs == 2:
                pair = np.concatenate((1 - each, each) if place else (each, 1 - each), axis=2)
                said: Sequence[Array] = [pair[:, bag] for bag in range(len(start))]
            else:
                said = [each[:, bag] for bag in range(len(start))]
            return np.asarray(combination.combined(said)[:, place])

        return carried(combined, start.ravel(), end.ravel()).reshape(start.shape)

    def _part(self, bag: int, at: int) -> "_Explained | None":
        if (bag, at) not in self._parts:
            self._parts[bag, at] = _explained(self.predictor.bags[bag][at], self.background)
        return self._parts[bag, at]

    def _scale(self, scale: Scale) -> Scale:
        return scale if self.predictor.signature.classes else Scale.VALUE


@dataclass(frozen=True, slots=True)
class _Told:
    """Contributions of the columns of the encoded matrix."""

    base: float
    columns: Array
    score: float
    scale: Scale
    method: Method


@dataclass(frozen=True, slots=True)
class _Said:
    """What a bag says of some classes, and what of it the columns contribute."""

    base: Array
    """One number a class."""
    columns: Array
    """Rows x columns x classes."""
    score: Array
    """Rows x classes."""


@dataclass(frozen=True, slots=True)
class _Explained:
    """A part whose margins have exact contributions."""

    part: Part
    member: Forest | Linear
    sources: Array
    """From the columns that the member reads to those of the encoded matrix, which its steps have made them from."""
    trees: Shapley | None
    mean: Array
    """Of a linear member's terms over the background (columns x outputs)."""

    def margins(self, matrix: Array) -> tuple[Array, Array, Array]:
        """The base (outputs), the contributions (rows x columns x outputs) and the margins (rows x outputs)."""
        seen = widened(matrix, self.part.steps)
        if self.trees is not None:
            base, found = self.trees.base, self.trees.contributions(seen)
        else:
            assert isinstance(self.member, Linear)
            base, found = self.member.intercept + self.mean.sum(axis=0), self.member.terms(seen) - self.mean
        return base, np.einsum("rwo,wc->rco", found, self.sources), self.member.margins(seen)

    def told(self, matrix: Array, place: int, predictor: Predictor) -> list[_Told]:
        """Of a single model, on the scale that it adds up on."""
        base, found, margins = self.margins(matrix)
        scale = _scale_of(self.member.link, len(base))
        method = Method.TREE_SHAP if self.trees is not None else Method.LINEAR_SHAP
        sign, whole = 1.0, 0.0
        if len(base) == 1 and len(predictor.signature.classes) == 2:  # the margin is that of the second class
            sign = 1.0 if place else -1.0
            whole = 1.0 if scale is Scale.PROBABILITY and not place else 0.0
            place = 0
        start = whole + sign * float(base[place])
        rows = zip(sign * found[:, :, place], whole + sign * margins[:, place], strict=True)
        return [_Told(start, columns, float(score), scale, method) for columns, score in rows]

    def said(self, matrix: Array, places: Sequence[int]) -> _Said:
        """On the scale of probabilities, or of a regression's numbers."""
        base, found, margins = self.margins(matrix)
        link = LINKS[self.member.link]
        columns = [
            np.stack([each @ carried(_of(link, place), base, margin) for place in places], axis=1)
            for each, margin in zip(found, margins, strict=True)
        ]
        some = list(places)
        return _Said(link(base[None])[0, some], np.array(columns), link(margins)[:, some])


def _of(link: Callable[[Array], Array], place: int) -> Callable[[Array], Array]:
    return lambda margins: link(margins)[:, place]


def _mean(parts: Sequence[tuple[_Explained, float]], matrix: Array, places: Sequence[int]) -> _Said:
    said = [(part.said(matrix, places), share) for part, share in parts]
    return _Said(
        np.asarray(sum(share * s.base for s, share in said)),
        np.asarray(sum(share * s.columns for s, share in said)),
        np.asarray(sum(share * s.score for s, share in said)),
    )


def _explained(part: Part, background: Array) -> _Explained | None:
    """None for a member that has no exact contributions."""
    member = part.member
    seen = widened(background, part.steps)
    sources = sources_of(part.steps, background.shape[1])
    if isinstance(member, Forest):
        cover = member.cover if len(member.cover) else cover_of(member, seen)
        return _Explained(part, member, sources, shapley_of(member, cover), np.zeros((0, 0)))
    if isinstance(member, Linear):
        return _Explained(part, member, sources, None, member.terms(seen).mean(axis=0))
    return None


def _scale_of(link: str, outputs: int) -> Scale:
    if link == "value":
        return Scale.VALUE
    if link == "identity":
        return Scale.PROBABILITY
    return Scale.LOG_ODDS if outputs == 1 else Scale.SCORE
