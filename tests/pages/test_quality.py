"""Quality: what was proven of each deployment, how to see it again, and who let requests through without proof."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import by_label, text

from core.domain.endpoint import GateBudget, GateState
from core.domain.errors import SpecInvalid
from core.domain.job import JobKind, JobState
from core.domain.proof import CheckResult, GateProgress
from core.ui.kit.gates import parts_now
from core.ui.quality import history

PARITY = CheckResult("parity", "parity", True, "500 rows", "curl parity", about="The same numbers as in training.")


def with_deployment(bank, **changes):
    """The story's endpoint with one more deployment `v4`, which has no traffic unless told."""
    endpoint, traffic = bank.endpoints[0], changes.pop("traffic", {"v3": 100})
    more = replace(endpoint.deployments[0], **{"name": "v4", "gate": GateState.FAILED} | changes)
    bank.endpoints = [replace(endpoint, deployments=(*endpoint.deployments, more), traffic=traffic)]


def running(bank, *judged):
    """A gate of `v3` that runs and has judged this much."""
    job = replace(
        bank.workspace.proofs.run_gate("bank-marketing", "v3"),
        state=JobState.RUNNING,
        started_at=bank.jobs[0].created_at,
    )
    bank.jobs[0] = job
    bank.judged[job.id] = list(judged)
    return job


def test_a_failed_check_shows_its_evidence_and_a_call_that_reproduces_it(visit, bank):
    app = visit("quality", report="g-1")

    assert "Failed:** 1 of 9 checks failed: Missing column is refused" in app.error[0].value
    assert "expected 400, got 200 for a row without 'age'" in text(app)
    assert any("curl" in code.value and "$SLIPWAY_KEY" in code.value for code in app.code)


def test_a_gate_is_asked_for_and_followed(visit, bank):
    app = visit("quality")

    by_label(app.button, "Run the gate").click().run()

    assert bank.called("proofs.run_gate") == [("bank-marketing", "v3")]
    assert bank.jobs[0].kind is JobKind.GATE
    assert "Gate of bank-marketing / v3" in text(app)


def test_a_gate_that_could_not_run_says_why(visit, bank):
    app = visit("quality")
    by_label(app.button, "Run the gate").click().run()
    bank.jobs[0] = replace(
        bank.jobs[0], state=JobState.FAILED, message="The candidate did not start", hint="See its log"
    )

    app.run()

    assert "The candidate did not start" in app.error[0].value
    assert "See its log" in app.error[0].value


def test_a_red_gate_says_that_no_requests_come_and_how_to_override_it(visit, bank):
    with_deployment(bank)

    app = visit("quality")

    assert "It gets no traffic" in text(app)
    assert 'python -m core endpoint set-traffic bank-marketing v4=100 --force-by "YOUR NAME"' in text(app)


def test_whoever_overrode_a_red_gate_stands_beside_it(visit, bank):
    with_deployment(bank, forced_by="Ada", traffic={"v3": 90, "v4": 10})

    assert "It gets 10 % of traffic without a passed gate: forced by **Ada**." in text(visit("quality"))


def test_an_override_stays_known_when_the_gate_has_passed_since(visit, bank):
    with_deployment(bank, forced_by="Ada", gate=GateState.PASSED, traffic={"v4": 100})
    bank.gates.insert(0, replace(bank.gates[0], id="g-4", deployment="v4"))

    app = visit("quality")

    assert "**Ada** once gave it traffic without a passed gate; its gate has passed since" in text(app)
    assert "How to override" not in str([e.label for e in app.expander])
    assert "Live and proven" in text(visit("deploy"))


def test_a_proven_deployment_needs_no_override(visit, bank):
    app = visit("quality")

    assert "**Passed:** all 9 applicable checks passed." in text(app)
    assert [e.label for e in app.expander if "override" in e.label] == []


def test_a_deployment_that_was_never_gated_says_so(visit, bank):
    with_deployment(bank, gate=GateState.NONE)

    assert "No gate has run for it yet" in text(visit("quality"))


def test_the_command_of_each_check_is_shown_when_asked_for(visit, bank):
    bank.gates[0] = replace(bank.gates[0], checks=(PARITY,))
    app = visit("quality")
    assert "curl parity" not in text(app)

    by_label(app.toggle, "Show the command of each check").set_value(True).run()

    assert "curl parity" in [code.value for code in app.code]
    assert "python -m core gate bank-marketing --deployment v3 --junit gate.xml" in text(app)


def test_violations_come_before_what_holds(visit, bank):
    app = visit("quality", report="g-1")

    part = next(e for e in app.expander if "Semantics" in e.label)
    first, second = (m.value for m in part.markdown)
    assert "Missing column is refused" in first
    assert "Order is kept" in second


def test_a_report_can_be_taken_to_continuous_integration(visit, bank):
    (button,) = visit("quality", report="g-1").get("download_button")

    assert button.proto.label == "JUnit report"


def test_a_loosened_budget_names_who_asked_for_it(visit, bank):
    bank.gates[0] = replace(bank.gates[0], budget=GateBudget(p99_ms=120), loosened_by="Grace")

    app = visit("quality")

    assert "**Grace** set this budget" in text(app)
    assert "p99 at most 120 ms" in text(app)


def test_a_budget_of_ones_own_goes_along_with_the_name(visit, bank):
    app = visit("quality")
    by_label(app.number_input, "p99 at most (ms)").set_value(80.0)
    by_label(app.text_input, "Your name, for a looser budget").set_value("Grace ")

    by_label(app.button, "Run the gate").click().run()

    assert bank.kwargs("proofs.run_gate") == [{"depth": "default", "budget": GateBudget(p99_ms=80.0), "by": "Grace"}]


def test_a_looser_budget_without_a_name_is_refused_in_words(visit, bank):
    bank.failures["proofs.run_gate"].append(SpecInvalid("A looser budget needs a name", hint="Say who you are"))
    app = visit("quality")

    by_label(app.button, "Run the gate").click().run()

    assert "A looser budget needs a name" in app.error[0].value


def test_a_running_gate_shows_how_far_it_is_and_what_it_has_found(visit, bank):
    red = CheckResult("order", "semantic", False, "row 3 moved", "curl order", about="Rows keep their order.")
    running(bank, PARITY, red)

    app = visit("quality")

    assert "2 of about 10 checks" in app.get("progress")[0].proto.text
    assert "Rows keep their order" in text(app)
    assert "curl order" in text(app)


def test_a_running_gate_can_be_stopped(visit, bank):
    job = running(bank, PARITY)
    app = visit("quality")

    by_label(app.button, "Stop").click().run()

    assert bank.called("jobs.cancel") == [(job.id,)]


def test_the_report_of_a_gate_that_has_just_ended_is_chosen_by_itself(visit, bank):
    app = visit("quality")
    ended = replace(bank.workspace.proofs.run_gate("bank-marketing", "v3"), state=JobState.SUCCEEDED)
    bank.jobs[0] = ended
    bank.gates.insert(0, replace(bank.gates[1], id="g-3", deployment="v3"))

    app.run()

    assert by_label(app.selectbox, "Report").value == "g-3"
    assert "Failed:**" in app.error[0].value


def test_earlier_gates_stand_in_a_table(visit, bank):
    table = next(t.value for t in visit("quality").dataframe if "Verdict" in t.value)

    assert table[["Deployment", "Verdict", "Passed", "Failed"]].values.tolist() == [
        ["v3", "Passed", 9, ""],
        ["v2", "Failed", 8, "Missing column is refused"],
    ]


def test_a_click_on_a_gate_opens_its_report(bank, monkeypatch):
    clicked = SimpleNamespace(selection={"rows": [], "cells": [(1, "Verdict")]})
    session = {history.TABLE: clicked}
    monkeypatch.setattr(history.st, "session_state", session)

    history._open(bank.gates)

    assert "g-1" in session.values()


def test_reports_are_read_once_until_one_more_gate_has_ended(visit, bank):
    app = visit("quality")
    read = len([call for call in bank.called("proofs.gate_reports") if call == ("bank-marketing",)])
    app.run()
    app.run()
    assert len([call for call in bank.called("proofs.gate_reports") if call == ("bank-marketing",)]) == read


def check(part, passed=True):
    return CheckResult(part, part, passed, "")


WAITING, RUNNING, PASSED, FAILED = "Waiting", "Running", "Passed", "Failed"
NOT = "Not applicable"


@pytest.mark.parametrize(
    ("judged", "over", "labels"),
    [
        ((), (), [RUNNING, WAITING, WAITING, WAITING, WAITING, WAITING]),
        ((check("parity"),), (), [RUNNING, WAITING, WAITING, WAITING, WAITING, WAITING]),
        ((check("parity"),), ("parity",), [PASSED, RUNNING, WAITING, WAITING, WAITING, WAITING]),
        ((check("contract"), check("wire")), ("parity",), [NOT, RUNNING, WAITING, RUNNING, WAITING, WAITING]),
        ((check("contract", False),), ("parity",), [NOT, FAILED, WAITING, WAITING, WAITING, WAITING]),
        (
            (check("parity"), check("contract"), check("semantic"), check("wire", None)),
            ("parity", "contract", "semantic", "wire"),
            [PASSED, PASSED, PASSED, NOT, RUNNING, WAITING],
        ),
    ],
)
def test_each_part_of_a_running_gate_waits_runs_or_has_come_out(judged, over, labels):
    assert [word.label for word in parts_now(GateProgress(judged, over), started=True).values()] == labels


def test_nothing_runs_while_the_gate_waits_for_its_turn():
    assert {word.label for word in parts_now(GateProgress(), started=False).values()} == {WAITING}


ORDER = ("contract", "semantic", "wire")
LANDING = st.lists(st.builds(check, st.sampled_from(ORDER), st.sampled_from([True, True, None, False])), max_size=12)


@settings(max_examples=60, deadline=None)
@given(checks=LANDING, shadowed=st.booleans())
def test_no_part_of_a_gate_ever_goes_back(checks, shadowed):
    """Checks of the middle parts land in any order: those that met one cause are told at the end."""
    told = [check("parity"), ("parity",), *checks, ORDER, check("performance"), ("performance",)]
    told += [check("shadow", True if shadowed else None), ("shadow",)]
    rank = {WAITING: 0, RUNNING: 1}
    before = None
    for seen in range(len(told) + 1):
        judged = tuple(item for item in told[:seen] if isinstance(item, CheckResult))
        over = tuple(part for item in told[:seen] if isinstance(item, tuple) for part in item)
        now = [word.label for word in parts_now(GateProgress(judged, over), started=True).values()]
        moved = [(was, is_so) for was, is_so in zip(before or now, now, strict=True) if was != is_so]
        assert all(rank.get(was, 2) < rank.get(is_so, 2) for was, is_so in moved)
        before = now
    assert not {WAITING, RUNNING} & set(before)
