"""The clients of a comparison: `ab` as a newcomer runs it, and `wrk`, which costs less than any server here."""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perf.peers.comparison import PeerFailed

TIMEOUT_S = 300.0
ANSWER_TIMEOUT_S = 30
BODY_FILE = "bodies.txt"

# wrk's own scripting: requests are made once, then sent in turn; it ends with one line of JSON.
SCRIPT = """
local requests, at = {}, 0
function init(args)
  for line in io.lines(args[1]) do requests[#requests + 1] = wrk.format("POST", nil, nil, line) end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency, each)
  local e = summary.errors
  io.write(string.format('\\n{"requests": %d, "us": %d, "failed": %d, "p50_us": %d, "p99_us": %d}\\n',
    summary.requests, summary.duration, e.connect + e.read + e.write + e.timeout + e.status,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """What one client met. `failed` are refusals and requests without an answer."""

    requests: int
    per_s: float
    p50_ms: float
    p99_ms: float
    failed: int


def ab(url: str, key: str, body: bytes, *, requests: int, work: Path) -> Load:
    """One client, open open a new connection for every request, one body. Raises PeerFailed."""
    file = work / "body.json"
    file.write_bytes(body)
    words = ["ab", "-q", "-n", str(requests), "-c", "1", "-p", str(file), "-T", "application/json"]
    return read_ab(_run([*words, "-H", f"Authorization: Bearer {key}", url], "apache2-utils"), requests)


def wrk(url: str, key: str, bodies: Sequence[bytes], *, clients: int, seconds: float, work: Path) -> Load:
    """So many clients on kept connections, each sends as soon as it is answered, bodies in turn. Raises PeerFailed."""
    (work / BODY_FILE).write_bytes(b"\n".join(bodies) + b"\n")
    (work / "send.lua").write_text(SCRIPT)
    words = ["wrk", "-t", "1", "-c", str(clients), "-d", f"{max(1, round(seconds))}s"]
    words += ["--timeout", f"{ANSWER_TIMEOUT_S}s", "-s", str(work / "send.lua")]
    words += ["-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json", url]
    return read_wrk(_run([*words, "--", str(work / BODY_FILE)], "wrk"))


def read_ab(output: str, requests: int) -> Load:
    """What `ab` printed. Raises PeerFailed."""
    patterns = (
        r"Requests per second:\s+([\d.]+)",
        r"\n\s+50%\s+(\d+)",
        r"\n\s+99%\s+(\d+)",
        r"Failed requests:\s+(\d+)",
    )
    found = [re.search(pattern, output) for pattern in patterns]
    if not all(found):
        raise PeerFailed(f"ab said: {' '.join(output.split())[-300:]}")
    per_s, p50, p99, failed = (float(match[1]) for match in found if match)
    # Replies of another length than the first count as failed; a label more or less is no failure.
    length = re.search(r"Length: (\d+)", output)
    refused = re.search(r"Non-2xx responses:\s+(\d+)", output)
    lost = int(failed) - (int(length[1]) if length else 0) + (int(refused[1]) if refused else 0)
    return Load(requests, per_s, p50, p99, lost)


def read_wrk(output: str) -> Load:
    """The last line that our script printed. Raises PeerFailed, also when nothing was answered."""
    line = output.strip().splitlines()[-1] if output.strip() else ""
    try:
        said = json.loads(line)
    except ValueError as e:
        raise PeerFailed(f"wrk said: {' '.join(output.split())[-300:]}") from e
    if not said["requests"]:
        raise PeerFailed(f"no request was answered: {line}")
    per_s = said["requests"] * 1e6 / said["us"]
    return Load(said["requests"], per_s, said["p50_us"] / 1000, said["p99_us"] / 1000, said["failed"])


def _run(words: Sequence[str], package: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError as e:
        raise PeerFailed(f"{words[0]} is not installed (apt-get install {package})") from e
    except subprocess.TimeoutExpired as e:
        raise PeerFailed(f"{words[0]} had not ended after {TIMEOUT_S:.0f} s") from e
    return done.stdout + done.stderr
