"""Gate reports for people: the verdict, every check in plain words with its evidence and its command, the history."""

from collections.abc import Sequence

import streamlit as st

from core.contract.junit import junit
from core.domain.endpoint import GateBudget
from core.domain.proof import CheckResult, GateReport, LoadReport
from core.ui.kit import charts, words
from core.ui.kit.words import Word
from core.ui.shell import choices, navigation
from core.ui.shell.markup import literal
from core.ui.shell.state import state

PARTS = {
    "parity": ("Parity", "The server gives the same numbers as the training process did."),
    "contract": ("Contract", "The server does what its published document says, for requests made to break it."),
    "semantic": ("Meaning", "Rows keep their order, answers do not depend on their neighbours, nonsense is refused."),
    "wire": ("Wire", "Keys, sizes, encodings and half-sent requests are handled as they must be."),
    "performance": ("Performance", "It answers fast enough, often enough, for its budget."),
    "shadow": ("Shadow", "Beside the live deployment, on the same requests, its answers are compared."),
}
"""Part of a gate -> its name, and what it proves."""

DEPTHS = {"default": "Usual (about half a minute)", "full": "Thorough (several minutes)"}
OUTCOMES = {
    "red": Word("Violated", "red", "cancel"),
    "orange": Word("No verdict", "orange", "help"),
    "green": Word("Holds", "green", "check_circle"),
    "gray": Word("Does not apply", "gray", "remove_circle_outline"),
}
"""How a check came out, worst first."""
ICONS = {"red": "gpp_bad", "orange": "gpp_maybe", "green": "verified"}


def choose(reports: Sequence[GateReport], now: float) -> GateReport:
    """The report that the visitor or the address chooses; one that has just come is chosen by itself."""
    newest = reports[0].id
    if state.newest_report not in ("", newest):
        choices.put("report", newest)
    state.newest_report = newest
    picked = choices.choose("Report", {r.id: _line(r, now) for r in reports}, key="report")
    return next(r for r in reports if r.id == picked)


def _line(report: GateReport, now: float) -> str:
    outcome = verdict(report)[1].lower()
    return f"{report.deployment}, model {report.model} · {outcome} · {words.moment(report.created_at, now)}"


def verdict(report: GateReport) -> tuple[str, str]:
    """A report's outcome: a colour and its word."""
    if report.failed:
        return "red", "Failed"
    return ("orange", "No verdict") if report.undecided else ("green", "Passed")


def show(report: GateReport, now: float) -> None:
    """One gate: its verdict in a sentence, then part by part every check with its evidence."""
    color = verdict(report)[0]
    box = {"red": st.error, "orange": st.warning, "green": st.success}[color]
    box(sentence(report), icon=f":material/{ICONS[color]}:")
    st.caption(_facts(report, now))
    if report.loosened_by:
        st.markdown(
            f":orange[:material/timer:] **{literal(report.loosened_by)}** asked for this budget, which is "
            "looser than the deployment's own."
        )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        commands = st.toggle("Show how to repeat each check", key="quality.commands")
        _download(report)
    for part in parts_of(report.checks):
        _part(part, [c for c in report.checks if c.part == part], commands)
    if commands:
        _again(report)


def sentence(report: GateReport) -> str:
    """The verdict as a sentence."""
    judged = [c for c in report.checks if c.passed is not None]
    if report.failed:
        violated = "; ".join(plainly(c) for c in report.failed[:3])
        more = f"; and {len(report.failed) - 3} more" if len(report.failed) > 3 else ""
        return f"**Failed:** {len(report.failed)} of {words.plural(len(judged), 'check')} violated: {violated}{more}."
    if report.undecided:
        return f"**No verdict:** {words.plural(len(report.undecided), 'check')} could not be judged."
    return f"**Passed:** all {words.plural(len(judged), 'check')} that apply hold."


def _facts(report: GateReport, now: float) -> str:
    return (
        f"Deployment {report.deployment} of {report.endpoint}, model {report.model} · "
        f"{'thorough' if report.depth == 'full' else 'usual'} depth · took {words.lasting(report.duration_s)} · "
        f"{words.ago(report.created_at, now)} · budget: {budget(report.budget)}"
    )


def budget(asked: GateBudget) -> str:
    """What the performance part asks for, in words."""
    return (
        f"99 of 100 answers within {words.milliseconds(asked.p99_ms)}, at least {words.count(asked.requests_per_s)} "
        f"requests/s, {words.plural(asked.rows, 'row')} each from {words.plural(asked.concurrency, 'client')} at once"
    )


def _download(report: GateReport) -> None:
    name = f"{report.endpoint}.{report.deployment}"
    st.download_button(
        "JUnit report",
        lambda: junit(name, report.checks, report.duration_s),
        file_name=f"gate-{name}.xml",
        mime="application/xml",
        icon=":material/download:",
        key="quality.junit",
        on_click="ignore",
        help="What a continuous integration server reads. `--junit FILE` writes the same.",
    )


def _again(report: GateReport) -> None:
    st.markdown("**All of it again**, from a shell; it ends with 0 when the gate passes and with 1 when it does not:")
    st.code(command(report.endpoint, report.deployment, report.depth), language="bash", wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Commands read the endpoint's key from `SLIPWAY_KEY`.", width="content")
        navigation.link("Deploy", "The keys", endpoint=report.endpoint, use="Keys")


def command(endpoint: str, deployment: str, depth: str = "default") -> str:
    """The command that runs a gate as this page does."""
    deep = " --depth full" if depth == "full" else ""
    return f"python -m core gate {endpoint} --deployment {deployment}{deep} --junit gate.xml"


def parts_of(checks: Sequence[CheckResult]) -> list[str]:
    """The parts that some checks belong to, in the order in which a gate goes through them."""
    return sorted({c.part for c in checks}, key=lambda p: list(PARTS).index(p) if p in PARTS else len(PARTS))


def title(part: str) -> str:
    """What a part is called."""
    return PARTS.get(part, (words.identifier(part), ""))[0]


def _part(part: str, checks: Sequence[CheckResult], commands: bool) -> None:
    """One part of a gate, closed while there is nothing to worry about in it."""
    word, proves = worst(checks), PARTS.get(part, ("", ""))[1]
    applying = [c for c in checks if c.passed is not None or c.no_verdict]
    held = f"{sum(c.passed is True for c in checks)} of {len(applying)}" if applying else "does not apply"
    label = f":{word.color}[{word.icon_code}] **{title(part)}** {held} :gray[· {proves}]"
    with st.expander(label, expanded=word.color in ("red", "orange")):
        for check in sorted(checks, key=lambda c: list(OUTCOMES.values()).index(outcome(c))):
            line(check, commands)


def worst(checks: Sequence[CheckResult]) -> Word:
    """The worst outcome among some checks."""
    outcomes = [outcome(c).color for c in checks]
    return next(word for color, word in OUTCOMES.items() if color in outcomes)


def line(check: CheckResult, commands: bool = False) -> None:
    """One check: what should hold, what was seen, and the command that shows it, always where it does not hold."""
    word = outcome(check)
    st.markdown(f":{word.color}[{word.icon_code}] {plainly(check)}  \n:gray[:small[{literal(check.evidence)}]]")
    if check.curl and (commands or check.passed is False):
        st.code(check.curl, language="bash", wrap_lines=True)


def plainly(check: CheckResult) -> str:
    """What a check asks for, in plain words."""
    return check.about.rstrip(".") or words.identifier(check.name)


def outcome(check: CheckResult) -> Word:
    """How a check came out."""
    if check.no_verdict:
        return OUTCOMES["orange"]
    return OUTCOMES["gray" if check.passed is None else "green" if check.passed else "red"]


def history(reports: Sequence[GateReport], now: float) -> None:
    """Every gate of an endpoint that is kept, newest first, and how they went."""
    st.subheader("How earlier gates went", anchor=False)
    charts.show(charts.verdicts(reports), key="quality.history", alt="Checks passed and failed in each gate")
    st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Deployment": [r.deployment for r in reports],
            "Model": [r.model for r in reports],
            "Verdict": [verdict(r)[1] for r in reports],
            "Hold": [sum(c.passed is True for c in r.checks) for r in reports],
            "Depth": ["thorough" if r.depth == "full" else "usual" for r in reports],
            "Took": [words.lasting(r.duration_s) for r in reports],
            "Violated": ["; ".join(plainly(c) for c in r.failed) for r in reports],
        },
        hide_index=True,
        key="quality.gates",
    )


def loads(reports: Sequence[LoadReport], now: float) -> None:
    """Load tests, newest first."""
    if not reports:
        st.caption("No load test was run. `python -m core loadtest URL` runs one against any endpoint.")
        return
    st.dataframe(
        {
            "At": [words.moment(r.created_at, now) for r in reports],
            "Requests/s": [r.requests_per_s for r in reports],
            "p50": [words.milliseconds(r.p50_ms) for r in reports],
            "p95": [words.milliseconds(r.p95_ms) for r in reports],
            "p99": [words.milliseconds(r.p99_ms) for r in reports],
            "Failed": [f"{r.failed:,} of {r.requests:,}" for r in reports],
            "Clients": [r.concurrency for r in reports],
            "Rows each": [r.rows for r in reports],
            "Address": [r.url for r in reports],
        },
        hide_index=True,
        key="quality.loads",
        column_config={"Requests/s": st.column_config.NumberColumn(format="%,.0f")},
    )
