"""Where the emulation answers otherwise than Azure did, and why it stays so."""

from collections.abc import Sequence

from contract_tests.azure.deviations import Deviation

KNOWN: Sequence[Deviation] = (
    Deviation(
        r"mfeOperationsStatus/od:\S+ the operation is Failed where Succeeded",
        "a recording has no model's files, so nothing can be served",
    ),
    Deviation(
        r"componentSpec\.\$schema: nothing",
        "azure-ai-ml 1.35 refuses to read components that have Azure's own schema of long ago",
    ),
    Deviation(r"userPuId: nothing", "whom Microsoft's own directory means: a service principal has no such number"),
    Deviation(r"properties\.Process(Info|Status)File: nothing", "logs of Azure's own machinery"),
)
