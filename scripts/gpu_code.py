"""Give back the disk space of the GPU code inside CatBoost's library: 224 of its 277 MB, and nothing here uses a GPU.

PyPI has one CatBoost for all machines, with CUDA kernels in an ELF section of its own that is read only once a training
asks for a GPU. A hole in the file takes their place: its length and every offset stay, reading it gives zeros, and it
takes no blocks on disk (`man 2 fallocate`, FALLOC_FL_PUNCH_HOLE).

    python scripts/gpu_code.py [SITE_PACKAGES]
"""

import ctypes
import os
import struct
import sys
import sysconfig
from pathlib import Path
from typing import BinaryIO

SECTION = b".nv_fatbin"
KEEP_SIZE, PUNCH_HOLE = 1, 2
HEADER, ENTRY = struct.Struct("<16s2HI3QI6H"), struct.Struct("<2I4Q2I2Q")
"""Of an ELF file, and of a section in its table: `man 5 elf`, Elf64_Ehdr and Elf64_Shdr."""


def gpu_code(file: BinaryIO) -> tuple[int, int] | None:
    """Where the section with GPU code begins, and its bytes; None where the file has none or is no 64-bit ELF file."""
    header = file.read(HEADER.size)
    if len(header) < HEADER.size or not header.startswith(b"\x7fELF\x02\x01"):
        return None
    *_, table, _, _, _, _, size, count, names = HEADER.unpack(header)
    if size != ENTRY.size or names >= count:
        return None
    file.seek(table)
    sections = list(ENTRY.iter_unpack(file.read(size * count)))
    file.seek(sections[names][4])
    words = file.read(sections[names][5])
    named = {words[name : words.index(b"\0", name)]: (offset, length) for name, _, _, _, offset, length, *_ in sections}
    return named.get(SECTION)


def give_back(library: Path) -> int:
    """Punch the hole; gives the bytes of disk that it frees, 0 where it was there before.

    Raises OSError where the file system knows no holes.
    """
    with library.open("r+b") as file:
        found = gpu_code(file)
        if found is None:
            return 0
        before = os.fstat(file.fileno()).st_blocks
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.fallocate(file.fileno(), PUNCH_HOLE | KEEP_SIZE, *map(ctypes.c_int64, found)):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(library))
        os.fsync(file.fileno())
        return (before - os.fstat(file.fileno()).st_blocks) * 512


def main() -> None:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("platlib"))
    library = site / "catboost" / "_catboost.so"
    if sys.platform != "linux" or not library.is_file():
        return
    try:
        give_back(library)
    except OSError as e:
        sys.stderr.write(f"CatBoost's GPU code stays on disk (224 MB that nothing uses): {e.strerror}\n")


if __name__ == "__main__":
    main()
