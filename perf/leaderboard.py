"""How soon the Leaderboard page shows what has happened, and what looking at it costs.

    python -m perf.leaderboard [--rows 300000] [--trials 500] [--seconds 40]

A workspace of its own is filled, and Chromium watches the app over it. Printed are: the seconds from a trial's end, as
the store has it, until it stands on the page of the running training, with few trials and with many; and for a move of
the threshold slider over many rows and for a click beside many trials, the time until all is drawn and the processor
time that the app's server took. It takes three minutes.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from perf import homes
from perf.clicks import REPOSITORY, App
from perf.workloads.stores import opened

MOVES = 12
SMALL_ROWS, COLUMNS = 2_000, 10
BESIDE = 10_000
"""Trials that are put beside those of a training have numbers from here on."""
ALONE = ("--no-vote-ensemble", "--no-stack-ensemble", "--no-early-termination")
"""An ensemble is made anew under its number, so that it has several ends."""
SEEN = r"""() => { window.seen = {}; setInterval(() => {
    const said = document.querySelector("[data-testid=stMain]").innerText.match(/([\d,]+) trials? done/);
    if (said) window.seen[said[1].replace(",", "")] ??= Date.now() / 1000;
}, 10); }"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=40, help="of each training that is watched")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _app(Path(folder)) as (home, app):
        _register(home, "small", SMALL_ROWS)
        _register(home, "many", asked.rows)
        for beside in (0, asked.trials):
            late, job = _watch(home, app, beside, asked.seconds)
            told = f"median {statistics.median(late):.2f} s, at most {max(late):.2f} s, of {len(late)}"
            print(f"a trial's row, after its end, beside {beside} trials: {told}", flush=True)
            _charts(app, job, f"another chart of {beside + len(late)} trials and more")
        judged = _train(home, "many", "--algorithm", "BernoulliNaiveBayes", "--max-trials", "1", *ALONE)
        _slide(app, judged["id"], f"the threshold over {asked.rows:,} rows")
        for kind, what in app.took_ms:
            took, used = app.took_ms[kind, what], app.cpu_ms[kind, what]
            print(f"{what}: {_spread(took)} until it is drawn, {_spread(used)} of the server's processor", flush=True)


@contextmanager
def _app(folder: Path) -> Iterator[tuple[Path, App]]:
    """An empty workspace, and the app over it with a visitor; the service ends with it."""
    sys.path.insert(0, str(REPOSITORY / "tests"))
    import browsing
    import living

    home = folder / "home"
    try:
        with browsing.running_app(home, folder / "app.log") as (url, server), browsing.open_chromium() as browser:
            yield home, App("here", url, psutil.Process(server.pid), browser.new_page())
    finally:
        living.close(home)


def _register(home: Path, name: str, rows: int) -> None:
    random = np.random.default_rng(7)
    values = random.normal(size=(rows, COLUMNS)).round(3)
    table = pd.DataFrame(values, columns=[f"x{at}" for at in range(COLUMNS)])
    table["y"] = np.where(values[:, :3].sum(axis=1) + random.normal(size=rows) > 1, "yes", "no")
    path = home.parent / f"{name}.parquet"
    table.to_parquet(path)
    homes.command(REPOSITORY, home, "data", "register", str(path), "--name", name)


def _train(home: Path, data: str, *words: str) -> dict[str, Any]:
    """Of a training, which is waited for with `--wait` alone, what the command line says."""
    line = ("job", "automl", "--data", data, "--target", "y", "--json", *words)
    waited = () if "--timeout" in words else ("--wait",)
    found: dict[str, Any] = json.loads(homes.command(REPOSITORY, home, *line, *waited))
    return found


def _watch(home: Path, app: App, beside: int, seconds: int) -> tuple[Sequence[float], str]:
    """Seconds from the end of each trial until the page counts it, of a training that goes on; and its id."""
    job = _train(home, "small", "--timeout", str(seconds), *ALONE)["id"]
    app.page.goto(f"{app.url}/leaderboard?job={job}")
    app.page.get_by_text(re.compile(r"\d trials? done")).first.wait_for(timeout=30_000, state="attached")
    with opened(home) as store:
        like = next(t for t in store.trials.list(job) if t.metrics)
        for number in range(beside):
            store.trials.put(job, replace(like, number=BESIDE + number, params={"C": number}))
        app.page.evaluate(SEEN)
        since = time.time()
        while not store.jobs.get(job).state.final:
            app.page.wait_for_timeout(500)
        app.page.wait_for_timeout(2_000)
        seen = {int(count): at for count, at in app.page.evaluate("window.seen").items()}
        ended = sorted(t.started_at + t.duration_s for t in store.trials.list(job) if t.metrics and t.number < BESIDE)
    late = [
        min(at for known, at in seen.items() if known >= beside + count) - end
        for count, end in enumerate(ended, 1)
        if end > since
    ]
    if not late:
        raise RuntimeError(f"None of {len(ended)} trials ended while it was watched; try more --seconds")
    return late, job


def _charts(app: App, job: str, what: str) -> None:
    """One chart, then the other."""
    app.open(f"leaderboard?job={job}")
    for _ in range(MOVES // 2):
        for title in ("Against speed", "Over time"):
            app.click("chart", what, lambda title=title: app.page.get_by_text(title, exact=True).click())  # type: ignore[misc]


def _slide(app: App, job: str, what: str) -> None:
    """Steps of the slider, as its keys make them; Streamlit itself waits 0.2 s for a further one."""
    app.open(f"leaderboard?job={job}&trial=0&tab=Predictions")
    slider = app.page.get_by_test_id("stSlider").get_by_role("slider").first
    for at in range(MOVES):
        before = slider.input_value()
        app.click("slider", what, lambda at=at: slider.press("ArrowRight" if at % 4 else "ArrowLeft"))  # type: ignore[misc]
        if slider.input_value() == before:
            raise RuntimeError("The slider has not moved")


def _spread(values: Sequence[float]) -> str:
    return f"median {statistics.median(values):.0f} ms, at most {max(values):.0f} ms"


if __name__ == "__main__":
    main()
