"""How long a click takes in a browser, until what it asks for is drawn: `python -m perf.clicks --base REV`.

Chromium clicks through a real app of each revision over a workspace with tables, trainings, a gated endpoint and its
requests, a copy for each; the revisions take turns in one run. The clock runs in the page, from the click itself until
the script has ended and the page has changed for the last time; the quiet that is waited for does not count. Beside it
stands the processor time that a click costs the app's server, which a loaded machine hardly changes.
"""

import argparse
import json
import math
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from perf import homes

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

QUIET_MS = 250
"""A page on which nothing has changed for so long, with the script at rest, is drawn."""
PATIENCE_S = 20.0
WATCHED_S = 8.0
ROUNDS = 9
CLOCK = (Path(__file__).parent / "clicks.js").read_text("utf-8")
BROKEN = "[data-testid=stMain] :is([data-testid=stException], [data-testid=stAlertContentError])"
"""An error that a page draws: what is fast then is not what was asked for."""
OPENED = "[data-testid=stApp][data-test-script-state=notRunning]"

MENU = ("Home", "Explore", "Leaderboard", "Deploy", "Monitor", "Pipelines", "Quality")
DROPDOWNS = (
    ("explore", "table", "Table"),
    ("explore", "target", "Target"),
    ("explore", "column", "Column"),
    ("leaderboard", "training job", "Training job"),
    ("leaderboard", "metric", "Metric"),
    ("monitor", "sent by", "Sent by"),
)
"""The page, what is chosen, and the label of the list, without what stands in parentheses there."""
TABS = {
    "deploy": ("Test", "Traffic", "Batch", "Consume", "Swagger", "Keys", "Logs", "Load test", "Details"),
    "explore": ("Columns", "Preview", "Used by"),
}


@dataclass
class App:
    """One revision's app, and a visitor in it."""

    name: str
    url: str
    server: psutil.Process
    page: Any
    took_ms: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu_ms: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu_pct: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    may_lack: bool = False
    """An older revision need not have every tab and list; what it lacks is named under the table."""
    lacks: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        """Go to an address, until it is drawn; not measured."""
        self.page.goto(f"{self.url}/{path}")
        self.page.wait_for_selector(OPENED, timeout=1000 * PATIENCE_S)
        self.page.locator("h1").first.wait_for()
        self._clocked(lambda: None)
        self._sound(path)

    def click(self, kind: str, what: str, click: Callable[[], None]) -> None:
        """Measure one click."""
        before_s = used_s(self.server)
        took_ms = self._clocked(click)
        self._sound(f"{kind} {what}")
        self.took_ms[kind, what].append(took_ms)
        self.cpu_ms[kind, what].append(1000 * (used_s(self.server) - before_s))

    def missing(self, what: str) -> None:
        """What was to be clicked is not there. Raises LookupError but for a revision that may lack it."""
        if not self.may_lack:
            raise LookupError(f"{self.name} has no {what}")
        self.lacks.add(what)

    def _sound(self, what: str) -> None:
        """Raises RuntimeError where the page shows an error."""
        broken = self.page.locator(BROKEN)
        if broken.count():
            raise RuntimeError(f"{self.name}, {what}: the page shows an error: {broken.first.inner_text()}")

    def _clocked(self, click: Callable[[], None]) -> float:
        self.page.evaluate(CLOCK)
        click()
        return float(self.page.evaluate("quiet => clickClock.drawn(quiet)", QUIET_MS))


def used_s(server: psutil.Process) -> float:
    """The processor time of an app's server so far."""
    return float(sum(server.cpu_times()[:2]))


def navigate(app: App) -> None:
    """Every page, by the menu."""
    app.open("")
    for title in (*MENU[1:], MENU[0]):
        link = app.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True)
        app.click("menu", title, link.click)


def switch_tabs(app: App) -> None:
    """Every tab of Deploy, every view of Explore."""
    for path, titles in TABS.items():
        app.open(path)
        for title in (*titles[1:], titles[0]):
            tab = app.page.get_by_test_id("stButtonGroup").get_by_text(title, exact=True)
            if tab.count():
                app.click("tab", f"{path}, {title}", tab.first.click)
            else:
                app.missing(f"tab {title} on {path}")


def choose(app: App) -> None:
    """Another option of every list, and back."""
    for path, what, label in DROPDOWNS:
        app.open(path)
        named = app.page.get_by_test_id("stWidgetLabel").get_by_text(re.compile(rf"^{label}( \(|$)"))
        boxes = app.page.get_by_test_id("stSelectbox").filter(has=named)
        shown = [boxes.nth(at) for at in range(boxes.count()) if boxes.nth(at).is_visible()]
        if not shown:
            app.missing(f"list {label} on {path}")
            continue
        for turn in (1, 0):
            _open_list(app.page, shown[0])
            options = app.page.get_by_role("option")
            if options.count() < 2:
                app.page.keyboard.press("Escape")
                app.missing(f"second choice under {label} on {path}")
                break
            app.click("dropdown", f"{path}, {what}", options.nth(turn).click)


def _open_list(page: Any, box: Any) -> None:
    box.scroll_into_view_if_needed()
    box.get_by_role("button", name="Open", exact=True).click()
    page.get_by_role("option").first.wait_for()
    page.wait_for_timeout(50)


def rest(app: App) -> None:
    """The processor time of an app whose pages lie open and are not touched."""
    for title in MENU:
        app.open("" if title == MENU[0] else title.lower())
        app.cpu_pct[title].append(_cpu_pct(app.server))


def _cpu_pct(server: psutil.Process) -> float:
    before, began = used_s(server), time.perf_counter()
    time.sleep(WATCHED_S)
    return 100 * (used_s(server) - before) / (time.perf_counter() - began)


def train(root: Path, home: Path) -> subprocess.Popen[bytes]:
    """A training that goes on while pages are watched."""
    import living

    table = json.loads(homes.command(root, home, "data", "list", "--json"))["data"][0]["name"]
    line = [sys.executable, "-m", "core", "job", "create", "--data", table, "--timeout-s", "120"]
    return subprocess.Popen(line, cwd=root, env=living.environment(home))


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """A revision in a folder of its own."""
    git = ["git", "-C", str(REPOSITORY), "worktree"]
    subprocess.run([*git, "add", "--detach", str(folder), revision], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True, capture_output=True)


@contextmanager
def visited(name: str, root: Path, home: Path, folder: Path, browser: Any) -> Iterator[App]:
    """The app of the checkout in `root`, over `home`, with a visitor."""
    import browsing

    with browsing.running_app(home, folder / f"{name}.log", root) as (url, server):
        page = browser.new_page()
        page.set_viewport_size({"width": 1280, "height": 1200})  # a list that would need scrolling closes again
        yield App(name, url, psutil.Process(server.pid), page, may_lack=name == "base")


def measure(apps: Sequence[App], rounds: int, kinds: Sequence[Callable[[App], None]]) -> None:
    """Every click of every kind, the revisions in turn."""
    for number in range(rounds + 1):
        for kind in kinds:
            for app in apps if number % 2 else apps[::-1]:
                app.page.bring_to_front()
                kind(app)
        if number == 0:  # modules are imported and caches filled once
            for app in apps:
                app.took_ms.clear()
                app.cpu_ms.clear()
                app.cpu_pct.clear()
        else:
            print(f"round {number} of {rounds}", file=sys.stderr)


def table(apps: Sequence[App]) -> str:
    """In Markdown, a line for each click, and one for each kind: medians, ninth tenths, and the server's mean."""
    heads = [f"{app.name}{unit}" for unit in (", ms", " p90", " server, ms") for app in apps]
    lines = [f"| kind | what | {' | '.join(heads)} |", "|---|---|" + "---:|" * len(heads)]
    keys = list(dict.fromkeys(key for app in apps for key in app.took_ms))
    for kind in dict.fromkeys(kind for kind, _ in keys):
        ours = [key for key in keys if key[0] == kind]
        everywhere = [key for key in ours if all(key in app.took_ms for app in apps)]  # what all of them have
        lines += [_line(kind, "**all**", apps, everywhere), *(_line(*key, apps, [key]) for key in ours)]
    for what in dict.fromkeys(what for app in apps for what in app.cpu_pct):
        shares = [f"{statistics.median(app.cpu_pct[what]):.1f} %" for app in apps]
        lines.append(f"| processor | {what} | {' | '.join(shares)} |{' |' * 2 * len(apps)}")
    lacking = [f"{app.name} lacks: {', '.join(sorted(app.lacks))}." for app in apps if app.lacks]
    return "\n".join([*lines, *(["", *lacking] if lacking else [])])


def _line(kind: str, what: str, apps: Sequence[App], keys: Sequence[tuple[str, str]]) -> str:
    took = [[ms for key in keys for ms in app.took_ms.get(key, [])] for app in apps]
    spent = [[ms for key in keys for ms in app.cpu_ms.get(key, [])] for app in apps]
    middle = [f"{statistics.median(ms):,.0f}" if ms else "" for ms in took]
    high = [f"{sorted(ms)[math.ceil(0.9 * len(ms)) - 1]:,.0f}" if ms else "" for ms in took]
    server = [f"{statistics.mean(ms):,.0f}" if ms else "" for ms in spent]  # in ticks of 10 ms: a mean tells more
    return f"| {kind} | {what} | {' | '.join([*middle, *high, *server])} |"


KINDS: Mapping[str, Callable[[App], None]] = {"menu": navigate, "tab": switch_tabs, "dropdown": choose, "rest": rest}


def main(words: Sequence[str]) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m perf.clicks", description=__doc__)
    parser.add_argument("--base", default="", help="a revision to compare with, such as main; none: this one alone")
    parser.add_argument("--home", default="", help="a workspace at rest that is copied; none: one is made")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", nargs="*", choices=list(KINDS), default=["menu", "tab", "dropdown"])
    parser.add_argument("--training", action="store_true", help="while a training runs")
    options = parser.parse_args(words)
    import browsing

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clicks-")))
        browser = stack.enter_context(browsing.open_chromium())
        roots = {"head": REPOSITORY}
        if options.base:  # what is not committed is not measured, and may change meanwhile
            revisions = {"base": options.base, "head": "HEAD"}
            roots = {n: stack.enter_context(checked_out(r, folder / n)) for n, r in revisions.items()}
        made = Path(options.home or folder / "made")
        if not options.home:
            homes.make(next(iter(roots.values())), made, REPOSITORY / "tests/docs/churn.csv")
        kept = {n: stack.enter_context(homes.copied(made, folder / f"{n}-home", root)) for n, root in roots.items()}
        apps = [stack.enter_context(visited(n, roots[n], home, folder, browser)) for n, home in kept.items()]
        for name in kept if options.training else ():
            stack.callback(train(roots[name], kept[name]).wait)
        with suppress(KeyboardInterrupt):  # what was measured so far is still told
            measure(apps, options.rounds, [KINDS[kind] for kind in options.only])
        print(table(apps))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
