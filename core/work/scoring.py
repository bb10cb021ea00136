"""Rows of a table scored by a target, one answer a row: what its contract refuses sinks no other row."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from core.contract import samples
from core.contract.decision import decide
from core.domain.errors import Conflict, ServiceUnavailable
from core.domain.proof import Target
from core.domain.signature import Signature
from core.loadtest.busy import BUSY, UNAVAILABLE, Patience
from core.loadtest.sender import NoAnswer, Reply, Sender

Row = Mapping[str, Any]

ROUNDS_MAX = 5
"""A refusal names at most 20 rows: after so many rounds the rest of a chunk is sent row by row."""
TRIES = 60
PAUSE_S = 1.0
PATIENCE = Patience(TRIES, PAUSE_S, pause_max_s=60.0, all_s=math.inf, unsaid=frozenset({BUSY, UNAVAILABLE}))
TOO_LARGE = 413
TIMEOUT_S = 120.0


class Answer(NamedTuple):
    """What became of one row."""

    label: Any
    chances: Sequence[Any]
    problem: str


class Scorer:
    """One kept connection to where a target scores, as any client would have it; waits while it is busy or away.

    A row is sent once: the label follows from its probabilities, by the rule and the signature of the server.
    """

    def __init__(self, target: Target, signature: Signature, sleep: Callable[[float], None]) -> None:
        self._form, self._signature, self._sleep = target.form, signature, sleep
        self._sender = Sender(target, sleep=sleep, patience=PATIENCE, hang_s=TIMEOUT_S)

    def close(self) -> None:
        self._sender.close()

    def answers(self, rows: Sequence[Row]) -> list[Answer]:
        """One answer a row: rows that are refused are taken out and told why, the others sent again."""
        answers: dict[int, Answer] = {}
        left = list(range(len(rows)))
        for _ in range(ROUNDS_MAX):
            refused = self._score(rows, left, answers)
            if not refused:
                break
            answers |= {at: Answer("", (), problem) for at, problem in refused.items()}
            left = [at for at in left if at not in refused]
        else:
            for at in left:
                for problem in self._score(rows, [at], answers).values():
                    answers[at] = Answer("", (), problem)
        return [answers[at] for at in range(len(rows))]

    def _score(self, rows: Sequence[Row], which: Sequence[int], answers: dict[int, Answer]) -> dict[int, str]:
        """Score some rows into `answers`; what the contract refuses, by row. Raises Conflict where that is no row."""
        if not which:
            return {}
        sent = [rows[at] for at in which]
        status, reply = self._post(sent)
        if status == TOO_LARGE:
            return self._in_halves(rows, which, answers, reply["message"])
        if status == 200:
            chances = reply["result"]
            if self._signature.regression:
                answers |= {at: Answer(value, (), "") for at, value in zip(which, chances, strict=True)}
                return {}
            labels = decide(self._signature, np.asarray(chances, dtype=np.float64))
            for at, label, chance in zip(which, labels, chances, strict=True):
                answers[at] = Answer(label, chance, "")
            return {}
        problems: dict[int, str] = {}
        for detail in reply["details"]:
            if detail["row"] < 0:
                raise Conflict(f"The endpoint rejected the table: {reply['message']}")
            problems.setdefault(which[detail["row"]], f"{detail['column']}: {detail['problem']}")
        return problems

    def _in_halves(
        self, rows: Sequence[Row], which: Sequence[int], answers: dict[int, Answer], why: str
    ) -> dict[int, str]:
        """As `_score`, for rows that together are more than the endpoint takes in a request."""
        if len(which) == 1:
            return {which[0]: why}
        middle = len(which) // 2
        return self._score(rows, which[:middle], answers) | self._score(rows, which[middle:], answers)

    def _post(self, rows: Sequence[Row]) -> tuple[int, Any]:
        """The status (200, 400, 413) and the parsed reply, with probabilities. Raises ServiceUnavailable."""
        reply = self._answered(samples.body(rows, self._form, self._signature.methods[-1]))
        if reply.status in PATIENCE.unsaid:
            raise ServiceUnavailable("The endpoint was busy for too long", hint="Try again when it has less load")
        if reply.status not in (200, 400, TOO_LARGE):
            said = reply.body[:300].decode("utf-8", "replace")
            raise ServiceUnavailable(f"The endpoint answered {reply.status}: {said}")
        parsed = json.loads(reply.body)
        return reply.status, json.loads(parsed) if isinstance(parsed, str) else parsed  # `legacy_reply` encodes twice

    def _answered(self, body: bytes) -> Reply:
        for attempt in range(TRIES):
            try:
                return self._sender.score(body)
            except (NoAnswer, ServiceUnavailable) as e:
                if attempt == TRIES - 1:
                    raise ServiceUnavailable(f"The endpoint does not answer: {e}") from e
                self._sleep(PAUSE_S)
        raise AssertionError("the last attempt either answers or raises")
