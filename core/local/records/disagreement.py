"""How mirrored deployments' answers differ from those that clients got: the servers compare, here it is added up."""

from pathlib import Path

from core.domain.monitoring import Disagreement
from core.local.records import requests
from core.local.records.requests import Question

ASKED = """SELECT live, deployment, count(*), sum("rows")::BIGINT, sum(different_rows)::BIGINT,
coalesce(sum(difference_sum) / nullif(sum("rows"), 0), 0), max(difference_max)
FROM requests WHERE mirrored AND live != '' AND difference_sum IS NOT NULL GROUP BY ALL ORDER BY ALL"""


def disagreement(folder: Path, since: float, until: float) -> tuple[Disagreement, ...]:
    """Of [since, until), for each pair of deployments, whoever sent the requests."""

    def answer(ask: Question) -> tuple[Disagreement, ...]:
        return tuple(Disagreement(*row) for row in ask.rows(ASKED))

    return requests.ask(folder, since, until, answer)
