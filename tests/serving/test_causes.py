"""Failures and refusals are told by their cause, in records and beside them, and never with a value of a request."""

import json

import pytest
from serving_fakes import KEY, ROW, Client, EndpointFiles
from waiting import wait_until

from core.contract.samples import body
from core.local.records import disagreement, exceptions, refusals
from core.serving import causes
from core.serving.causes import Causes

SECRET = "4012888888881881"


def wrong():
    raise ValueError(f"could not convert {SECRET}")


def wrong_elsewhere():
    raise ValueError(f"could not convert {SECRET}")


def fail(client, how, request_id):
    try:
        how()
    except ValueError as e:
        client.loader.made["one"].failures.append(e)
    assert client.score(headers={"x-request-id": request_id}).status_code == 424


def found(files, count, **asked):
    """All groups of failures, once so many requests are recorded."""
    wait_until(lambda: len(files.records()) == count, 10)
    return exceptions.exceptions(files.telemetry, files.telemetry.parent / "exceptions", 0, 9e9, **asked)


def test_failures_are_grouped_by_the_line_that_raised_with_one_traceback_for_all(client, files):
    for number in range(3):
        fail(client, wrong, f"first-{number}")
    fail(client, wrong_elsewhere, "second")
    often, once = found(files, 4)
    assert (often.kind, often.count, often.deployments) == ("ValueError", 3, ("v1",))
    assert often.request_ids == ("first-2", "first-1", "first-0")
    assert often.first <= often.last
    assert often.message == "The model failed on this request"
    assert often.where.endswith(" in wrong")
    assert once.where.endswith(" in wrong_elsewhere")
    assert 'raise ValueError(f"could not convert {SECRET}")' in often.traceback
    assert "serving/deployment.py" in often.traceback
    kept = list((files.telemetry.parent / "exceptions").iterdir())
    assert len(kept) == 2
    assert not any(SECRET.encode() in file.read_bytes() for file in [*kept, *files.telemetry.iterdir()])


def test_a_failure_of_which_no_traceback_is_kept_is_told_by_its_name(client, files):
    fail(client, wrong, "one")
    found(files, 1)
    for file in (files.telemetry.parent / "exceptions").iterdir():
        file.write_bytes(b"torn")
    (group,) = found(files, 1)
    assert (group.kind, group.where, group.traceback, group.count) == ("ModelFailed", "", "", 1)


def test_a_worker_tells_of_a_cause_once_a_day_and_of_no_more_than_it_may(monkeypatch):
    monkeypatch.setattr(causes, "CAUSES_MAX", 2)
    now, told = [0.0], []
    known = Causes(told.append, lambda: now[0])
    errors = []
    for kind in (ValueError, KeyError, TypeError):
        try:
            raise kind
        except kind as e:
            errors.append(e)
    keys = [known.key_of(error) for error in [*errors, *errors[:2]]]
    assert keys == [*keys[:2], "", *keys[:2]]
    assert len(told) == 2
    now[0] = causes.TOLD_FOR_S + 1
    assert known.key_of(errors[2])
    assert [cause.kind for cause in told] == ["ValueError", "KeyError", "TypeError"]


def refused(client, files, bodies, **limits):
    client.limit(**limits)
    before = len(files.records())
    for content in bodies:
        assert client.score(content).status_code in (400, 401, 413)
    wait_until(lambda: len(files.records()) == before + len(bodies), 10)
    return {(r.reason, r.column): (r.count, r.example) for r in refusals.refusals(files.telemetry, 0, 9e9)}


BODIES = [
    body([{**ROW, "colour": "mauve"}, {**ROW, "colour": "mauve"}, {**ROW, "rate": "much"}]),
    body([{**ROW, "count": None}]),
    body([{**ROW, "count": 2**63}]),
    body([{**ROW, "Count": 1}]),
    b"{",
    b"{}",
    body([ROW] * 4),
]
EXPECTED = {
    ("unseen_category", "colour"): 1,
    ("wrong_type", "rate"): 1,
    ("required", "count"): 1,
    ("out_of_range", "count"): 1,
    ("unknown_column", ""): 1,
    ("not_json", ""): 1,
    ("wrong_shape", ""): 1,
    ("payload_too_large", ""): 1,
}


def test_refusals_are_counted_by_rule_and_column_without_any_value(client, files):
    counts = refused(client, files, BODIES, max_rows=3)
    assert {key: count for key, (count, _) in counts.items()} == EXPECTED
    assert not any(example for _, example in counts.values())
    assert b"mauve" not in b"".join(file.read_bytes() for file in files.telemetry.iterdir())


def test_a_category_that_is_not_known_is_told_where_inputs_are_kept(client, files):
    counts = refused(client, files, BODIES[:4], collect_model_data=True)
    assert counts["unseen_category", "colour"] == (1, "mauve")
    assert counts["unknown_column", ""] == (1, "Count")
    assert counts["wrong_type", "rate"] == (1, "")
    counts = refused(client, files, BODIES[:1] * 2, collect_model_data=True, masked_columns=["colour"])
    assert counts["unseen_category", "colour"] == (3, "mauve")


def test_a_request_counts_once_for_each_rule_that_it_broke(client, files):
    many = body([{**ROW, **{f"odd {number}": 1 for number in range(9)}}])
    counts = refused(client, files, [many], collect_model_data=True)
    assert {key: count for key, (count, _) in counts.items()} == {("unknown_column", ""): 1}


def test_other_refusals_go_by_their_name(client, files):
    assert client.score(key="wrong").status_code == 401
    wait_until(lambda: len(files.records()) == 1, 10)
    (one,) = refusals.refusals(files.telemetry, 0, 9e9)
    assert (one.reason, one.column, one.count) == ("key_refused", "", 1)


def test_a_mirrored_answer_is_compared_with_the_one_that_the_client_got(client, files):
    client.change(
        deployments={"v1": EndpointFiles.deployment("one"), "v2": EndpointFiles.deployment("two", 2)}, mirror={"v2": 50}
    )
    two = client.loader.made["two"]
    plain = two.probabilities
    two.probabilities = lambda columns: 1 - plain(columns)  # it says the contrary
    assert client.score(body([{**ROW, "count": count} for count in (0, 5, 9)])).status_code == 200
    wait_until(lambda: len(files.records()) == 2, 10)
    (told,) = disagreement.disagreement(files.telemetry, 0, 9e9)
    assert (told.live, told.mirrored, told.requests, told.rows, told.different_rows) == ("v1", "v2", 1, 3, 2)
    assert told.mean_difference == pytest.approx((1.0 + 0.0 + 0.8) / 3)
    assert told.max_difference == pytest.approx(1.0)


def test_what_is_logged_has_no_example(tmp_path, capfd):
    files = EndpointFiles(tmp_path)
    client = Client(files, log_fd=2)
    try:
        refused(client, files, BODIES[:1], collect_model_data=True)
    finally:
        client.close()
    logged = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["reasons"] for line in logged if "reasons" in line] == ["unseen_category\tcolour\nwrong_type\trate"]
    assert KEY not in str(logged)
