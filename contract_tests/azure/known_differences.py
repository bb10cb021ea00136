"""Where the emulation answers otherwise than Azure did, and why it stays so."""

from collections.abc import Sequence

from contract_tests.azure.deviations import Deviation

KNOWN: Sequence[Deviation] = (
    Deviation(
        r"mfeOperationsStatus/od:\S+ the operation is Failed where Succeeded",
        "a recording has no model's files, so nothing can be served",
    ),
)
