"""Models that are held ready to be explained, row after row, as a what-if form asks."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.contract import samples
from core.contract.payload import Decoder
from core.domain.errors import SpecInvalid
from core.domain.explanation import Explanation
from core.domain.signature import Scalar, Signature

if TYPE_CHECKING:
    from core.ml.explain.contributions import Explainer
    from core.predict.folder import Predictor
    from core.predict.members import Array

HELD = 4
"""Models; an ensemble's ways to its leaves take some MB."""

Row = Mapping[str, Any]


class Explainers:
    """The latest few, by whatever names a model."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Explainer] = OrderedDict()
        self._one = threading.Lock()

    def get(self, key: str) -> "Explainer | None":
        """One that is held."""
        with self._one:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def put(self, key: str, predictor: "Predictor", background: "Array") -> "Explainer":
        """Hold one, and let go of the one that was not asked for the longest."""
        from core.ml.explain.contributions import Explainer

        made = Explainer(predictor, background)
        with self._one:
            self._known[key] = made
            while len(self._known) > HELD:
                self._known.popitem(last=False)
        return made


def explained(explainer: "Explainer", row: Row, class_name: Scalar | None) -> Explanation:
    """One row's score, explained; without a class, that of the positive one of two, or of the most probable one.

    Raises PayloadInvalid, SpecInvalid.
    """
    predictor = explainer.predictor
    signature = predictor.signature
    request = Decoder(signature)(samples.body([dict(row)]))
    matrix = predictor.encoder(request.columns)
    if not signature.classes:
        place = 0
    elif class_name is None and len(signature.classes) > 2:
        place = int(predictor.of_matrix(matrix)[0].argmax())
    else:
        place = class_place(signature, class_name)
    return explainer.explain(matrix, place)


def class_place(signature: Signature, class_name: Scalar | None) -> int:
    """Of a class among a model's; None is the positive one. Raises SpecInvalid."""
    from core.ml.explain.curves import positive_place

    if not signature.classes:
        raise SpecInvalid("A regression has no classes", hint="Its residuals are among the curves")
    if class_name is None:
        return positive_place(signature)
    if class_name not in signature.classes:
        classes = ", ".join(map(str, signature.classes))
        raise SpecInvalid(f"There is no class '{class_name}'", hint=f"The classes are: {classes}")
    return signature.classes.index(class_name)
