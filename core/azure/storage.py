"""What lies in the workspace's storage, copied to this machine by the SDK's own way to it."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.azure import sdk
from core.azure.context import Context
from core.azure.errors import translated
from core.domain.errors import ServiceUnavailable, SlipwayError, SourceUnreadable

IN_DATASTORE = re.compile(r"azureml://(?:subscriptions/.+/)?datastores/(?P<store>[^/]+)/paths/(?P<path>.+)")
DATASTORES = ("azureml://datastores/", "azureml://subscriptions/")


def download(context: Context, uri: str, folder: Path) -> None:
    """Copy what lies at `uri` (a folder, or a file) into `folder`; nothing where nothing lies there.

    Raises SourceUnreadable for an address that is no place in a datastore of the workspace, or the web's.
    """
    if uri.startswith("https://"):
        _fetch(context, uri, folder)
        return
    if not uri.startswith(DATASTORES):
        raise SourceUnreadable(
            f"'{uri}' cannot be read from here", hint="Only what lies in a datastore of the workspace, or on the web"
        )
    copy = sdk.module("azure.ai.ml._artifacts._artifact_utilities").download_artifact_from_aml_uri
    with translated():
        copy(uri, str(folder), context.client.datastores)


@dataclass(frozen=True)
class Blobs:
    """The files below one address in a blob datastore, read one by one."""

    container: Any
    prefix: str

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """How many bytes each file has, by its name below the address."""
        with translated():
            found = self.container.list_blobs(name_starts_with=self.prefix)
            return {each.name[len(self.prefix) :]: int(each.size or 0) for each in found}

    def read(self, name: str) -> bytes | None:
        """The bytes of one file; None where it is not there."""
        if name not in self.sizes:
            return None
        with translated():
            return bytes(self.container.download_blob(self.prefix + name).readall())

    def copy(self, folder: Path) -> None:
        """All files, below `folder`; a name that would lead out of it is left out."""
        for name in self.sizes:
            path = folder / name
            if name and not name.endswith("/") and path.resolve().is_relative_to(folder.resolve()):
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file, translated():
                    self.container.download_blob(self.prefix + name).readinto(file)


def blobs_at(context: Context, uri: str) -> Blobs:
    """The files below an address in a datastore. Raises SourceUnreadable for any other."""
    if not (found := IN_DATASTORE.fullmatch(uri)):
        raise SourceUnreadable(f"'{uri}' is no place in a datastore of the workspace", hint="Look at it in the studio")
    known = sdk.module("azure.ai.ml._artifacts._artifact_utilities").get_datastore_info
    with translated():
        info = known(context.client.datastores, found["store"])
        container = sdk.module("azure.storage.blob").ContainerClient(
            info["account_url"], info["container_name"], credential=info["credential"]
        )
    return Blobs(container, f"{found['path'].rstrip('/')}/")


def _fetch(context: Context, url: str, folder: Path) -> None:
    got = context.http("GET", url, follow_redirects=True)
    if got.status_code != 200:
        raise SourceUnreadable(f"{url} answers {got.status_code}", hint="Was it moved, or may not everybody read it?")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (url.partition("?")[0].rstrip("/").rpartition("/")[2] or "file")).write_bytes(got.content)


@contextmanager
def arriving(context: Context, place: Path) -> Iterator[Path]:
    """A folder that is being filled; behind the block it is at `place`, as a whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=place.parent, prefix=".arriving-") as folder:
        made = Path(folder) / "whole"
        made.mkdir()
        yield made
        put(made, place)


def put(made: Path, place: Path) -> None:
    """Move a folder to `place`; one that is there by now, made of the same by somebody else, stays."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        made.rename(place)
    except OSError:
        if not place.is_dir():
            raise
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def uploading(what: str) -> Iterator[None]:
    """An upload that breaks off says so. Raises ServiceUnavailable."""
    try:
        yield
    except ServiceUnavailable as e:
        raise ServiceUnavailable(
            f"The upload of '{what}' was interrupted: {e.message}", hint="Nothing was registered; start it again"
        ) from e
    except SlipwayError:
        raise
