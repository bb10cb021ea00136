"""Where the answers stand in the replies of one endpoint: as its document tells, else as its own replies show."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.checks.document.replies import Keys, answers_in, candidates, chosen
from core.checks.outcome import NOWHERE, Violation
from core.checks.probe import encoding
from core.checks.probe.exchange import Exchange
from core.domain.errors import NoVerdict

SIZES = (3, 5, 1)
"""So many rows are sent to see which lists of a reply grow with them."""
REFUSED_CHARS = 100
Ask = Callable[[int], tuple[int, Exchange]]
"""Sends so many valid rows, or as many as fit; gives how many, and the answer."""


def refused(exchange: Exchange) -> Violation:
    """Valid rows got something else than 200."""
    evidence = f"Valid rows were rejected: {exchange.shown}{_leads(exchange)}"
    return Violation(evidence, exchange, cause=refusal(exchange.status, exchange.reply))


def refusal(status: int, reply: bytes) -> str:
    """The cause of a refusal: one for as long as valid rows get the same words, whichever rows they are."""
    words = "".join(letter for letter in reply.decode("utf-8", "replace") if not letter.isdigit())
    return f"refused {status} {words[:REFUSED_CHARS]}"


def _leads(exchange: Exchange) -> str:
    """Where a redirect leads, which is not followed: the key is for nobody else."""
    to = exchange.reply_headers.get("location", "")
    return f"; it leads to {to!r}, where the key is not sent" if exchange.status // 100 == 3 else ""


def meant(exchange: Exchange) -> Any:
    """The reply, read once more where it is JSON inside a JSON string. Raises Violation where it is no JSON."""
    try:
        reply = exchange.json()
    except Violation as e:
        raise Violation(e.evidence, *e.requests, cause=f"not JSON {exchange.status}") from e
    if not isinstance(reply, str):
        return reply
    # Whether the document says so is a check of its own: here only what was answered counts.
    status, once = encoding.meant(exchange.status, exchange.reply)
    again = replace(exchange, status=status, reply=once)
    if status != exchange.status:
        raise refused(again)
    return again.json()


def encoded_twice(exchange: Exchange) -> bool:
    """Whether the reply came as JSON inside a JSON string."""
    return exchange.decoded or encoding.meant(exchange.status, exchange.reply) != (exchange.status, exchange.reply)


def under(keys: Keys) -> str:
    """Where in a reply these lists stand, in words."""
    return "under " + " and ".join(map(repr, keys)) if any(keys) else "in the reply itself"


def find(form: str, told: Keys | None, ask: Ask) -> Keys:
    """The lists of a reply to this form that hold the answers, wherever the document puts them (`told`).

    Raises Violation where the document names a list and the replies hold none, NoVerdict where neither tells.
    """
    growing: list[set[str]] = []
    everywhere: list[set[str]] = []
    for size in SIZES:
        rows, exchange = ask(size)
        if exchange.status != 200:
            raise refused(exchange)
        reply = meant(exchange)
        if told is not None and answers_in(reply, told) is not None:
            return told
        growing.append(set(candidates(reply, rows)))
        everywhere.append(set(candidates(reply, -1)))
    lists = set.intersection(*growing)
    found = chosen(sorted(lists), form)
    if found is None and not lists:  # answers may be missing: how many there are is for another check to judge
        found = chosen(sorted(common), form) if len(common := set.intersection(*everywhere)) == 1 else None
    return _told(found, told, lists, exchange)


def _told(found: Keys | None, told: Keys | None, lists: set[str], exchange: Exchange) -> Keys:
    if found is not None:
        return found
    if told is not None:
        raise Violation(f"Expected a list of answers {under(told)}: {exchange.shown}", exchange, cause=NOWHERE)
    several = f"several are as long as the rows: {', '.join(sorted(lists))}"
    why = several if lists else f"none is as long as the rows: {exchange.shown}"
    raise NoVerdict(f"The document does not say which list in the reply holds the answers, and {why}")
