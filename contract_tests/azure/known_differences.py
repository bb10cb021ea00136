"""Where the emulation answers otherwise than Azure did, and why it stays so."""

from collections.abc import Sequence

from contract_tests.azure.deviations import Deviation

KNOWN: Sequence[Deviation] = ()
