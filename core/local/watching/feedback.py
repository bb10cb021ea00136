"""What really happened to scored rows: joined with what was answered, and kept in files that outlive the inputs."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.domain.errors import ServiceUnavailable, SpecInvalid, StoredUnreadable
from core.domain.outcomes import FeedbackReceipt, Outcome, Unmatched
from core.domain.signature import Scalar
from core.durable import make_folder, write_atomic
from core.local.context import Context
from core.local.machine.locks import held
from core.local.watching.answers import SCHEMA as ANSWERED
from core.local.watching.answers import Answers
from core.local.watching.kept import as_text

KEPT = ("at", "request_id", "deployment", "row", "answer", "score", "probabilities")
SCHEMA = pa.schema([*(ANSWERED.field(name) for name in KEPT), ("actual", pa.string())])
SAID = ("deployment", "answer", "score")
"""Two requests with one id that were answered alike in these are one that was sent again."""
EXAMPLES_MAX = 20
FILES_MAX = 32
"""More are made one."""
DAY_S = 86_400.0
LOCK_S = 30.0

Key = tuple[str, int]
"""A request's id and the row in it."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Where each outcome belongs among the answers, or why nowhere."""

    places: dict[Key, int]
    matched: int
    again: int
    """Of the matched: rows that the same feedback names more than once."""
    unmatched: list[Unmatched]
    actual: dict[Key, str]


class Feedback:
    """Of one workspace's endpoints."""

    def __init__(self, context: Context, answers: Answers) -> None:
        self._context, self._answers = context, answers

    def send(self, endpoint: str, outcomes: Sequence[Outcome]) -> FeedbackReceipt:
        """Raises EndpointNotFound, SpecInvalid for an outcome no model can predict, StorageFull, StoredUnreadable."""
        told = self._checked(endpoint, outcomes)
        answers = self._answers.of(endpoint, -math.inf, math.inf)
        joined = join(answers, told)
        replaced = joined.again
        if joined.places:
            with self._writing(endpoint) as folder:
                earlier = known(folder)
                replaced += _also_in(earlier, joined.places)
                self._write(folder, _outcomes(answers, joined))
        return FeedbackReceipt(
            endpoint,
            len(outcomes),
            joined.matched,
            replaced,
            len(joined.unmatched),
            tuple(joined.unmatched[:EXAMPLES_MAX]),
        )

    def table(self, endpoint: str) -> pa.Table:
        """All rows whose outcome is known, each once: with the outcome that came last."""
        return latest(known(self._context.paths.outcomes(endpoint)))

    def _checked(self, endpoint: str, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes in the words of the models' classes."""
        store = self._context.store
        models = [store.models.get(d.model, d.model_version) for d in store.endpoints.get(endpoint).deployments]
        numbers = any(model.signature.regression for model in models)
        classes = list(dict.fromkeys(c for model in models for c in model.signature.classes))
        found, odd = [], []
        for outcome in outcomes:
            actual = canonical(outcome.actual, classes, numbers)
            if actual is None:
                odd.append(outcome)
            else:
                found.append(Outcome(outcome.request_id, outcome.row, actual))
        if odd:
            names = ", ".join(dict.fromkeys(f"'{outcome.actual[:60]}'" for outcome in odd[:5]))
            can = "a number" if numbers and not classes else f"one of: {', '.join(map(as_text, classes[:20]))}"
            raise SpecInvalid(
                f"{len(odd)} of {len(outcomes)} outcomes are nothing that a model of '{endpoint}' predicts: {names}",
                hint=f"An outcome is {can}. Nothing of this feedback was kept",
            )
        return found

    @contextmanager
    def _writing(self, endpoint: str) -> Iterator[Path]:
        folder = self._context.paths.outcomes(endpoint)
        make_folder(folder)
        with held(folder / ".lock", LOCK_S) as ours:
            if not ours:
                raise ServiceUnavailable("Other feedback is being written", hint="Send it again in a moment")
            yield folder

    def _write(self, folder: Path, table: pa.Table) -> None:
        """Add a file; and make one of many, or of those in which something is too old or too much."""
        files = _files(folder)
        number = int(files[-1].stem) + 1 if files else 1
        write_atomic(folder / f"{number:09}.parquet", _bytes(table))
        settings = self._context.settings
        before = self._context.clock() - settings.outcomes_max_days * DAY_S
        bytes_max = settings.records_max_mb * 1e6
        every = _files(folder)
        old = any(_first(path) < before for path in every)
        if old or len(every) > FILES_MAX or sum(path.stat().st_size for path in every) > bytes_max:
            if len(left := within(latest(known(folder)), before, bytes_max)):
                write_atomic(folder / f"{number + 1:09}.parquet", _bytes(left))
            for path in every:
                path.unlink(missing_ok=True)


def canonical(actual: str, classes: Sequence[Scalar], numbers: bool) -> str | None:
    """The outcome as the class is written, or as a number; None where it is neither."""
    text = actual.strip()
    for each in classes:
        if as_text(each) in (actual, text) or (isinstance(each, bool) and as_text(each) == text.lower()):
            return as_text(each)
    number = _number(text)
    for each in classes:
        if number is not None and not isinstance(each, bool | str) and float(each) == number:
            return as_text(each)
    return repr(number) if numbers and number is not None else None


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def join(answers: pa.Table, outcomes: Sequence[Outcome]) -> Joined:
    """By the server's id of a request; else by the client's, where one request alone had it.

    A client may name the server's id too, and give it to several requests: a row that was answered in different ways
    under one id belongs to none.
    """
    wanted = pa.array({outcome.request_id for outcome in outcomes}, pa.string())
    by_server = pc.is_in(answers["request_id"], wanted)
    some = pc.or_(by_server, pc.is_in(answers["client_id"], wanted))
    places = pc.indices_nonzero(some).to_pylist()
    found = answers.select(["request_id", "client_id", "row", "rows", *SAID]).filter(some).to_pydict()
    at: dict[Key, int] = {}
    said: dict[Key, tuple[Any, ...]] = {}
    ways: dict[Key, set[tuple[Any, ...]]] = {}
    sizes: dict[str, int] = {}
    clients: dict[str, set[str]] = defaultdict(set)
    for place, request, client, row, rows, *told in zip(places, *found.values(), strict=True):
        key, answer = (request, row), tuple(told)
        if said.setdefault(key, answer) != answer:
            ways.setdefault(key, {said[key]}).add(answer)
        at[key] = place
        sizes[request] = max(rows, sizes.get(request, 0))
        if client:
            clients[client].add(request)
    return _joined(outcomes, at, sizes, clients, {key: len(answers) for key, answers in ways.items()})


def _joined(
    outcomes: Sequence[Outcome],
    at: dict[Key, int],
    sizes: dict[str, int],
    clients: dict[str, set[str]],
    ways: dict[Key, int],
) -> Joined:
    """`ways` are the numbers of answers to rows that have several."""
    joined = Joined({}, 0, 0, [], {})
    matched = again = 0
    for outcome in outcomes:
        given = outcome.request_id
        requests = {given} if given in sizes else clients.get(given, set())
        key = (next(iter(requests)), outcome.row) if len(requests) == 1 else None
        if key is None or key not in at or key in ways:
            reason = _reason(requests, outcome.row, sizes, ways.get(key, 0) if key else 0)
            joined.unmatched.append(Unmatched(given, outcome.row, reason))
            continue
        matched += 1
        again += key in joined.places
        joined.places[key] = at[key]
        joined.actual[key] = outcome.actual
    return Joined(joined.places, matched, again, joined.unmatched, joined.actual)


def _reason(requests: set[str], row: int, sizes: dict[str, int], ways: int) -> str:
    if not requests:
        return "no kept answer has this request id"
    if len(requests) > 1:
        return f"{len(requests)} requests have this client's id: name them by the server's"
    if ways:
        return f"requests with this id were given {ways} different answers: a client must not use an id twice"
    rows = sizes[next(iter(requests))]
    return f"the request has {rows} rows, counted from 0" if row >= rows else "the answer of this row was not kept"


def known(folder: Path) -> pa.Table:
    """All outcomes that were kept, the earlier first. Raises StoredUnreadable for a file that is damaged."""
    for _ in range(3):
        try:
            return pa.concat_tables([SCHEMA.empty_table(), *(_read(path) for path in _files(folder))])
        except FileNotFoundError:  # made one with others meanwhile
            continue
    raise ServiceUnavailable("The outcomes change while they are read", hint="Try again in a moment")


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, schema=SCHEMA)
    except pa.ArrowInvalid as e:
        raise StoredUnreadable(
            f"The outcomes in {path} can't be read: {str(e).splitlines()[0]}",
            hint="Restore the file, or remove it and send its outcomes again",
        ) from e


def latest(outcomes: pa.Table) -> pa.Table:
    """Each row once, as it was told last."""
    numbered = outcomes.select(["request_id", "row"]).append_column("place", pa.array(range(len(outcomes)), pa.int64()))
    last = numbered.group_by(["request_id", "row"]).aggregate([("place", "max")])
    return outcomes.take(last["place_max"].combine_chunks().sort())


def within(outcomes: pa.Table, before: float, bytes_max: float) -> pa.Table:
    """The outcomes but for those of requests from before then, and as many of the oldest as are too much for a file."""
    kept = outcomes.filter(pc.greater_equal(outcomes["at"], before))
    while len(kept) > 1 and len(_bytes(kept)) > bytes_max:
        oldest = pc.sort_indices(kept["at"])[: max(1, len(kept) // 4)]
        kept = kept.take(pc.indices_nonzero(pc.invert(pc.is_in(pa.array(range(len(kept)), pa.uint64()), oldest))))
    return kept


def _first(path: Path) -> float:
    """When the earliest request began whose outcome is in a file; of one that can't be read never."""
    try:
        groups = pq.read_metadata(path)
    except pa.ArrowInvalid:
        return math.inf
    place = SCHEMA.get_field_index("at")
    found = [groups.row_group(at).column(place).statistics for at in range(groups.num_row_groups)]
    return min((float(each.min) for each in found if each is not None and each.has_min_max), default=math.inf)


def _outcomes(answers: pa.Table, joined: Joined) -> pa.Table:
    found = answers.take(pa.array(list(joined.places.values()), pa.int64())).select(KEPT)
    actual = [joined.actual[key] for key in joined.places]
    return found.append_column(SCHEMA.field("actual"), pa.array(actual, pa.string())).cast(SCHEMA)


def _also_in(earlier: pa.Table, keys: dict[Key, int]) -> int:
    ours = earlier.filter(pc.is_in(earlier["request_id"], pa.array({request for request, _ in keys}, pa.string())))
    had = set(zip(ours["request_id"].to_pylist(), ours["row"].to_pylist(), strict=True))
    return sum(key in had for key in keys)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*.parquet"))


def _bytes(table: pa.Table) -> bytes:
    out = BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()
