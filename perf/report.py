"""The history of `make perf` as one page: `python -m perf.report [--history FOLDER] [--output FILE]`.

The page holds everything it shows: no script, no font, no picture from elsewhere.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from perf import plot
from perf.figures import figure, label
from perf.history import FOLDER, History, Point, Run, Series, read

OUTPUT = FOLDER.parent / "report.html"
ORDER = ("scoring", "server", "pages", "browser", "runs and requests kept", "tables and search", "start", "import")
"""Groups that are not named here come last."""
WORTH_SAYING_PCT = 5.0
"""A smaller change from run to run, or one within what the run before has seen, is the machine's mood."""

STYLE = """
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #fff; --ink: #16202c; --soft: #5b6878; --edge: #dfe4ea;
  --line: #1f6feb; --good: #17803d; --bad: #b42318; --range: #1f6feb40; }
@media (prefers-color-scheme: dark) { :root { --paper: #0e1319; --card: #171e27; --ink: #e7edf4; --soft: #93a1b1;
  --edge: #2a3441; --line: #6cb0ff; --good: #5fd08a; --bad: #ff8f84; --range: #6cb0ff45; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; }
h2 { font-size: 18px; margin: 40px 0 12px; }
p { margin: 0 0 8px; }
.soft { color: var(--soft); }
.broken { border: 1px solid var(--bad); border-radius: 10px; padding: 12px 16px; margin: 20px 0; }
.grid { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 350px), 1fr)); }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px; padding: 14px 16px 10px;
  min-width: 0; display: flex; flex-direction: column; }
.card h3 { font-size: 14px; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.now { font-size: 24px; font-weight: 650; font-variant-numeric: tabular-nums; }
.row { display: flex; gap: 10px; align-items: baseline; flex-wrap: wrap; }
.small { font-size: 12.5px; }
.good { color: var(--good); } .bad { color: var(--bad); }
.card svg { width: 100%; height: auto; margin-top: auto; display: block; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; background: var(--card); }
th, td { text-align: left; padding: 7px 12px; border-bottom: 1px solid var(--edge); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
code { font: 12.5px ui-monospace, monospace; }
"""


def main(words: Sequence[str]) -> int:
    """Write the page and say where it is."""
    options = _options(words)
    history = read(options.history)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(page(history), "utf-8")
    for file, why in history.broken.items():
        print(f"{file} is not a run of pytest-benchmark ({why}); it is left out", file=sys.stderr)
    print(f"{len(history.series)} figures of {len(history.runs)} runs: {options.output}")
    return 0


def page(history: History) -> str:
    """The whole document."""
    body = "".join(_body(history))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Slipway: performance</title>'
        f"<style>{STYLE}</style></head>\n<body><main>{body}</main></body></html>\n"
    )


def _body(history: History) -> Iterator[str]:
    yield "<h1>How fast Slipway is</h1>"
    yield from _broken(history)
    if not history.runs:
        yield '<p class="soft">Nothing was measured yet. <code>make perf</code> adds a run each time it ends.</p>'
        return
    newest = history.runs[-1]
    yield f"<p>{_count(history.runs, 'run')}, the newest {_when(newest)} on {escape(newest.machine)}.</p>"
    yield (
        '<p class="soft">A point is the median of one run, its bar reaches from the lowest to the highest value; '
        "one that reaches far higher ends at the edge. A line joins runs on one machine. Machines have moods: "
        "the gate judges revisions, not this page.</p>"
    )
    groups = dict.fromkeys(series.group for series in history.series)
    for group in sorted(groups, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER)):
        yield f'\n<h2>{escape(group[:1].upper() + group[1:])}</h2>\n<div class="grid">'
        yield from (_card(series, newest) for series in history.series if series.group == group)
        yield "</div>"
    yield from _runs(history.runs)


def _broken(history: History) -> Iterator[str]:
    if history.broken:
        files = "".join(
            f"<p><code>{escape(file)}</code> <span class='soft'>{escape(why)}</span></p>"
            for file, why in history.broken.items()
        )
        yield f'<div class="broken"><p><b>Left out, since they cannot be read:</b></p>{files}</div>'


def _card(series: Series, newest: Run) -> str:
    last = series.points[-1]
    now = escape(figure(last.median, series.unit))
    span = f"{figure(last.low, series.unit)} to {figure(last.high, series.unit)}"
    stale = "" if last.run == newest else f'<span class="small bad">not in the newest run ({_when(last.run)})</span>'
    grows = f"<br>Grows with {escape(series.grows_with)}" if series.grows_with else ""
    return (
        f'\n<section class="card"><h3>{escape(label(series.name, series.unit))}</h3>'
        f'<div class="row"><span class="now">{now}</span>{_change(series)}{stale}</div>'
        f'<p class="small soft">{escape(span)}, {_rounds(last)}{grows}</p>{plot.draw(series)}</section>'
    )


def _change(series: Series) -> str:
    """How the newest run compares with the last one before it on the same machine."""
    last = series.points[-1]
    before = [p for p in series.points[:-1] if p.run.machine == last.run.machine]
    if not before or not before[-1].median:
        return ""
    pct = 100 * (last.median / before[-1].median - 1)
    if abs(pct) < WORTH_SAYING_PCT or before[-1].low <= last.median <= before[-1].high:
        return '<span class="small soft">as before</span>'
    better = (pct > 0) is series.more_is_better
    return f'<span class="small {"good" if better else "bad"}">{pct:+.0f} % from the run before</span>'


def _runs(runs: Sequence[Run]) -> Iterator[str]:
    yield '\n<h2>Runs</h2>\n<div class="wide"><table><tr><th>when</th><th>commit</th><th>machine</th><th>file</th></tr>'
    for run in reversed(runs):
        cells = (_when(run), f"<code>{escape(run.commit) or '-'}</code>", escape(run.machine), escape(run.file))
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</table></div>"


def _when(run: Run) -> str:
    return escape(run.at[:16].replace("T", " "))


def _rounds(point: Point) -> str:
    return f"{point.rounds} round{'s' if point.rounds != 1 else ''}"


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'s' if len(things) != 1 else ''}"


def _options(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m perf.report", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--history", type=Path, default=FOLDER, help="the folder with a JSON file a run")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the page to write (default: %(default)s)")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
