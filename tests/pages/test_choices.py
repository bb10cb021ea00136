"""What a page shows stands in its address, is remembered, and may be named by a link."""

from fakes import without
from reading import by_label, text

from core.ui.shell import address, cached


def menu(app, page):
    """Go to a page by the menu, whose links carry no parameters."""
    app.query_params.clear()
    return app.switch_page(f"pages/{page}.py").run()


def test_what_is_shown_stands_in_the_address_though_nobody_chose_it(visit, bank):
    app = visit("monitor")

    assert said(app, "endpoint") == "bank-marketing"
    assert said(visit("deploy"), "use") == "Test"


def test_a_choice_survives_the_way_over_another_page(visit, bank):
    app = visit("deploy", warm=True)
    app.segmented_control(key="choice.use").set_value("Keys").run()

    menu(app, "home")
    menu(app, "deploy")

    assert app.segmented_control(key="choice.use").value == "Keys"
    assert said(app, "use") == "Keys"


def test_a_browser_that_misses_the_run_in_which_a_choice_was_set_is_told_by_the_next_one(visit, bank):
    app = visit("deploy", use="Logs", endpoint="bank-marketing").run()

    tabs = app.segmented_control(key="choice.use").proto
    assert [tabs.options[at].content for at in tabs.default] == ["Logs"]
    chosen = by_label(app.selectbox, "Endpoint")
    assert chosen.proto.options[chosen.proto.default] == chosen.value


def test_an_address_that_names_what_does_not_exist_says_so_and_shows_the_default(visit, bank):
    app = visit("leaderboard", job="j-nothing")

    assert "There is no training job **j-nothing** here." in app.warning[0].value
    assert said(app, "job") == by_label(app.selectbox, "Training job").value
    assert "j-nothing" in text(app.run()), "it stands there until something else is chosen"


def test_back_shows_what_the_address_said_then(visit, bank, monkeypatch):
    monkeypatch.setattr(address, "LATE_S", 0.0)
    app = visit("deploy", warm=True)
    app.segmented_control(key="choice.use").set_value("Keys").run()

    app.query_params["use"] = "Logs"
    app.run()

    assert app.segmented_control(key="choice.use").value == "Logs"


def test_a_click_is_not_lost_where_its_tab_had_not_yet_learned_of_the_address(visit, bank):
    app = visit("deploy", warm=True)
    app.segmented_control(key="choice.use").set_value("Keys").run()

    app.query_params["use"] = "Test"
    app.segmented_control(key="choice.use").set_value("Logs").run()

    assert app.segmented_control(key="choice.use").value == "Logs"
    assert said(app, "use") == "Logs"


def test_a_greyed_tab_keeps_its_place_in_the_address(visit, bank):
    bank.workspace = without(bank.whole, "endpoints.keys")
    cached.opened.cache_clear()

    app = visit("deploy", use="Keys")

    assert said(app, "use") == "Keys"
    assert "endpoints.keys" in text(app)


def said(app, key):
    """What the address says."""
    value = app.query_params[key]
    return value if isinstance(value, str) else value[-1]
