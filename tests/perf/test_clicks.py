"""What the measuring of clicks says: a median for each click, one for each kind, and revisions beside each other."""

from types import SimpleNamespace

from perf.clicks import App, table


def test_a_table_has_a_line_for_each_kind_and_each_click() -> None:
    apps = [App(name, "", SimpleNamespace(), None) for name in ("base", "head")]  # type: ignore[arg-type]
    for app, factor in zip(apps, (2.0, 1.0), strict=True):
        app.took_ms["menu", "Home"] += [100 * factor, 300 * factor, 200 * factor]
        app.took_ms["menu", "Quality"] += [400 * factor]
        app.cpu_pct["Home"] += [factor]
    lines = table(apps).splitlines()
    assert lines[2] == "| menu | **all** | 500 | 250 | 600 | 300 |"
    assert lines[3] == "| menu | Home | 400 | 200 | 400 | 200 |"
    assert lines[-1] == "| processor | Home | 2.0 % | 1.0 % | | |"
