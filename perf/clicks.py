"""How long a click takes in a browser, until what it asks for is drawn: `python -m perf.clicks --base REV`.

Chromium clicks through a real app of each revision over a workspace with tables, trainings, a gated endpoint and its
requests; the revisions take turns in one run. The clock runs in the page, from the click itself until the script has
ended and nothing on the page has changed for a while.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

QUIET_MS = 250
"""A page on which nothing has changed for so long, with the script at rest, is drawn."""
PATIENCE_S = 20.0
WATCHED_S = 8.0
ROUNDS = 9
CLOCK = (Path(__file__).parent / "clicks.js").read_text("utf-8")
OPENED = "[data-testid=stApp][data-test-script-state=notRunning]"

MENU = ("Home", "Explore", "Leaderboard", "Deploy", "Monitor", "Pipelines", "Quality")
DROPDOWNS = (
    ("explore", "table", "Table"),
    ("explore", "target", "Target"),
    ("explore", "column", "Column"),
    ("leaderboard", "training job", "Training job"),
    ("leaderboard", "metric", "Metric"),
    ("deploy", "endpoint", "Endpoint"),
    ("monitor", "sent by", "Sent by"),
    ("monitor", "endpoint", "Endpoint"),
)
"""The page, what is chosen, and the label of the list."""
TABS = {
    "deploy": ("Test", "Details", "Batch", "Consume", "Swagger", "Keys", "Logs", "Load test"),
    "explore": ("Columns", "Preview"),
}


@dataclass
class App:
    """One revision's app, and a visitor in it."""

    name: str
    url: str
    server: psutil.Process
    page: Any
    took_ms: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu_pct: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def open(self, path: str) -> None:
        """Go to an address, until it is drawn; not measured."""
        self.page.goto(f"{self.url}/{path}")
        self.page.wait_for_selector(OPENED, timeout=1000 * PATIENCE_S)
        self.page.locator("h1").first.wait_for()
        self._clocked(lambda: None)

    def click(self, kind: str, what: str, click: Callable[[], None]) -> None:
        """Measure one click."""
        self.took_ms[kind, what].append(self._clocked(click))

    def _clocked(self, click: Callable[[], None]) -> float:
        self.page.evaluate(CLOCK)
        click()
        return float(self.page.evaluate("quiet => clickClock.drawn(quiet)", QUIET_MS))


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


def choose(app: App) -> None:
    """Another option of every list, and back."""
    for path, what, label in DROPDOWNS:
        app.open(path)
        named = app.page.get_by_test_id("stWidgetLabel").get_by_text(label, exact=True)
        boxes = app.page.get_by_test_id("stSelectbox").filter(has=named)
        shown = [boxes.nth(at) for at in range(boxes.count()) if boxes.nth(at).is_visible()]
        for turn in (1, 0) if shown else ():
            _open_list(app.page, shown[0])
            options = app.page.get_by_role("option")
            if options.count() < 2:
                app.page.keyboard.press("Escape")
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
    def used_s() -> float:
        return float(sum(server.cpu_times()[:2]))

    before, began = used_s(), time.perf_counter()
    time.sleep(WATCHED_S)
    return 100 * (used_s() - before) / (time.perf_counter() - began)


def train(home: Path) -> subprocess.Popen[bytes]:
    """A training that goes on while pages are watched."""
    import living

    table = json.loads(living.command(home, "data", "list", "--json").stdout)["data"][0]["name"]
    line = [sys.executable, "-m", "core", "job", "create", "--data", table, "--timeout-s", "120"]
    return subprocess.Popen(line, cwd=REPOSITORY, env=living.environment(home))


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
        yield App(name, url, psutil.Process(server.pid), page)


@contextmanager
def workspace(given: str, folder: Path) -> Iterator[Path]:
    """The workspace that is given, or one that the quickstart makes, with a second table and a hundred requests."""
    import living

    if given:
        yield Path(given)
        return
    home = folder / "home"
    try:
        made = living.go_live(home)
        living.command(home, "data", "register", "--name", "second", str(REPOSITORY / "tests/docs/churn.csv"))
        living.command(home, "loadtest", made.endpoint, "--duration-s", "3")
        yield home
    finally:
        living.close(home)


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
                app.cpu_pct.clear()
        else:
            print(f"round {number} of {rounds}", file=sys.stderr)


def table(apps: Sequence[App]) -> str:
    """The medians in Markdown: a line for each click, and one for each kind."""
    names = [app.name for app in apps]
    lines = [
        f"| kind | what | {' | '.join(f'{n}, ms' for n in names)} | {' | '.join(f'{n} p90' for n in names)} |",
        "|---|---|" + "---:|" * 2 * len(names),
    ]
    keys = list(dict.fromkeys(key for app in apps for key in app.took_ms))
    for kind in dict.fromkeys(kind for kind, _ in keys):
        whole = [[ms for (k, _), took in app.took_ms.items() if k == kind for ms in took] for app in apps]
        lines.append(_line(kind, "**all**", whole))
        lines += [_line(*key, [app.took_ms.get(key, []) for app in apps]) for key in keys if key[0] == kind]
    for what in dict.fromkeys(what for app in apps for what in app.cpu_pct):
        shares = [f"{statistics.median(app.cpu_pct[what]):.1f} %" for app in apps]
        lines.append(f"| processor | {what} | {' | '.join(shares)} |{' |' * len(apps)}")
    return "\n".join(lines)


def _line(kind: str, what: str, took: Sequence[Sequence[float]]) -> str:
    middle = [f"{statistics.median(ms):,.0f}" if ms else "" for ms in took]
    high = [f"{sorted(ms)[int(0.9 * (len(ms) - 1))]:,.0f}" if ms else "" for ms in took]
    return f"| {kind} | {what} | {' | '.join(middle)} | {' | '.join(high)} |"


KINDS: Mapping[str, Callable[[App], None]] = {"menu": navigate, "tab": switch_tabs, "dropdown": choose, "rest": rest}


def main(words: Sequence[str]) -> int:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m perf.clicks", description=__doc__)
    parser.add_argument("--base", default="", help="a revision to compare with, such as main; none: this one alone")
    parser.add_argument("--home", default="", help="a workspace whose service runs; none: one is made")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", nargs="*", choices=list(KINDS), default=["menu", "tab", "dropdown"])
    parser.add_argument("--training", action="store_true", help="while a training runs")
    options = parser.parse_args(words)
    import browsing

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clicks-")))
        home = stack.enter_context(workspace(options.home, folder))
        browser = stack.enter_context(browsing.open_chromium())
        roots = {"head": REPOSITORY}
        if options.base:
            roots = {"base": stack.enter_context(checked_out(options.base, folder / "base")), **roots}
        apps = [stack.enter_context(visited(n, root, home, folder, browser)) for n, root in roots.items()]
        if options.training:
            training = train(home)
            stack.callback(training.wait)
        measure(apps, options.rounds, [KINDS[kind] for kind in options.only])
        print(table(apps))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
