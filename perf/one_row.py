"""Processor time that packaged models take for a single row, by the compiled evaluator and by numpy.

    python -m perf.one_row MODEL_FOLDER...

Another row each time, the two in turn; the median of the calls, in microseconds. Of the `core` on PYTHONPATH, so that
it tells of another revision, too: `PYTHONPATH=CHECKOUT python perf/one_row.py MODEL_FOLDER...`.
"""

import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from core.contract import samples
from core.predict import kernel
from core.predict.folder import Predictor, load_model

ROWS, TURNS, SEED = 60, 20, 11


def main(folders: Sequence[str]) -> None:
    """Print a row of a table for each model."""
    print("| model | bags | parts | trees | compiled, us | numpy, us |\n|---|---|---|---|---|---|")
    for folder in map(Path, folders):
        compiled = load_model(folder)
        with mock.patch.object(kernel, "library", return_value=None):
            by_numpy = load_model(folder)
        parts = [part for bag in compiled.bags for part in bag]
        trees = sum(len(getattr(part.member, "roots", ())) for part in parts)
        told = [f"{us:.0f}" for us in _medians((compiled, by_numpy))]
        print("|", " | ".join((folder.name, str(len(compiled.bags)), str(len(parts)), f"{trees:,}", *told)), "|")


def _medians(models: Sequence[Predictor]) -> list[float]:
    signature = models[0].signature
    rows = [samples.batch(signature, [row]) for row in samples.rows(signature, ROWS, SEED)]
    taken: list[list[float]] = [[] for _ in models]
    for _ in range(TURNS):
        for model, own in zip(models, taken, strict=True):
            for row in rows:
                begun = time.process_time_ns()
                model.probabilities(row)
                own.append((time.process_time_ns() - begun) / 1000)
    return [statistics.median(own) for own in taken]


if __name__ == "__main__":
    main(sys.argv[1:])
