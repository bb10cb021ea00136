"""What a file or a folder holds, as one SHA-256."""

import hashlib
from pathlib import Path


def digest(path: Path) -> str:
    """Of a file, that of its bytes; of a folder, that of the names and bytes of all files below it.

    A link counts as what it says, not as what it leads to. Raises OSError.
    """
    if path.is_symlink():
        return hashlib.sha256(b"link:" + bytes(path.readlink())).hexdigest()
    if path.is_dir():
        whole = hashlib.sha256(b"folder\n")
        for entry in sorted(path.iterdir()):
            whole.update(f"{len(bytes(entry.relative_to(path)))} ".encode() + bytes(entry.relative_to(path)))
            whole.update(f"{digest(entry)}\n".encode())
        return whole.hexdigest()
    if not path.is_file():
        return hashlib.sha256(b"neither a file nor a folder").hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
