"""A query of the Kusto language as a table's name and steps. What the emulation cannot do is refused by its name.

Known are where, project, extend, summarize, order by, take, top, count and distinct
(https://learn.microsoft.com/kusto/query/).
"""

from collections.abc import Callable

from core.emulator.insights.syntax import Call, Column, Constant, Expression, Named, Part, Query, Step, usual_name
from core.emulator.insights.words import QueryError, Word, words

COMPARING = (
    "==", "!=", "=~", "!~", "<=", ">=", "<", ">", "contains", "!contains", "contains_cs", "!contains_cs", "startswith",
    "!startswith", "startswith_cs", "!startswith_cs", "endswith", "!endswith", "endswith_cs", "!endswith_cs", "has",
    "!has", "has_cs", "!has_cs", "in", "!in", "in~", "!in~", "between", "!between",
)  # fmt: skip
DEPTH_MAX = 100
"""Of parentheses in one another: a query comes from outside."""


def parsed(text: str) -> Query:
    """Raises QueryError."""
    try:
        return _Reader(text).query()
    except RecursionError as e:
        raise QueryError("The query is nested too deeply") from e


class _Reader:
    def __init__(self, text: str) -> None:
        self._text, self._words = text, words(text)
        self._at, self._depth = 0, 0
        self._steps: dict[str, Callable[[], Step]] = {
            "where": self._where, "filter": self._where, "project": self._project, "extend": self._extend,
            "summarize": self._summarize, "order": self._order, "sort": self._order, "take": self._take,
            "limit": self._take, "top": self._top, "count": lambda: Step("count"), "distinct": self._distinct,
        }  # fmt: skip

    def query(self) -> Query:
        table = self._name("a table")
        steps = []
        while self._took("|"):
            operator = self._next()
            if operator.text not in self._steps:
                known = ", ".join(sorted(self._steps))
                raise QueryError(f"The operator '{operator.text}' is not supported by the emulation (it knows {known})")
            steps.append(self._steps[operator.text]())
        self._took(";")
        if self._now.kind != "end":
            raise QueryError(f"Syntax error: '{self._now.text}' was not expected")
        return Query(table, tuple(steps))

    @property
    def _now(self) -> Word:
        return self._words[self._at]

    def _next(self) -> Word:
        word = self._now
        if word.kind != "end":
            self._at += 1
        return word

    def _took(self, *texts: str) -> str:
        """The word that comes, where it is one of these signs or names; it is behind us then."""
        if self._now.text in texts and self._now.kind in ("sign", "name"):
            return self._next().text
        return ""

    def _need(self, text: str) -> None:
        if not self._took(text):
            raise QueryError(f"Syntax error: expected '{text}', got '{self._now.text}'")

    def _name(self, what: str) -> str:
        if self._took("["):
            word = self._next()
            self._need("]")
        else:
            word = self._next()
        if word.kind not in ("name", "text"):
            raise QueryError(f"Syntax error: expected {what}, got '{word.text}'")
        return str(word.value)

    def _where(self) -> Step:
        return Step("where", (Named("", self._expression()),))

    def _project(self) -> Step:
        return Step("project", self._list())

    def _extend(self) -> Step:
        return Step("extend", self._list())

    def _distinct(self) -> Step:
        return Step("distinct", () if self._took("*") else self._list())

    def _summarize(self) -> Step:
        named = () if self._now.text == "by" else self._list()
        return Step("summarize", named, self._list() if self._took("by") else ())

    def _order(self) -> Step:
        self._need("by")
        named, descending = self._orders()
        return Step("order", named, descending=descending)

    def _orders(self) -> tuple[tuple[Named, ...], tuple[bool, ...]]:
        named, descending = [], []
        while True:
            named.append(Named("", self._expression()))
            descending.append(self._took("asc", "desc") != "asc")
            if self._took("nulls"):
                self._took("first", "last")
            if not self._took(","):
                return tuple(named), tuple(descending)

    def _take(self) -> Step:
        return Step("take", limit=self._whole())

    def _top(self) -> Step:
        limit = self._whole()
        self._need("by")
        named, descending = self._orders()
        return Step("top", named, descending=descending, limit=limit)

    def _whole(self) -> int:
        word = self._next()
        if not isinstance(word.value, int):
            raise QueryError(f"Syntax error: expected a whole number, got '{word.text}'")
        return word.value

    def _list(self) -> tuple[Named, ...]:
        found = [self._named()]
        while self._took(","):
            found.append(self._named())
        return tuple(found)

    def _named(self) -> Named:
        word, following = self._now, self._words[min(self._at + 1, len(self._words) - 1)]
        if word.kind == "name" and following.text == "=" and following.kind == "sign":
            self._at += 2
            return Named(word.text, self._expression())
        expression = self._expression()
        return Named(usual_name(expression), expression)

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise QueryError("The query is nested too deeply")
        left = self._both()
        while self._took("or"):
            left = Call("or", (left, self._both()))
        self._depth -= 1
        return left

    def _both(self) -> Expression:
        left = self._compared()
        while self._took("and"):
            left = Call("and", (left, self._compared()))
        return left

    def _compared(self) -> Expression:
        left = self._sum()
        sign = self._took(*COMPARING)
        if sign in ("in", "!in") and self._took("~"):
            sign += "~"
        if not sign:
            return left
        if sign.removeprefix("!").removesuffix("~") == "in":
            return Call(sign, (left, *self._given()))
        if sign.removeprefix("!") == "between":
            self._need("(")
            low = self._sum()
            self._need("..")
            high = self._sum()
            self._need(")")
            return Call(sign, (left, low, high))
        return Call(sign, (left, self._sum()))

    def _sum(self) -> Expression:
        left = self._product()
        while sign := self._took("+", "-"):
            left = Call(sign, (left, self._product()))
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while sign := self._took("*", "/", "%"):
            left = Call(sign, (left, self._signed()))
        return left

    def _signed(self) -> Expression:
        if self._took("-"):
            return Call("-", (Constant(0), self._signed_once()))
        return self._signed_once()

    def _signed_once(self) -> Expression:
        found = self._single()
        while sign := self._took(".", "["):
            if sign == ".":
                found = Part(found, self._name("a member"))
            else:
                word = self._next()
                if word.kind not in ("text", "number"):
                    raise QueryError(f"Syntax error: expected a member, got '{word.text}'")
                found = Part(found, word.value)
                self._need("]")
        return found

    def _single(self) -> Expression:
        if self._took("("):
            found = self._expression()
            self._need(")")
            return found
        word = self._next()
        if word.kind in ("text", "number", "span"):
            return Constant(word.value)
        if word.kind != "name":
            raise QueryError(f"Syntax error: '{word.text}' was not expected")
        if word.text in ("true", "false"):
            return Constant(word.text == "true")
        if self._now.text == "(" and self._now.kind == "sign":
            return self._called(word.text)
        return Column(word.text)

    def _called(self, name: str) -> Expression:
        if name in ("datetime", "timespan", "time"):
            return Call(name, (Constant(self._raw()),))
        return Call(name, self._given())

    def _raw(self) -> str:
        """What stands in the parentheses of a literal, as it is."""
        self._need("(")
        start = self._now.start
        while self._now.text != ")":
            if self._next().kind == "end":
                raise QueryError("Syntax error: a parenthesis is not closed")
        said = self._text[start : self._now.start]
        self._need(")")
        return said.strip().strip("'\"")

    def _given(self) -> tuple[Expression, ...]:
        self._need("(")
        found: list[Expression] = []
        while not self._took(")"):
            if found:
                self._need(",")
            found.append(self._expression())
        return tuple(found)
