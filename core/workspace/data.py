"""Data assets: versioned tables, and what came of them."""

from core.domain.data import AS_FOUND, DataAsset, DataRef, Lineage, Reading, TableProfile, TableSample
from core.workspace.collection import Collection


class DataAssets(Collection):
    """Data assets: versioned tables, and what came of them."""

    noun = "data"

    def register(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        """Register the table `source` (a path, or a known name such as `bankmarketing_train`) as `name`.

        `core.sources` finds and reads it, on this machine. An empty `name` takes the source's own. `notes` of the asset
        say what was done to the table, and which categories differ only in the case of their letters
        (`core.ml.data.spellings`). A table of the same `content_id` under the same name gives the version that exists.
        Raises SourceUnreadable, TableUnusable.
        """
        self._cannot("register")

    def list(self) -> tuple[DataAsset, ...]:
        """All versions of all data assets."""
        self._cannot("list")

    def get(self, ref: DataRef) -> DataAsset:
        """One version; version 0 is the newest. Raises DataNotFound."""
        self._cannot("get")

    def profile(self, ref: DataRef, target: str = "") -> TableProfile:
        """Every column summarised, in table order; with a binary `target` also its rate per level.

        Raises DataNotFound, SpecInvalid for a target that is no column.
        """
        self._cannot("profile")

    def sample(self, ref: DataRef, rows: int = 20) -> TableSample:
        """The first `rows` rows, or all where there are fewer. Raises DataNotFound."""
        self._cannot("sample")

    def lineage(self, ref: DataRef) -> Lineage:
        """The jobs, models and deployments that came of a data version. Raises DataNotFound."""
        self._cannot("lineage")
