"""A run of the checks as JUnit XML, as CI systems read it."""

from core.checks.reports.report import Report
from core.contract.junit import junit


def render(report: Report) -> bytes:
    """The document, each check with its time. Known deviations and what did not apply are skipped cases."""
    told = {"url": report.url, "deployment": report.deployment, "profile": report.profile, "seed": str(report.seed)}
    return junit("contract", report.results, sum(report.seconds), seconds=report.seconds, about=told)
