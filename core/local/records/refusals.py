"""Why requests were refused, counted by the rule that they broke and the column that it is of."""

from pathlib import Path

from core.domain.monitoring import Origin, Refusal
from core.local.records import requests
from core.local.records.requests import CLIENT_ERROR, LIVE, Question, sent_by

CLIENT_GONE = 499
"""Was not refused: it left."""
NAMED = r"lower(regexp_replace(problem, '([a-z])([A-Z])', '\1_\2', 'g'))"
"""The code of a refusal by its error's name, where the server of an earlier Slipway told no more."""


def refusals(folder: Path, since: float, until: float, *, origin: Origin | None = Origin.CLIENT) -> tuple[Refusal, ...]:
    """Of [since, until), the most frequent first. A request that broke several rules counts for each of them."""
    refused = f"{LIVE} AND {CLIENT_ERROR} AND status != {CLIENT_GONE} AND {sent_by(origin)}"
    told = f"coalesce(nullif(reasons, ''), {NAMED})"
    asked = f"""
    WITH lines AS (SELECT "at", unnest(string_split({told}, chr(10))) AS line FROM requests WHERE {refused}),
    parts AS (SELECT "at", string_split(line, chr(9)) AS part FROM lines)
    SELECT part[1], coalesce(part[2], ''), count(*), max_by(part[3], "at") FILTER (part[3] != ''), max("at")
    FROM parts WHERE part[1] != '' GROUP BY ALL ORDER BY 3 DESC, 1, 2"""

    def answer(ask: Question) -> tuple[Refusal, ...]:
        rows = ask.rows(asked)
        return tuple(Refusal(code, column, count, example or "", last) for code, column, count, example, last in rows)

    return requests.ask(folder, since, until, answer)
