"""What the measuring of clicks says: a median for each click, one for each kind, and revisions beside each other."""

import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from perf import homes
from perf.clicks import App, table


def test_a_copy_of_a_workspace_has_ports_of_its_own(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "slipway.db") as store:
        store.execute("CREATE TABLE endpoints (name TEXT, port INTEGER, pid INTEGER, pid_started REAL)")
        store.execute("CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT)")
        store.execute("INSERT INTO endpoints VALUES ('bank', 1, 2, 3.0)")
        store.execute("INSERT INTO facts VALUES ('service_port', '1')")
    homes._move(tmp_path)
    (port, pid), (service,) = (
        store.execute(q).fetchone() for q in ("SELECT port, pid FROM endpoints", "SELECT value FROM facts")
    )
    assert pid is None
    assert len({port, int(service), 1}) == 3


def test_a_table_has_a_line_for_each_kind_and_each_click() -> None:
    apps = [App(name, "", SimpleNamespace(), None) for name in ("base", "head")]  # type: ignore[arg-type]
    for app, factor in zip(apps, (2.0, 1.0), strict=True):
        app.took_ms["menu", "Home"] += [100 * factor, 300 * factor, 200 * factor]
        app.took_ms["menu", "Quality"] += [400 * factor]
        app.cpu_pct["Home"] += [factor]
        app.cpu_ms["menu", "Home"] += [10 * factor, 20 * factor]
    apps[1].took_ms["menu", "New"] += [1.0]
    lines = table(apps).splitlines()
    assert lines[2] == "| menu | **all** | 500 | 250 | 800 | 400 | 30 | 15 |"
    assert lines[3] == "| menu | Home | 400 | 200 | 600 | 300 | 30 | 15 |"
    assert lines[-1] == "| processor | Home | 2.0 % | 1.0 % | | | | |"


def test_the_ninth_tenth_is_the_first_value_that_nine_of_ten_do_not_exceed() -> None:
    app = App("head", "", SimpleNamespace(), None)  # type: ignore[arg-type]
    app.took_ms["tab", "Keys"] += [float(number) for number in range(1, 11)]
    assert table([app]).splitlines()[3] == "| tab | Keys | 6 | 9 |  |"


def test_what_is_missing_fails_but_for_the_base_which_names_it() -> None:
    base, head = (App(name, "", SimpleNamespace(), None) for name in ("base", "head"))  # type: ignore[arg-type]
    base.may_lack = True
    base.missing("tab Traffic on deploy")
    assert table([base, head]).endswith("base lacks: tab Traffic on deploy.")
    with pytest.raises(LookupError, match="head has no tab Traffic on deploy"):
        head.missing("tab Traffic on deploy")


def test_a_page_that_shows_an_error_is_not_timed() -> None:
    alert = SimpleNamespace(count=lambda: 1, first=SimpleNamespace(inner_text=lambda: "The store is newer"))
    page = SimpleNamespace(locator=lambda _: alert, evaluate=lambda *_: 5.0)
    server = SimpleNamespace(cpu_times=lambda: (1.0, 1.0))
    app = App("head", "", server, page)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="menu Home: the page shows an error: The store is newer"):
        app.click("menu", "Home", lambda: None)
    assert not app.took_ms
