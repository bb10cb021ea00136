"""What the address of a request to the storage account means: account, container and blob, and whether they may be."""

import re
from dataclasses import dataclass

from core.emulator import blobs
from core.emulator.emulation import Emulation
from core.emulator.messages import AzureError, Request

NAME_CHARS_MAX = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Of a request, or of a URL that a copy names."""

    container: str
    """As `blobs` knows it; empty for the account itself."""
    name: str
    """Of the blob; empty for the container itself."""
    said: str = ""
    """The container as the client calls it."""


def container_key(emulation: Emulation, account: str, container: str) -> str:
    """What `blobs` calls a container: accounts that a client's own datastores name have theirs apart."""
    return container if account.lower() == emulation.names.storage_account else f"{account.lower()}.{container}"


def place_of(emulation: Emulation, request: Request) -> Place:
    """Raises AzureError 400 for names that Azure does not allow."""
    container, _, name = request.path.lstrip("/").partition("/")
    if container and not re.fullmatch(r"\$root|\$web|\$logs|[a-z0-9](-?[a-z0-9]){2,62}", container):
        raise refused(400, "InvalidResourceName", "The specified resource name contains invalid characters.")
    if len(name) > NAME_CHARS_MAX:
        raise refused(400, "InvalidUri", "The requested URI does not represent any resource on the server.")
    return Place(container_key(emulation, request.host.partition(".")[0], container), name, container)


def check_container(emulation: Emulation, place: Place) -> None:
    """Raises AzureError 404."""
    if "." not in place.container and place.container not in blobs.containers(emulation):
        raise refused(404, "ContainerNotFound", "The specified container does not exist.")


def found(emulation: Emulation, place: Place) -> blobs.Blob:
    """Raises AzureError 404."""
    blob = blobs.find(emulation, place.container, place.name)
    if blob is None:
        check_container(emulation, place)
        raise refused(404, "BlobNotFound", "The specified blob does not exist.")
    return blob


def refused(status: int, code: str, message: str) -> AzureError:
    """A refusal as storage gives it: clients read the code from the header, above all after HEAD."""
    return AzureError(status, code, message, {"x-ms-error-code": code, "Content-Type": "application/xml"})
