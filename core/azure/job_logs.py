"""The logs of a run as Azure keeps them: files at addresses that run history gives."""

import re
from collections.abc import Mapping

from core.azure.context import Context
from core.azure.runs import details, text
from core.azure.translate import seconds
from core.domain.job import LogLine

WRITTEN = (r"user_logs/std_log.*\.txt", r"azureml-logs/.*driver_log.*\.txt", r"logs/azureml/.*automl.*\.log",
           r"logs/.*\.(log|txt)", r".*\.(log|txt)")  # fmt: skip
"""Files in the order in which they are of interest; the first kind that is there is shown."""
STAMPED = re.compile(r"^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?Z?)\]?[\s:,-]*(.*)$")
LEVEL = re.compile(r"\b(DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL)\b")


def log_lines(context: Context, run_id: str, limit: int) -> tuple[LogLine, ...]:
    """The last lines of a run's log; none before it has begun. Raises JobNotFound."""
    found = details(context, run_id)
    files = found.get("logFiles")
    began = seconds(found.get("startTimeUtc")) or seconds(found.get("createdTimeUtc"))
    held = [text(context, url) for url in chosen(files if isinstance(files, dict) else {})]
    return read_log("\n".join(held), began)[-limit:]


def chosen(files: Mapping[str, str]) -> list[str]:
    """The addresses of the files that say most."""
    for pattern in WRITTEN:
        if found := [url for name, url in sorted(files.items()) if re.fullmatch(pattern, name)]:
            return found
    return []


def read_log(written: str, began: float) -> tuple[LogLine, ...]:
    """The lines of a log, each with the time that it, or the one before it, begins with."""
    lines, at = [], began
    for line in written.splitlines():
        if not line.strip():
            continue
        said = line
        if stamped := STAMPED.match(line):
            at, said = seconds(stamped[1].replace(",", ".").replace(" ", "T")) or at, stamped[2]
        level = LEVEL.search(said[:40])
        word = level[1].lower() if level else "info"
        lines.append(LogLine(at, "warning" if word.startswith("warn") else word, said))
    return tuple(lines)
