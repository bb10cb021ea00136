"""A report as one HTML file that asks for nothing else: no script, no font, no request."""

from datetime import UTC, datetime
from html import escape

from core.checks.reports.report import PARTS, TITLES, Report, Verdict, verdict_of
from core.domain.proof import CheckResult

STYLE = """
:root{color-scheme:light dark;--line:#8885;--good:#1a7f37;--bad:#cf222e;--warn:#9a6700}
@media(prefers-color-scheme:dark){:root{--good:#3fb950;--bad:#ff7b72;--warn:#d29922}}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem}h2{font-size:1.2rem;margin:2rem 0 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}
article{border-top:1px solid var(--line);padding:.6rem 0}article p{margin:.1rem 0;overflow-wrap:anywhere}
.word{font-weight:600}.holds{color:var(--good)}.violated{color:var(--bad)}.known,.no{color:var(--warn)}.not{opacity:.7}
.name{opacity:.7;font-size:.85rem}.evidence{font-size:.9rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8882;padding:.6rem;font-size:.8rem;margin:.3rem 0}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The browser itself sees to it that nothing is asked for."""
HEADLINES = {
    Verdict.HOLDS: "It holds: every applicable check passed.",
    Verdict.VIOLATED: "It does not hold: at least one check failed.",
    Verdict.NO_VERDICT: "There is no verdict: some checks could not be completed.",
}


def render(report: Report) -> bytes:
    """The page in UTF-8: verdict, what was tried in plain words, for every violation the curl that shows it again."""
    return _page(report).encode("utf-8", "xmlcharrefreplace")


def _page(report: Report) -> str:
    parts = dict.fromkeys(result.part for result in report.results)
    title = escape(f"Contract of {report.url}")
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title><style>{STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            f'<p><span class="{_class(report.verdict)} word">{HEADLINES[report.verdict]}</span> {report.summary}.</p>',
            _about(report),
            *(_part(report, part) for part in parts),
            "</body></html>\n",
        ]
    )


def _about(report: Report) -> str:
    at = datetime.fromtimestamp(report.created_at, UTC)
    facts = {
        "Deployment": report.deployment or "as traffic decides",
        "Profile": report.profile,
        "Examined": f"{at:%Y-%m-%d %H:%M:%S} UTC, in {sum(report.seconds):.1f} s",
        "Again": report.command,
    }
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{escape(value)}</dd>' for name, value in facts.items())}</dl>"


def _part(report: Report, part: str) -> str:
    results = sorted((r for r in report.results if r.part == part), key=_worst_first)
    applying = len(results) - report.count(Verdict.NOT_APPLICABLE, part)
    title = TITLES.get(part, part.capitalize())
    head = f"<h2>{escape(title)}: {report.count(Verdict.HOLDS, part)} of {applying} hold</h2>"
    return "\n".join([head, f"<p>{escape(PARTS.get(part, ''))}</p>", *map(_check, results)])


def _worst_first(result: CheckResult) -> int:
    order = (Verdict.VIOLATED, Verdict.NO_VERDICT, Verdict.KNOWN, Verdict.HOLDS, Verdict.NOT_APPLICABLE)
    return order.index(verdict_of(result))


def _check(result: CheckResult) -> str:
    verdict = verdict_of(result)
    curl = (
        f"<details open><summary>Reproduce</summary><pre>{escape(result.curl)}</pre></details>" if result.curl else ""
    )
    return (
        f'<article><p><span class="{_class(verdict)} word">{verdict}</span> {escape(result.about)}'
        f' <span class="name">{escape(result.name)}</span></p>'
        f'<p class="evidence">{escape(result.evidence)}</p>{curl}</article>'
    )


def _class(verdict: Verdict) -> str:
    return verdict.split()[0]
