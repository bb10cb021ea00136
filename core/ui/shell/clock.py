"""The visitor's clock."""

from datetime import tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from streamlit.runtime.scriptrunner import get_script_run_ctx


def zone() -> tzinfo | None:
    """The time zone that the visitor's browser has told; None, for this machine's, where it has told none.

    Asked for every point of a chart: `st.context.timezone` takes ten times as long.
    """
    context = get_script_run_ctx(suppress_warning=True)
    told = context.context_info.timezone if context is not None and context.context_info is not None else ""
    return _known(told) if told else None


@lru_cache(maxsize=64)
def _known(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not known here, or no name of a zone at all
        return None
