"""Why a request failed or was refused, without its values: where an exception came from, which rules were broken."""

import hashlib
import linecache
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import msgspec

from core.domain.endpoint import EndpointLimits
from core.domain.errors import PayloadInvalid, SlipwayError

FOLDER = "exceptions"
"""Of an endpoint's tracebacks, beside that of telemetry: a file each, however many requests end with it."""
TRACEBACK_CHARS_MAX = 16_000
CAUSES_MAX = 200
"""Different ones that a worker tells of in a day; requests that fail on further ones are recorded without."""
TOLD_FOR_S = 86_400.0
"""A file is written again after so long, so that one of what still happens is never too old to be kept."""
CHAIN_MAX = 10


class Cause(msgspec.Struct, frozen=True):
    """One way to fail. `key` is of the kinds of its exceptions and all lines of code that led there."""

    key: str
    kind: str
    where: str
    message: str
    traceback: str


class Causes:
    """Gives each failure the key of its cause, and `tell`s of causes that are new."""

    def __init__(self, tell: Callable[[Cause], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._told: dict[str, float] = {}

    def key_of(self, error: BaseException) -> str:
        """Empty where there have been too many others."""
        chain = list(_chain(error))
        key, now = _key(chain), self._clock()
        told = self._told.get(key)
        if told is None or now - told > TOLD_FOR_S:
            if told is None and len(self._told) >= CAUSES_MAX and not self._forget(now):
                return ""
            self._told[key] = now
            self._tell(_cause(key, error, chain))
        return key

    def _forget(self, now: float) -> bool:
        """Make room for others by what was told of long ago; whether there is some."""
        self._told = {key: told for key, told in self._told.items() if now - told <= TOLD_FOR_S}
        return len(self._told) < CAUSES_MAX


def write(folder: Path, cause: Cause) -> None:
    """Keep a cause in a file of its own. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    growing = folder / f".{cause.key}.tmp"
    growing.write_bytes(msgspec.json.encode(cause))
    growing.chmod(0o600)
    growing.replace(folder / f"{cause.key}.json")


def reasons(error: SlipwayError, limits: EndpointLimits) -> str:
    """Why a request was refused: a line for each rule that was broken, as `code`, column and example.

    An example, of a category that is not known or of a column that is none, is told only where inputs are kept.
    """
    if not isinstance(error, PayloadInvalid):
        return code_of(error)
    broken: dict[tuple[str, str], str] = {}
    for problem in error.details:
        ours = problem.code != "unknown_column"  # the name of one that there is not is the client's
        shown = limits.collect_model_data and problem.column not in limits.masked_columns
        rule = (problem.code, problem.column if ours else "")
        broken[rule] = broken.get(rule) or (problem.value if shown else "")
    lines = ("\t".join(re.sub(r"\s", " ", field) for field in (*rule, example)) for rule, example in broken.items())
    return "\n".join(line.rstrip("\t") for line in lines)


def code_of(error: SlipwayError) -> str:
    """The name of a refusal as codes are written: `TooBusy` is `too_busy`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and what it was raised from, the latest first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen and len(seen) < CHAIN_MAX:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _key(chain: list[BaseException]) -> str:
    made = hashlib.blake2b(digest_size=8)
    for error in chain:
        made.update(type(error).__qualname__.encode())
        for file, line, function in _places(error.__traceback__):
            made.update(f"\0{file}\0{line}\0{function}".encode())
    return made.hexdigest()


def _cause(key: str, error: BaseException, chain: list[BaseException]) -> Cause:
    first = chain[-1]
    places = list(_places(first.__traceback__))
    where = "{}:{} in {}".format(_short(places[-1][0]), *places[-1][1:]) if places else ""
    text = "\n\n".join(_told(each) for each in reversed(chain))
    message = error.message if isinstance(error, SlipwayError) else ""
    return Cause(key, type(first).__name__, where, message, text[-TRACEBACK_CHARS_MAX:])


def _told(error: BaseException) -> str:
    """Places and kind, as Python writes them, but for the text: it may hold values."""
    lines = ["Traceback (most recent call last):"]
    for file, number, function in _places(error.__traceback__):
        lines.append(f'  File "{_short(file)}", line {number}, in {function}')
        if code := linecache.getline(file, number).strip():
            lines.append(f"    {code}")
    return "\n".join([*lines, type(error).__name__])


def _places(trace: TracebackType | None) -> Iterator[tuple[str, int, str]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield code.co_filename, trace.tb_lineno, code.co_name
        trace = trace.tb_next


def _short(file: str) -> str:
    """A file as it is imported, without where it is on this machine."""
    inside = [folder for folder in sys.path if folder and file.startswith(f"{folder.rstrip('/')}/")]
    return file[len(max(inside, key=len).rstrip("/")) + 1 :] if inside else file
