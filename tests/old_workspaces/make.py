"""Make an archive of a small workspace as an earlier revision wrote it: `python make.py 8fb1f36 0.2.0`.

The revision's own code lives through `story`, in a folder that is gone afterwards; tests open what it left with
today's code. The words of `story` are those of the revision: who makes another archive changes them first.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]

NOT_NEEDED = ("candidate", "trials/*/native", "trials/*/parity.npy", "server.log")
"""What a workspace is whole without, and what would make the archive large."""

PIPELINE = """
name: Kunden Lauf
parameters: {data: "", model: kunden-lauf}
steps:
  - {name: prepare, kind: prepare, settings: {data: "${data}", target: kauft}}
  - {name: automl, kind: automl, needs: [prepare], settings: {target: kauft, timeout_s: 5, max_trials: 3}}
  - {name: register, kind: register, needs: [automl], settings: {model: "${model}"}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("revision")
    parser.add_argument("name", help="of the archive, without .tar.xz")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        checkout, world = Path(place) / "checkout", Path(place) / "world"
        world.mkdir()
        git = ["git", "-C", str(CHECKOUT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(checkout), options.revision], check=True)
        try:
            line = [sys.executable, __file__, "story", str(world)]
            environ = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
            environ |= {"PYTHONPATH": str(checkout), "SLIPWAY_HOME": str(world / "home"), "SLIPWAY_OFFLINE": "1"}
            subprocess.run(line, cwd=checkout, env=environ, check=True)
        finally:
            subprocess.run([*git, "remove", "--force", str(checkout)], check=True)
        _strip(world / "home")
        archive = HERE / f"{options.name}.tar.xz"
        with tarfile.open(archive, "w:xz", preset=9) as packed:
            packed.add(world, ".", filter=_nobodys)
        print(f"{archive}: {archive.stat().st_size:,} bytes", file=sys.stderr)  # noqa: T201


def _strip(home: Path) -> None:
    for pattern in NOT_NEEDED:
        for path in sorted(home.rglob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def story(world: Path) -> None:
    """A table becomes a live endpoint; batches, a load and a pipeline follow. `facts.json` says what came of it."""
    from core.definitions import parse_pipeline
    from core.domain.endpoint import DeploymentSpec, EndpointLimits, EndpointSpec, GateState
    from core.domain.job import BatchSpec, JobState
    from core.domain.monitoring import Origin
    from core.domain.proof import LoadSpec
    from core.domain.training import TrainingSpec
    from core.settings import read_settings
    from core.workspace import open_workspace

    workspace = open_workspace(read_settings(os.environ))
    workspace.service_start()

    def ended(job_id: str) -> Any:
        while not (job := workspace.job(job_id)).state.final:
            time.sleep(0.1)
        if job.state is not JobState.SUCCEEDED:
            raise SystemExit(f"{job.kind} {job.state}: {job.message}")
        return job

    table = _table(world / "kunden.csv")
    data = workspace.register_data("Kunden Österreich", str(table))
    job = ended(workspace.submit(TrainingSpec(data.ref, "kauft", 5, max_trials=4, experiment_name="kunden")).id)
    model = workspace.register_model("Kunden Österreich", job.id)
    limits = EndpointLimits(collect_model_data=True)
    workspace.create_endpoint(EndpointSpec("kunden", description="Für alle Kunden", limits=limits))
    workspace.deploy(DeploymentSpec("kunden", model.name, model.version))
    while not (gated := workspace.endpoint("kunden").deployments[0]).gate.final:
        time.sleep(0.2)
    if gated.gate is not GateState.PASSED:
        raise SystemExit(f"The gate: {gated.gate}")
    workspace.set_traffic("kunden", {gated.name: 100}, by="story")
    body = json.dumps({"Inputs": {"data": _rows(3)}, "GlobalParameters": {"method": "predict_proba"}}).encode()
    while (reply := workspace.invoke("kunden", body)).status != 200:
        time.sleep(0.2)
    for _ in range(20):
        workspace.invoke("kunden", body)
    batches = [BatchSpec("kunden", data.name, data.version), BatchSpec("kunden", source=str(table))]
    scored = [ended(workspace.submit(batch).id).id for batch in batches]
    load = LoadSpec(
        workspace.endpoint_target("kunden", Origin.LOADTEST), duration_s=1, max_requests=200, label="a second"
    )
    load_job = ended(workspace.submit(load).id)
    pipeline = workspace.publish_pipeline(parse_pipeline(PIPELINE))
    run = workspace.trigger_pipeline(pipeline.id, "kunden", {"data": str(table)})
    ended(run.id)
    time.sleep(12)  # telemetry is merged by then
    workspace.service_stop()
    facts = {
        "data": data.name, "sha256": data.sha256, "rows": data.rows, "columns": data.columns, "job": job.id,
        "trials": len(workspace.trials(job.id)), "model": model.name, "endpoint": "kunden", "deployment": gated.name,
        "body": body.decode(), "reply": reply.body, "batches": scored, "load": load_job.id,
        "pipeline": pipeline.id, "run": run.id, "requests": workspace.telemetry("kunden", 1e9, origin=None).requests,
        "models": [m.ref for m in workspace.list_models()], "jobs": [j.id for j in workspace.list_jobs()],
    }  # fmt: skip
    (world / "facts.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")


def _rows(count: int) -> list[dict[str, Any]]:
    cities = ("Köln", "München", "Wien", "Graz")
    return [
        {"alter": 20 + i * 7 % 50, "größe": 150 + i * 13 % 49 + 0.5, "stadt": cities[i * 3 % 4], "mitglied": i % 3 == 0}
        for i in range(count)
    ]


def _table(path: Path) -> Path:
    """200 customers; who is older than 45, or of Wien and tall, buys, and some do otherwise."""
    lines = ["alter,größe,stadt,mitglied,kauft"]
    for i, row in enumerate(_rows(200)):
        buys = row["alter"] > 45 or (row["stadt"] == "Wien" and row["größe"] > 170)
        cells = [str(value).lower() if isinstance(value, bool) else str(value) for value in row.values()]
        lines.append(",".join([*cells, "ja" if buys != (i % 11 == 0) else "nein"]))
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


if __name__ == "__main__":
    if sys.argv[1:2] == ["story"]:
        story(Path(sys.argv[2]))
    else:
        main()
