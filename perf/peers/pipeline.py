"""What peers that serve a scikit-learn pipeline have in common: their pins, and the fitted pipeline itself."""

import subprocess
from pathlib import Path

from perf.peers.comparison import FOLDER, PeerFailed
from perf.peers.scoring import LEAVES, TREES, Shared

PINS = ("lightgbm==4.6.0", "pandas==2.3.3", "scikit-learn==1.7.2", "pyarrow>=21")
SCRIPTS = FOLDER / "scripts"
FIT_TIMEOUT_S = 300.0


def fitted(python: Path, shared: Shared, peer: str, kind: str = "joblib") -> Path:
    """The folder of the fitted pipeline, made once a run, in the peer's own environment. Raises PeerFailed."""
    place = shared.work / f"{peer}.model"
    if place.is_dir():
        return place
    words = [str(python), str(SCRIPTS / "fit.py"), str(shared.table), shared.target, str(TREES), str(LEAVES), kind]
    done = subprocess.run([*words, str(place)], capture_output=True, text=True, timeout=FIT_TIMEOUT_S, check=False)
    if done.returncode:
        raise PeerFailed(f"could not fit and save its model: {' '.join(done.stderr.split())[-400:]}")
    return place
