"""What each bag of a model says: of as many bags as possible in one call of the compiled evaluator."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.predict import kernel
from core.predict.arrays import Array
from core.predict.merging import Merged, answers, merged
from core.predict.part import Part, bagged
from core.predict.program import Program, form


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The bags of a model, each by the quickest way that there is for its kind."""

    bags: tuple[tuple[Part, ...], ...]
    columns: int
    """Of the encoded matrix."""
    programs: tuple[tuple[tuple[int, ...], Program], ...]
    """Which bags the library answers for."""
    others: tuple[tuple[int, Merged | None], ...]
    """Which bags numpy answers for."""

    @classmethod
    def of(cls, bags: Sequence[tuple[Part, ...]], columns: int) -> "Ensemble":
        """The bags over a matrix of so many columns."""
        built = kernel.library()
        forms = [form(bag, columns) if built else None for bag in bags]
        together = {found: tuple(at for at, own in enumerate(forms) if own == found) for found in forms if found}
        programs = tuple((own, Program(built, [bags[at] for at in own], columns)) for own in together.values() if built)
        alone = tuple((at, merged(bag, columns)) for at, bag in enumerate(bags) if forms[at] is None)
        return cls(tuple(bags), columns, programs, alone)

    def __reduce__(self) -> tuple[Any, ...]:
        """What the library reads lies in this process alone, and is made anew in another."""
        return Ensemble.of, (self.bags, self.columns)

    def said(self, matrix: Array) -> list[Array]:
        """Rows x outputs of each bag. Raises IndexError for a matrix of other width."""
        found: dict[int, Array] = {}
        for own, program in self.programs:
            few = len(matrix) <= program.rows_max
            found.update(
                zip(own, program(matrix) if few else [bagged(self.bags[at], matrix) for at in own], strict=True)
            )
        for at, bag in self.others:
            found[at] = answers(self.bags[at], bag, matrix)
        return [found[at] for at in range(len(self.bags))]
