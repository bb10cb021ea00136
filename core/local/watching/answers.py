"""What an endpoint answered, row by row, of all kept requests: the table that outcomes are joined with."""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.domain.endpoint import Deployment
from core.domain.errors import SlipwayError
from core.local.context import Context
from core.local.records.inputs import KeptRequest
from core.local.watching.digests import Digests
from core.local.watching.kept import as_text, requests_of, said_of
from core.local.watching.references import References

if TYPE_CHECKING:
    from core.predict.folder import Predictor

SCHEMA = pa.schema(
    [
        ("at", pa.float64()),
        ("request_id", pa.string()),
        ("client_id", pa.string()),
        ("deployment", pa.string()),
        ("row", pa.int64()),
        ("rows", pa.int64()),
        ("answer", pa.string()),
        ("score", pa.float64()),
        ("probabilities", pa.list_(pa.float64())),
    ]
)
"""`rows` are the request's; `probabilities` are of all classes, where there are more than two."""
FILES_HELD = 32
"""In memory; others are read again, which is quick."""
Lookup = Callable[[str], "Predictor | None"]


class Answers:
    """Of one workspace's endpoints."""

    def __init__(self, context: Context, references: References) -> None:
        self._context, self._references = context, references
        self._digests = Digests("answers", _written, _read, held=FILES_HELD)

    def of(self, endpoint: str, since: float, until: float) -> pa.Table:
        """The rows of requests in files that may hold some of [since, until); older and later ones are among them."""
        paths = self._context.paths
        lookup = self._lookup(endpoint)

        def find(lines: Sequence[bytes]) -> pa.Table:
            return table_of(requests_of(lines), lookup)

        found = self._digests.of(paths.model_data(endpoint), paths.digests(endpoint), since, until, find)
        return pa.concat_tables([SCHEMA.empty_table(), *found])

    def within(self, deployment: Deployment, since: float, until: float) -> pa.Table:
        """The rows of one deployment's requests that began in [since, until), none from before it was made."""
        found = self.of(deployment.endpoint, since, until)
        at = found["at"]
        wanted = pc.and_(pc.greater_equal(at, max(since, deployment.created_at)), pc.less(at, until))
        return found.filter(pc.and_(wanted, pc.equal(found["deployment"], deployment.name)))

    def _lookup(self, endpoint: str) -> Lookup:
        """The models of the deployments, for what was kept without its scores."""
        specs = {d.name: (d.model, d.model_version) for d in self._context.store.endpoints.get(endpoint).deployments}

        def lookup(deployment: str) -> "Predictor | None":
            try:
                return self._references.predictor(*specs[deployment])
            except (KeyError, SlipwayError):
                return None

        return lookup


def table_of(requests: Iterator[KeptRequest], lookup: Lookup) -> pa.Table:
    """One line a kept row."""
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
    for request in requests:
        said = said_of(request, lookup)
        if said is None:
            continue
        answers, scores = said
        count = len(scores)
        same = {
            "at": request.at,
            "request_id": request.request_id,
            "client_id": request.client_request_id,
            "deployment": request.deployment,
            "rows": request.rows if request.rows >= 0 else count,
        }
        for name, value in same.items():
            columns[name].extend([value] * count)
        columns["row"].extend(range(0, count * request.step, request.step))
        columns["answer"].extend(map(as_text, answers))
        columns["score"].extend(scores)
        columns["probabilities"].extend(request.probabilities or [None] * count)
    return pa.table(columns, schema=SCHEMA)


def _written(table: pa.Table) -> bytes:
    out = BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def _read(written: bytes) -> pa.Table:
    try:
        found = pq.read_table(BytesIO(written))
    except (pa.ArrowException, OSError) as e:
        raise ValueError(f"damaged answers: {e}") from e
    if found.schema != SCHEMA:
        raise ValueError("answers of another version")
    return found
