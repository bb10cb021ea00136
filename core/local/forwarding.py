"""How the forwarding of records stands, as `doctor` tells it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from core.domain.counting import counted
from core.domain.monitoring import Finding, FindingState, ServiceStatus
from core.forwarding import standing
from core.forwarding.queue import DONE, Queue
from core.forwarding.standing import Standing
from core.local.context import Context
from core.local.paths import Paths
from core.settings import Settings

NAME = "Forwarding"
WORDS = {"otlp": "the OTLP collector", "insights": "Application Insights"}
OK, WARNING = FindingState.OK, FindingState.WARNING


def receivers(settings: Settings) -> tuple[str, ...]:
    """The names of those who are to get telemetry."""
    set_to = {"otlp": settings.otlp_url, "insights": settings.app_insights_connection}
    return tuple(name for name, to in set_to.items() if to)


def findings(context: Context, service: ServiceStatus) -> Iterator[Finding]:
    """One for each receiver that is set here, or that the running service has."""
    home, wanted = context.paths.home, receivers(context.settings)
    known = standing.read(home)
    if not service.running:
        for name in wanted:
            yield Finding(
                NAME, OK, f"{WORDS[name]} gets what is recorded while the service runs. {_waiting(home, name)}"
            )
        return
    for name in dict.fromkeys((*wanted, *known)):
        if name in known:
            yield _receiver(home, name, known[name])
        else:
            said = f"{WORDS[name]} is set here, and the running service was started without it or is just beginning"
            yield Finding(NAME, WARNING, said, "Restart it: python -m core service stop")


def _receiver(home: Path, name: str, now: Standing) -> Finding:
    who, hint = WORDS.get(name, name), f"{Paths(home).forwarding_log} says more"
    if now.failing_since is not None:
        since = datetime.fromtimestamp(now.failing_since).astimezone()
        said = f"{who} has taken nothing since {since:%Y-%m-%d %H:%M:%S}: {now.why}. {_waiting(home, name)}"
        return Finding(NAME, WARNING, said, hint)
    if now.refused:
        said = f"{who} has refused {counted(now.refused, 'record')} for good, which are given up: {now.refused_why}"
        return Finding(NAME, WARNING, said, hint)
    return Finding(NAME, OK, f"{who} takes what is recorded. {_waiting(home, name)}")


def _waiting(home: Path, name: str) -> str:
    """What one receiver has still to get."""
    sizes = []
    for folder in (home / "endpoints").glob("*"):
        queue = Queue(folder)
        cursor = queue.cursors().get(name)
        for path in queue.files():
            if cursor is None or cursor.taken.get(path.name) != DONE:
                try:
                    sizes.append(path.stat().st_size)
                except FileNotFoundError:
                    continue  # just sent
    return f"Waiting: {counted(len(sizes), 'file')}, {sum(sizes) / 1e6:,.1f} MB" if sizes else "Nothing waits"
