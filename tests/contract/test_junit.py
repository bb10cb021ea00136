"""JUnit reports: what a continuous integration server reads out of them."""

from xml.etree import ElementTree as ET

from core.contract.junit import junit
from core.domain.proof import CheckResult

CURL = 'curl -H "Authorization: Bearer $SLIPWAY_KEY" http://127.0.0.1:1/score'
CHECKS = (
    CheckResult("parity", "parity", True, "500 rows: the largest difference is 0"),
    CheckResult("order_is_kept", "semantic", False, 'row 3 got <0.5> & "0.1"', CURL, about="Rows keep their order."),
    CheckResult("key_order", "semantic", None, "not applicable: one column"),
    CheckResult("hang", "wire", None, "no verdict: nothing listens", no_verdict=True),
)


def read(checks, name="bank/v3"):
    return ET.fromstring(junit(name, checks, 12.34))


def test_every_outcome_is_counted_once_in_all_and_by_part():
    report = read(CHECKS)

    assert report.attrib == {
        "name": "bank/v3", "tests": "4", "failures": "1", "errors": "1", "skipped": "1", "time": "12.340"
    }  # fmt: skip
    assert [(s.get("name"), s.get("tests"), s.get("failures"), s.get("skipped"), s.get("errors")) for s in report] == [
        ("bank/v3.parity", "1", "0", "0", "0"),
        ("bank/v3.semantic", "2", "1", "1", "0"),
        ("bank/v3.wire", "1", "0", "0", "1"),
    ]


def test_a_violation_carries_what_should_hold_what_was_seen_and_how_to_see_it_again():
    failure = read(CHECKS).find(".//testcase[@name='order_is_kept']/failure")

    assert failure.get("message") == 'row 3 got <0.5> & "0.1"'
    assert failure.text == f'Rows keep their order.\nrow 3 got <0.5> & "0.1"\n{CURL}'


def test_a_check_that_holds_keeps_its_evidence():
    assert read(CHECKS).find(".//testcase[@name='parity']/system-out").text == CHECKS[0].evidence


def test_evidence_that_no_xml_can_hold_is_still_a_report():
    sent = "got \x00\x1b[31m \ud800 \ufffe ü \U0001f600 ]]>"

    failure = read([CheckResult("bytes", "wire", False, sent)]).find(".//failure")

    assert failure.get("message") == "got \ufffd\ufffd[31m \ufffd \ufffd ü \U0001f600 ]]>"


def test_no_check_gives_an_empty_report():
    assert len(read(())) == 0


def test_the_same_checks_give_the_same_bytes():
    assert junit("a", CHECKS, 1) == junit("a", CHECKS, 1)
