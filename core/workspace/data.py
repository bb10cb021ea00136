"""Data assets: versioned tables, and what came of them."""

from typing import BinaryIO

from core.domain.data import AS_FOUND, AvailableTable, DataAsset, DataRef, Lineage, Reading, TableProfile, TableSample
from core.workspace.collection import Collection


class DataAssets(Collection):
    """Data assets: versioned tables, and what came of them."""

    noun = "data"

    def register(self, name: str, source: str, reading: Reading = AS_FOUND) -> DataAsset:
        """Register the table `source` (a path, or a known name such as `bankmarketing_train`) as `name`.

        `core.sources` finds and reads it, on this machine. An empty `name` takes the source's own. `notes` of the asset
        say what was done to the table, and which categories differ only in the case of their letters
        (`core.ml.data.spellings`). A table of the same `content_id` under the same name gives the version that exists.
        A workspace that was opened `confined` reads paths below the allowed folders only.
        Raises SourceUnreadable, TableUnusable.
        """
        self._cannot("register")

    def upload(self, name: str, filename: str, stream: BinaryIO, reading: Reading = AS_FOUND) -> DataAsset:
        """Register the table that `stream` gives, to its end, as `name`; an empty name takes that of `filename`.

        It is read in pieces, and its bytes are kept for `read_again`. The asset's origin is the file's own name,
        without the folders that a browser may put before it.
        Raises SourceUnreadable, TableUnusable, PayloadTooLarge above the setting `upload_max_mb`.
        """
        self._cannot("upload")

    def read_again(self, ref: DataRef, reading: Reading) -> DataAsset:
        """Register what a version was made of once more, read in another way, under the same name.

        An upload is read from the bytes that were kept; anything else from where it came from, as it is now.
        Raises DataNotFound, SourceUnreadable where it is not there any more or may not be read, TableUnusable.
        """
        self._cannot("read_again")

    def available(self) -> tuple[AvailableTable, ...]:
        """The tables that `register` knows by name alone, by name; Bank Marketing is always among them.

        Nothing is read or fetched for it.
        """
        self._cannot("available")

    def delete(self, ref: DataRef, *, all_versions: bool = False) -> tuple[DataRef, ...]:
        """Delete one version, or all of the name, with their files; gives what is gone, newest first.

        Its number is never given to another table. Raises DataNotFound; Conflict that names the jobs, models and
        deployments which use it, and then nothing is deleted.
        """
        self._cannot("delete")

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
