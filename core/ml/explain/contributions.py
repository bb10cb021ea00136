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
from core.ml.explain.treeshap import Ways, cover_of, ways_of
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
            found = exact
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
        found = [self._exact(matrix[at : at + 1], place) for at in range(len(matrix))]
        if any(each is None for each in found):
            return None
        told = [each for each in found if each is not None]
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
        ways = [part.ways for place in places if (part := self._part(*place)) is not None]
        return sum(len(each.column) * len(each.points) for each in ways if each is not None)

    def _exact(self, row: Array, place: int) -> "_Told | None":
        bags = self.predictor.bags
        alone = len(bags) == 1 and len(bags[0]) == 1 and self.predictor.combination == Vote()
        if alone:
            part = self._part(0, 0)
            return part.margin(row, place, self.predictor) if part else None
        return self._together(row, place)

    def _together(self, row: Array, place: int) -> "_Told | None":
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
            said.append(_mean([(part, p.share) for part, p in zip(each, parts, strict=True) if part], row, whole))
        start, end = np.array([s.base for s in said]), np.array([s.score for s in said])
        columns = np.stack([s.columns for s in said])  # bags x columns x classes
        factors = self._factors(start, end, place)
        found = np.einsum("bco,bo->c", columns, factors)
        score = float(self.predictor.of_matrix(row)[0, place])
        return _Told(score - float(found.sum()), found, score, self._scale(Scale.PROBABILITY), Method.COMBINED_SHAP)

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
    """What a bag says of some classes, and what of it the columns contribute (columns x classes)."""

    base: Array
    columns: Array
    score: Array


@dataclass(frozen=True, slots=True)
class _Explained:
    """A part whose margins have exact contributions."""

    part: Part
    member: Forest | Linear
    sources: Array
    """From the columns that the member reads to those of the encoded matrix, which its steps have made them from."""
    ways: Ways | None
    mean: Array
    """Of a linear member's terms over the background (columns x outputs)."""

    def margins(self, row: Array) -> tuple[Array, Array, Array]:
        """The base (outputs), the contributions (columns x outputs) and the margins (outputs)."""
        seen = widened(row, self.part.steps)
        margins = self.member.margins(seen)[0]
        if self.ways is not None:
            base, found = self.ways.base, self.ways.contributions(seen)[0]
        else:
            assert isinstance(self.member, Linear)
            base, found = self.member.intercept + self.mean.sum(axis=0), self.member.terms(seen)[0] - self.mean
        return base, self.sources.T @ found, margins

    def margin(self, row: Array, place: int, predictor: Predictor) -> _Told:
        """Of a single model, on the scale that it adds up on."""
        base, found, margins = self.margins(row)
        scale = _scale_of(self.member.link, len(margins))
        method = Method.TREE_SHAP if self.ways is not None else Method.LINEAR_SHAP
        if len(margins) == 1 and len(predictor.signature.classes) == 2:  # the margin is that of the second class
            sign = 1.0 if place else -1.0
            whole = 1.0 if scale is Scale.PROBABILITY and not place else 0.0
            return _Told(whole + sign * float(base[0]), sign * found[:, 0], whole + sign * margins[0], scale, method)
        return _Told(float(base[place]), found[:, place], float(margins[place]), scale, method)

    def said(self, row: Array, places: Sequence[int]) -> _Said:
        """On the scale of probabilities, or of a regression's numbers."""
        base, found, margins = self.margins(row)
        link = LINKS[self.member.link]
        start, end, some = link(base[None])[0], link(margins[None])[0], list(places)
        columns = [found @ carried(_of(link, place), base, margins) for place in places]
        return _Said(start[some], np.stack(columns, axis=1), end[some])


def _of(link: Callable[[Array], Array], place: int) -> Callable[[Array], Array]:
    return lambda margins: link(margins)[:, place]


def _mean(parts: Sequence[tuple[_Explained, float]], row: Array, places: Sequence[int]) -> _Said:
    said = [(part.said(row, places), share) for part, share in parts]
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
        return _Explained(part, member, sources, ways_of(member, cover), np.zeros((0, 0)))
    if isinstance(member, Linear):
        return _Explained(part, member, sources, None, member.terms(seen).mean(axis=0))
    return None


def _scale_of(link: str, outputs: int) -> Scale:
    if link == "value":
        return Scale.VALUE
    if link == "identity":
        return Scale.PROBABILITY
    return Scale.LOG_ODDS if outputs == 1 else Scale.SCORE
