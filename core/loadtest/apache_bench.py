"""Apache Benchmark itself, where it is installed: the same endpoint seen by a load client that is not ours.

`ab` takes headers only as arguments, so while it runs other users of this machine could read the key in the list of
processes; its output is kept with `$SLIPWAY_KEY` in the key's place.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from core.domain.endpoint import DEPLOYMENT_HEADER
from core.domain.errors import NoVerdict, SpecInvalid
from core.domain.proof import LoadReport, LoadSpec

PROGRAM = "ab"
REQUESTS = 1000
HANG_S = 10

_COUNTS = {"complete": "Complete requests", "failed": "Failed requests", "refused": "Non-2xx responses"}


def installed() -> bool:
    """Whether `ab` is on this machine's PATH."""
    return shutil.which(PROGRAM) is not None


def run(spec: LoadSpec, body: bytes) -> LoadReport:
    """Let `ab` send `body` again and again, `spec.concurrency` at once, `spec.max_requests` in all (1,000 unless told).

    The report's `output` is what `ab` printed. Raises SpecInvalid where `ab` is not installed or is asked for what it
    cannot do, NoVerdict when it gave up.
    """
    if not installed():
        raise SpecInvalid("`ab` is not installed", hint="It comes with apache2-utils (Debian) or httpd-tools (Fedora)")
    if spec.rate_per_s:
        raise SpecInvalid("`ab` cannot send at a fixed rate", hint="Leave the rate out, or use Slipway's own load")
    with tempfile.TemporaryDirectory(prefix="slipway-ab-") as folder:
        data, percentiles = Path(folder) / "data.json", Path(folder) / "percentiles.csv"
        data.write_bytes(body)
        command = _command(spec, data, percentiles)
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=spec.duration_s + HANG_S
            )
        except subprocess.TimeoutExpired as e:
            raise NoVerdict(f"`ab` was not done after {e.timeout:.0f} s", hint="Send fewer requests") from e
        output = done.stdout.replace(spec.target.key, "$SLIPWAY_KEY") if spec.target.key else done.stdout
        if done.returncode:
            raise NoVerdict(f"`ab` gave up: {_last_line(done.stderr)}", hint="Is the endpoint running?")
        return _report(spec, output, percentiles.read_text())


def _command(spec: LoadSpec, data: Path, percentiles: Path) -> list[str]:
    headers = dict(spec.target.sent)
    if spec.deployment:
        headers[DEPLOYMENT_HEADER] = spec.deployment
    requests = spec.max_requests or REQUESTS
    # -l: replies may differ in length, which `ab` would count as failures otherwise. -q: no progress in the output.
    command = [PROGRAM, "-q", "-l", "-n", str(requests), "-c", str(min(spec.concurrency, requests)), "-s", str(HANG_S)]
    command += ["-p", str(data), "-T", "application/json", "-e", str(percentiles)]
    command += [] if spec.fresh_connections else ["-k"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    return [*command, spec.target.url + spec.target.path]


def _report(spec: LoadSpec, output: str, percentiles: str) -> LoadReport:
    counts = {name: int(_figure(output, label, "0")) for name, label in _COUNTS.items()}
    ms = _percentiles(percentiles)
    broken = counts["failed"]
    answered = counts["complete"] - broken - counts["refused"]
    return LoadReport(
        url=spec.target.url,
        requests=counts["complete"],
        failed=broken + counts["refused"],
        duration_s=float(_figure(output, "Time taken for tests")),
        requests_per_s=float(_figure(output, "Requests per second")),
        mean_ms=float(_figure(output, "Time per request")),
        p50_ms=ms[50],
        p90_ms=ms[90],
        p95_ms=ms[95],
        p99_ms=ms[99],
        max_ms=float(_figure(output, " 100%", str(ms[100]))),
        concurrency=spec.concurrency,
        rows=spec.rows,
        by_status={200: answered},
        errors={"not answered with 2xx": counts["refused"]} if counts["refused"] else {},
        fresh_connections=spec.fresh_connections,
        deployment=spec.deployment,
        label=spec.label,
        tool=PROGRAM,
        output=output,
    )


def _figure(output: str, label: str, missing: str = "") -> str:
    """The number that `ab` prints behind a label. Raises NoVerdict where it prints none."""
    found = re.search(rf"^{re.escape(label)}:?\s+([\d.]+)", output, re.MULTILINE)
    if found is None and not missing:
        raise NoVerdict(f"`ab` printed no '{label}'", hint="Its output may have changed; please report its version")
    return found[1] if found else missing


def _percentiles(text: str) -> dict[int, float]:
    """From `-e`: a heading, then lines of percent and milliseconds. The last line is 99 or 100, as `ab` likes."""
    pairs = [line.split(",") for line in text.splitlines()[1:]]
    known = {int(percent): float(ms) for percent, ms in pairs}
    return {percent: known.get(percent, max(known.values())) for percent in (50, 90, 95, 99, 100)}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
