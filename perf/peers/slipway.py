"""Slipway itself: one LightGBM in a model folder, served as any deployment is."""

import json
from pathlib import Path

import msgspec

from core.contract.endpoint_file import DeploymentFile, EndpointFile, digest
from core.contract.payload import Decoder
from core.domain.endpoint import EndpointLimits
from core.domain.errors import SlipwayError
from core.predict.folder import load_model
from perf.models import bench
from perf.peers.comparison import OURS, PeerFailed
from perf.peers.scoring import KEY, LEAVES, ROWS, TREES, Command, Shared, records

NAME = OURS
SUBJECT = "scoring"
LABEL = "Slipway"
PYTHON = ""
REQUIREMENTS = ()


def server(python: Path, shared: Shared, port: int) -> Command:
    """One worker of `python -m core.serving`, with telemetry, as in production."""
    folder = shared.options.model or shared.work / "model"
    if not folder.is_dir():
        _fit(shared, folder)
    _refuse_other_columns(folder, shared)
    home = shared.work / "endpoint"
    home.mkdir(exist_ok=True)
    file = home / "endpoint.json"
    file.write_bytes(msgspec.json.encode(_endpoint(home, folder, port)))
    return Command([str(python), "-m", "core.serving", "--endpoint-file", str(file)])


def _endpoint(home: Path, folder: Path, port: int) -> EndpointFile:
    return EndpointFile(
        version=1,
        endpoint="peer",
        host="127.0.0.1",
        port=port,
        key_digests=(digest(KEY),),
        traffic={"v1": 100},
        limits=EndpointLimits(),
        telemetry_dir=str(home / "telemetry"),
        status_file=str(home / "status.json"),
        deployments={"v1": DeploymentFile(str(folder.absolute()), "peer", 1)},
    )


def _fit(shared: Shared, folder: Path) -> None:
    """As many trees and leaves as every peer has."""
    fitted = bench(shared.table, shared.target)
    fitted.write(folder, [(1.0, fitted.lightgbm(TREES, LEAVES))])


def _refuse_other_columns(folder: Path, shared: Shared) -> None:
    """Fail early, with the decoder's own words, on a model that was trained from another table."""
    try:
        body = json.dumps(records(shared.rows[:ROWS])).encode()
        Decoder(load_model(folder).signature)(body)
    except SlipwayError as e:
        raise PeerFailed(f"{folder} does not take rows of this table: {e.message}") from e
