"""What is written again and again, and may fail for a while: a full disk costs what it cannot take, never a process."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


class Spell:
    """Counts the failures of one kind of writing, and logs when a spell of them begins and when it is over."""

    def __init__(self, what: str) -> None:
        """`what` cannot be written, in the words of the log."""
        self._what = what
        self.lasts = False
        """The newest try has failed."""
        self.failures = 0

    def attempt(self, write: Callable[[], object]) -> bool:
        """Try it; whether it went well."""
        try:
            write()
        except OSError as e:
            self.failed(e)
            return False
        self.went_well()
        return True

    def failed(self, error: OSError) -> None:
        """Note a failure."""
        self.failures += 1
        if not self.lasts:
            log.error("%s cannot be written, going on without until it can: %s", self._what, error.strerror or error)
        self.lasts = True

    def went_well(self) -> None:
        """Note a success."""
        if self.lasts:
            log.info("%s can be written again", self._what)
        self.lasts = False
