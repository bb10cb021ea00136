"""The verbs of `computes` on Azure ML."""

from core.azure.clusters import LOCAL, cluster_name, found, listed, made
from core.azure.context import Context
from core.domain.compute import Compute, ExecutorKind
from core.domain.errors import SpecInvalid
from core.workspace.computes import Computes


class AzureComputes(Computes):
    """Clusters; `local` is the one that the settings name, made by the first job that needs it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, compute: Compute) -> Compute:
        if compute.executor != ExecutorKind.PROCESSES:
            raise SpecInvalid(
                f"The compute '{compute.name}' cannot choose the executor '{compute.executor}': Azure runs its trials",
                hint="Leave the executor out; computes of the workspace 'local' can choose one",
            )
        name = cluster_name(self._context, compute.name)
        wanted = Compute(
            name, compute.max_concurrent, compute.threads, compute.memory_mb, compute.size, compute.max_nodes
        )
        done = made(self._context, wanted, found(self._context, name))
        if compute.name != LOCAL:
            return done
        return Compute(LOCAL, done.max_concurrent, done.threads, done.memory_mb, done.size, done.max_nodes)

    def list(self) -> tuple[Compute, ...]:
        return listed(self._context)
