"""What the garbage collector need not look at again: Streamlit has it walk the whole heap after every run of a script.

It stops every other thread meanwhile, and so also the one that sends to the browser what the run has drawn: 80 to 90 ms
with the libraries of this app loaded, most of a click (measured with Streamlit 1.67). Modules
live as long as the process.
"""

import gc
import sys
from dataclasses import dataclass


@dataclass(slots=True)
class _Settled:
    """How many modules there were when the heap was last settled."""

    modules: int = 0


_settled = _Settled()


def settle() -> None:
    """Leave out what is there now, once for all that was imported since: the collector then sees what runs make.

    Not at every run: cycles that a session still holds would never be found again.
    """
    if len(sys.modules) > _settled.modules:
        _settled.modules = len(sys.modules)
        gc.freeze()
