"""Build the compiled evaluator of models where there is a C compiler; without it numpy evaluates, only slower.

python scripts/kernel.py [LIBRARY]
"""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.predict.kernel import SOURCE, opened, place  # the checkout is no installed package

FLAGS = ("-std=c99", "-O3", "-fPIC", "-shared", "-ffp-contract=off")
"""No -march=native: an environment may move to another machine. No contraction: it would change the last bit."""


def build(library: Path) -> None:
    """Compile, load, and put in its place at once. Raises OSError, CalledProcessError."""
    compiler = shlex.split(os.environ.get("CC") or "cc")
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        made = Path(folder) / library.name
        subprocess.run([*compiler, *FLAGS, "-o", made, SOURCE, "-lm"], check=True, capture_output=True, text=True)
        opened(made)
        made.rename(library)


def main() -> None:
    """One line is said where it could not be built."""
    library = Path(sys.argv[1]) if len(sys.argv) > 1 else place()
    if library.exists():
        return
    try:
        build(library)
    except (OSError, subprocess.CalledProcessError) as e:
        said = (getattr(e, "stderr", None) or str(e)).strip().splitlines()
        reason = said[0] if said else str(e)
        sys.stderr.write(f"No compiled evaluator of trees ({reason}): numpy gives the same answers, only slower\n")


if __name__ == "__main__":
    main()
