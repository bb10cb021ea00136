"""Lineage: what a run has made or used leads back to it, on whatever page it is shown."""

import pytest
from bank_story import AUTOML_ID
from reading import text

from core.domain.pipeline import ValueType
from core.domain.run import Artifact

SHOWN = [
    ({"page": "explore"}, Artifact(ValueType.DATA, "bankmarketing-train:1"), "Made by"),
    ({"page": "leaderboard", "job": AUTOML_ID}, Artifact(ValueType.JOB, AUTOML_ID), "Started by"),
    ({"page": "deploy", "use": "Details"}, Artifact(ValueType.DEPLOYMENT, "bank-marketing/v3"), "v3 deployed by"),
    ({"page": "deploy", "use": "Details"}, Artifact(ValueType.MODEL, "bank-marketing:3"), "registered by"),
    ({"page": "quality"}, Artifact(ValueType.REPORT, "{newest report}"), "Made by"),
]


def runs_linked(app):
    """The links to runs: their labels, and where they go."""
    found = {link.proto.label: f"{link.proto.page}?{link.proto.query_string}" for link in app.get("page_link")}
    return {label: way for label, way in found.items() if way.startswith("pipelines?run=")}


@pytest.mark.parametrize(("view", "artifact", "told"), SHOWN, ids=lambda value: getattr(value, "type", ""))
def test_what_a_run_made_leads_to_the_run(visit, bank, view, artifact, told):
    if artifact.type is ValueType.REPORT:
        artifact = Artifact(artifact.type, bank.gates[0].id)
    maker = bank.runs[1]
    bank.lineage[artifact] = {maker.id: True}

    app = visit(**view)

    assert not app.exception
    assert told in text(app)
    assert runs_linked(app) == {f"Run {maker.number} of {maker.pipeline}": f"pipelines?run={maker.id}"}


def test_a_table_tells_who_made_it_and_who_has_used_it(visit, bank):
    user, maker = bank.runs
    bank.lineage[Artifact(ValueType.DATA, "bankmarketing-train:1")] = {user.id: False, maker.id: True}

    shown = text(visit("explore"))

    assert shown.index("Made by") < shown.index("Used by")


@pytest.mark.parametrize("page", ["explore", "leaderboard", "quality"])
def test_nothing_is_said_where_no_run_has_to_do_with_it(visit, bank, page):
    shown = text(visit(page))

    assert "Made by" not in shown
    assert "Started by" not in shown
