"""One run: an engine trains on what it is handed, and its probabilities meet the targets of the test rows here."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.settings import CHECKOUT
from perf.peers.automl.engines import Contender
from perf.peers.automl.judging import Scored, overrun_s
from perf.peers.automl.tables import Split, Table
from perf.peers.comparison import PeerFailed

PATIENCE, GRACE_S = 4.0, 240.0
"""An engine that takes longer than so many budgets and so long beyond is ended."""
WORDS = 600


@dataclass(frozen=True)
class Result:
    """What a run has left: figures, facts, and the probabilities that they came of."""

    facts: Mapping[str, Any]
    probabilities: np.ndarray


def run(contender: Contender, python: Path, table: Table, split: Split, threads: int) -> Result:
    """Train on the rows that do not test, and judge on those that do. Raises PeerFailed with the engine's own words."""
    with tempfile.TemporaryDirectory(prefix="automl-peer-", ignore_cleanup_errors=True) as place:
        folder = Path(place) / "run"
        folder.mkdir()
        _hand_over(contender, table, split, threads, folder)
        used = _watched(contender, python, threads, folder)
        answer = json.loads((folder / "answer.json").read_text("utf-8"))
        probabilities = np.load(folder / "probabilities.npy")
    labels = table.labels[split.test]
    if probabilities.shape != (len(labels), len(table.classes)) or not np.isfinite(probabilities).all():
        raise PeerFailed(f"gave probabilities of shape {probabilities.shape}, or some that are no numbers")
    single = answer.pop("single", None)
    facts = (
        answer | used | _judged(labels, probabilities) | {"overrun_s": overrun_s(answer["fit_s"], contender.budget_s)}
    )
    if single is not None:
        facts["single"] = _judged(labels, np.array(single))
    return Result(facts, probabilities)


def _judged(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    tested = Scored(labels, probabilities)
    return {"auc": tested.auc(), "log_loss": tested.log_loss()}


def _hand_over(contender: Contender, table: Table, split: Split, threads: int, folder: Path) -> None:
    """No target of a test row is among what the engine's script can read."""
    tests = np.isin(np.arange(len(table.frame)), split.test)
    table.frame[~tests].to_parquet(folder / "train.parquet", index=False)
    table.frame[tests].drop(columns=[table.target]).to_parquet(folder / "test.parquet", index=False)
    said = {
        "target": table.target,
        "classes": table.classes,
        "budget_s": contender.budget_s,
        "seed": split.seed,
        "threads": threads,
        "options": dict(contender.engine.options),
    }
    (folder / "asked.json").write_text(json.dumps(said), "utf-8")


def _watched(contender: Contender, python: Path, threads: int, folder: Path) -> dict[str, Any]:
    used, log, limit_s = folder / "used.json", folder / "log", PATIENCE * contender.budget_s + GRACE_S
    words = [sys.executable, "-m", "perf.peers.automl.watched", str(used), str(limit_s), str(threads)]
    words += [str(python), "-W", "ignore", str(contender.engine.script), str(folder)]
    with log.open("wb") as output:
        environment = _environment(contender, threads, folder)
        subprocess.run(words, cwd=CHECKOUT, env=environment, stdout=output, stderr=output, check=False)
    said: dict[str, Any] = json.loads(used.read_text("utf-8")) if used.is_file() else {"code": None}
    if said.pop("code") != 0 or not (folder / "answer.json").is_file():
        text = " ".join(log.read_text("utf-8", "replace").split())
        raise PeerFailed(f"gave no answer; its log ends: {text[-WORDS:]}")
    return said


def _environment(contender: Contender, threads: int, folder: Path) -> dict[str, str]:
    """Equal threads for every library. The watcher runs in the checkout; only our own script finds its packages."""
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    own = {"PYTHONPATH": str(CHECKOUT)} if contender.engine.ours else {}
    return os.environ | limits | own | {"PYTHONHASHSEED": "0", "TMPDIR": str(folder.parent)}
