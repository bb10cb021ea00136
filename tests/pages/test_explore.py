"""Explore: register a table, choose one, read its columns."""

from dataclasses import replace

from reading import by_label, text

from core.domain.data import (
    ColumnKind,
    ColumnProfile,
    ColumnRole,
    DataRef,
    DataSource,
    Note,
    NoteKind,
    Reading,
    TableProfile,
)
from core.domain.errors import Conflict, SourceUnreadable


def opened(visit):
    """Explore with the part that registers a table open."""
    return visit("explore", register="1")


def known(bank, ref):
    """The profile of a table that is going to be registered."""
    names = ("age", "y")
    bank.profiles[ref] = TableProfile(
        3,
        tuple(
            ColumnProfile(n, ColumnKind.INTEGER, ColumnRole.FEATURE, 3, 0, 3, low=1, high=3, typical=2) for n in names
        ),
    )


def test_an_uploaded_file_is_registered_and_its_part_closes(visit, bank):
    known(bank, DataRef("people", 1))
    app = opened(visit)
    assert by_label(app.button, "Register the file").disabled

    app.file_uploader[0].set_value(("people.csv", b"age,y\n1,2\n", "text/csv")).run()
    by_label(app.button, "Register the file").click().run()

    assert [args[:2] for args in bank.called("data.upload")] == [("", "people.csv")]
    assert app.query_params["data"] == "people:1"
    assert "Uploaded file: `people.csv`" in text(app)
    assert not app.session_state["panel.explore.register_part"]


def test_a_first_visitor_registers_a_sample_table_by_one_click(visit, fake):
    known(fake, DataRef("bank-marketing", 1))
    app = visit("explore")

    app.button(key="explore.first.bank-marketing").click().run()

    assert fake.called("data.register") == [("", "bank-marketing")]
    assert app.query_params["data"] == "bank-marketing:1"
    assert not app.exception


def test_a_table_is_deleted_after_a_second_click(visit, bank):
    bank.assets.append(replace(bank.assets[0], version=0 + bank.assets[0].version + 1))
    bank.profiles[bank.assets[-1].ref] = bank.profiles[bank.assets[0].ref]
    first = bank.assets[0].ref
    app = visit("explore")

    app.button(key=f"explore.confirm_delete.{first}").click().run()

    assert bank.called("data.delete") == [(first,)]
    assert first not in [a.ref for a in bank.assets]
    now = by_label(app.button, "Delete this version")
    assert now.key != f"explore.confirm_delete.{first}", "a second quick click does not delete what is shown next"


def test_a_table_in_use_is_kept_and_its_users_named(visit, bank):
    bank.failures["data.delete"].append(Conflict("Model 'bank:1' uses this table", hint="Delete it first"))
    app = visit("explore")

    app.button(key=f"explore.confirm_delete.{bank.assets[0].ref}").click().run()

    assert "Model 'bank:1' uses this table" in app.error[0].value


def test_a_registered_table_is_opened_at_once(visit, bank):
    columns = tuple(
        ColumnProfile(name, ColumnKind.INTEGER, ColumnRole.FEATURE, 3, 0, 3, low=1, high=3, mean=2, typical=2)
        for name in ("age", "y")
    )
    bank.profiles[DataRef("mine", 1)] = TableProfile(3, columns)
    app = opened(visit)

    app.text_input(key="explore.source").set_value("/tables/mine.csv.xz")
    by_label(app.button, "Register").click().run()

    assert bank.called("data.register") == [("mine", "/tables/mine.csv.xz")]
    assert by_label(app.selectbox, "Table").value == "mine:1"
    assert "mine:1" in app.query_params["data"], "so that a link, F5 and another tab show it"


def test_a_table_that_cannot_be_read_is_explained(visit, fake):
    fake.failures["data.register"].append(SourceUnreadable("There is no file 'nope.csv'", hint="Check the path"))
    app = opened(visit)

    app.text_input(key="explore.source").set_value("nope.csv")
    by_label(app.button, "Register").click().run()

    assert "There is no file 'nope.csv'" in app.error[0].value
    assert "Check the path" in app.error[0].value


def test_no_table_named_is_refused_before_the_workspace_is_asked(visit, fake):
    app = opened(visit)

    by_label(app.button, "Register").click().run()

    assert "No table was named" in app.error[0].value
    assert fake.called("data.register") == []


def test_the_address_opens_a_column_with_the_targets_rate_in_it(visit, bank):
    app = visit("explore", column="job", target="y")

    assert by_label(app.selectbox, "Column").value == "job"
    assert "How often y is yes" in text(app)
    assert len(app.get("plotly_chart")) == 2


def test_only_columns_with_two_values_can_be_a_target(visit, bank):
    offered = by_label(visit("explore").selectbox, "Target (two values)").options

    assert offered == ["No target", "contact", "y"]


def test_the_preview_shows_the_first_rows(visit, bank):
    app = visit("explore", view="Preview")

    assert list(app.dataframe[0].value.columns)[:2] == ["age", "job"]
    assert len(app.dataframe[0].value) == 20


def test_what_was_done_to_a_table_is_said_and_a_click_reads_it_the_other_way(visit, bank):
    said = Note(NoteKind.SPELLINGS, "'y' has categories: 'Yes' and 'yes'", ("y",), option="merge_spellings")
    bank.assets[0] = replace(bank.assets[0], source=DataSource.FILE, origin="/tables/bank.csv", notes=(said,))
    bank.profiles[DataRef(bank.assets[0].name, 2)] = bank.profiles[bank.assets[0].ref]
    app = visit("explore")
    assert "'Yes' and 'yes'" in text(app)

    by_label(app.button, "Merge them").click().run()

    assert bank.called("data.read_again") == [(bank.assets[1].ref, Reading(merge_spellings=True))]


def with_columns(bank, *columns):
    """The newest table as one of these columns alone."""
    bank.profiles[bank.assets[0].ref] = TableProfile(100, columns)


def test_an_id_opens_only_when_asked_for_and_says_why_it_has_no_chart(visit, bank):
    ident = ColumnProfile("id", ColumnKind.STRING, ColumnRole.ID, 100, 0, 100)
    with_columns(bank, ident, *bank.profiles[bank.assets[0].ref].columns)

    assert by_label(visit("explore").selectbox, "Column").value == "age"
    asked = visit("explore", column="id")
    assert "An identifier" in text(asked)
    assert not asked.get("plotly_chart")


def test_what_was_chosen_stands_in_the_address_and_outlives_another_page(visit, bank):
    app = visit("explore", target="y", column="job", view="Preview")
    app.switch_page("pages/home.py").run()
    app.switch_page("pages/explore.py").run()

    chosen = {key: app.query_params[key] for key in ("data", "target", "view")}
    first = bank.assets[0]
    assert chosen == {"data": f"{first.name}:{first.version}", "target": "y", "view": "Preview"}
    app.segmented_control(key="choice.view").set_value("Columns").run()
    assert app.query_params["column"] == "job"


def test_an_address_that_names_no_column_says_so(visit, bank):
    assert "There is no column **nope** here" in text(visit("explore", column="nope"))


def test_training_is_one_click_away_and_takes_table_and_target_along(visit, bank):
    asset = bank.assets[0]
    (link,) = [e for e in visit("explore", target="y").get("page_link") if "Train" in e.proto.label]

    assert link.proto.label == "Train to predict y"
    assert link.proto.query_string == f"train={asset.name}%3A{asset.version}&target=y"


def test_what_came_of_a_table_is_linked(visit, bank):
    labels = [e.proto.label for e in visit("explore", view="Used by").get("page_link")]

    deployed = [f"{e.name}/{d.name}" for e in bank.endpoints for d in e.deployments]
    assert set(deployed) <= set(labels)
    assert any(label.startswith("Train on ") for label in labels)
    assert any(label.startswith("Deploy ") for label in labels)


def test_a_columns_name_is_no_markup_in_the_links_that_carry_it(visit, bank):
    evil = "![x](http://evil.example/p.png)"
    profile = bank.profiles[bank.assets[0].ref]
    target = profile.column("y")
    bank.profiles[bank.assets[0].ref] = replace(
        profile, columns=tuple(replace(c, name=evil) if c is target else c for c in profile.columns)
    )
    bank.assets[0] = replace(bank.assets[0], columns=tuple(evil if c == "y" else c for c in bank.assets[0].columns))

    app = visit("explore", target=evil)

    (link,) = [e for e in app.get("page_link") if "Train" in e.proto.label]
    assert r"!\[x\](http" in link.proto.label, "an image there would be fetched by whoever looks at the table"
    assert not app.exception
