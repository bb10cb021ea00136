"""Faults on demand: what shall go wrong, for which requests, and how many times.

They stand in a file of the emulation's folder, which the command line, the control host and the emulation itself write
under one lock; a request may also ask for one by its header.
"""

import dataclasses
import fcntl
import json
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatch
from pathlib import Path

from core.domain.errors import SpecInvalid
from core.emulator.emulation import Emulation
from core.emulator.messages import Document, Request

HEADER = "x-slipway-fault"
"""`x-slipway-fault: throttled; seconds=2` asks for a fault of one request."""
FILE = "faults.json"
BEFORE: Mapping[str, str] = {
    "unauthorized": "401: the token is refused",
    "expired-token": "401: the token has expired",
    "forbidden": "403: the caller has no role that allows it",
    "not-found": "404: it is not there",
    "conflict": "409: somebody else changes it",
    "throttled": "429 with Retry-After, of `seconds`",
    "server-error": "500",
    "quota": "400: not enough cores for the cluster or the deployment",
    "dropped": "the connection ends without an answer",
}
"""What is answered in a handler's place."""
AFTER: Mapping[str, str] = {
    "failed-operation": "a long-running operation fails, told with status 200",
    "slow-operation": "a long-running operation takes `seconds` longer",
    "wrong-type": "a field of the answer, named by `field`, has another type",
}
"""What changes a handler's answer, or what it has begun."""
ASKED: Mapping[str, str] = {
    "crash-at-start": "a deployment ends at its start; its log has the traceback",
    "bad-liveness": "a deployment answers its liveness probe with 502",
}
"""What a deployment asks for while it starts; `target` is its name."""
KINDS: Mapping[str, str] = {**BEFORE, **AFTER, **ASKED}
STATUS_NAMES = {"401": "unauthorized", "403": "forbidden", "404": "not-found", "409": "conflict", "429": "throttled",
                "500": "server-error", "502": "bad-liveness"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. Whatever is left empty fits everything."""

    kind: str
    method: str = ""
    path: str = ""
    """Part of host and path in any case, or a pattern with stars."""
    target: str = ""
    """The name of a deployment, of a compute, or of whatever is last in the path."""
    times: int = 1
    """How often it still happens; 0 is every time."""
    seconds: float = 1.0
    field: str = "properties"
    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex[:8])

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SpecInvalid(f"'{self.kind}' is no fault", hint=f"There are {', '.join(KINDS)}")
        if self.times < 0 or not 0 <= self.seconds < 86_400:
            raise SpecInvalid("A fault happens 0 (every time) or more times, and lasts less than a day")

    def fits(self, request: Request) -> bool:
        where = f"{request.host}{request.path}".lower()
        wanted = self.path.lower()
        return (
            self.method.upper() in ("", request.method)
            and (fnmatch(where, wanted) if "*" in wanted else wanted in where)
            and self.target.lower() in ("", request.path.rstrip("/").rpartition("/")[2].lower())
        )


def read(document: Mapping[str, object]) -> Fault:
    """A fault from JSON. Raises SpecInvalid for what it does not have."""
    known = {each.name: each.type for each in fields(Fault)}
    if unknown := sorted(set(document) - set(known)):
        raise SpecInvalid(f"A fault has no {', '.join(unknown)}", hint=f"It has {', '.join(known)}")
    kind = str(document.get("kind", ""))
    try:
        return Fault(
            **{
                **{name: str(value) for name, value in document.items() if name not in ("times", "seconds")},
                "kind": STATUS_NAMES.get(kind, kind),
                "times": int(str(document.get("times", 1))),
                "seconds": float(str(document.get("seconds", 1.0))),
            }  # type: ignore[arg-type]
        )
    except ValueError as e:
        raise SpecInvalid(f"A fault's times and seconds are numbers: {e}") from e


def of_header(text: str) -> Fault:
    """A fault as a header asks for it: its kind, and then `name=value`, parted by semicolons."""
    kind, *more = [part.strip() for part in text.split(";")]
    return read({"kind": kind, **{name.strip(): value.strip() for name, _, value in (x.partition("=") for x in more)}})


class Faults:
    """The faults of an emulation's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()

    def all(self) -> tuple[Fault, ...]:
        """What is still to go wrong, the oldest first."""
        try:
            return tuple(read(each) for each in json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return ()

    def add(self, fault: Fault) -> Fault:
        with self._changing() as known:
            known.append(fault)
        return fault

    def clear(self, fault_id: str = "") -> int:
        """Forget one fault, or all; how many there were."""
        with self._changing() as known:
            gone = [each for each in known if fault_id in ("", each.id)]
            known[:] = [each for each in known if each not in gone]
        return len(gone)

    def take(self, fits: Callable[[Fault], bool]) -> Fault | None:
        """The first fault that fits, which then happens once less."""
        if not self._path.exists():  # the usual case, of every request
            return None
        with self._changing() as known:
            found = next((each for each in known if fits(each)), None)
            if found and found.times:
                at = known.index(found)
                known[at : at + 1] = [replace(found, times=found.times - 1)] if found.times > 1 else []
        return found

    def _opened(self) -> int:
        return os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)

    @contextmanager
    def _changing(self) -> Iterator[list[Fault]]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock, os.fdopen(self._opened(), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = list(self.all())
            after = list(before)
            yield after
            if after != before:
                draft = self._path.with_suffix(".draft")
                draft.write_text(json.dumps([asdict(each) for each in after], indent=2) + "\n")
                draft.chmod(0o600)
                draft.replace(self._path)
                if not after:
                    self._path.unlink()  # so that a request need not read it


def wanted(emulation: Emulation, kind: str, target: str) -> Fault | None:
    """Whether the deployment or compute of that name shall have this fault now; it counts as having happened."""
    return of_folder(emulation.folder).take(
        lambda each: each.kind == kind and each.target.lower() in ("", target.lower())
    )


_KNOWN: dict[Path, Faults] = {}


def of_folder(folder: Path) -> Faults:
    """One for each folder, since the threads of a process share no file lock."""
    return _KNOWN.setdefault(folder, Faults(folder))


def shown(fault: Fault) -> Document:
    return asdict(fault)
