"""Slipway itself: one LightGBM from its own search, packaged and served as any deployment is."""

import hashlib
import time
from pathlib import Path

import msgspec

from core.contract.payload import Decoder
from core.domain.endpoint import EndpointLimits
from core.domain.errors import SlipwayError
from core.domain.training import Algorithm, TrainingSpec
from core.ml.executor import InProcessExecutor
from core.ml.profile import profile_table
from core.ml.search import search
from core.packaging.write import write_model
from core.predict.folder import load_model
from core.serving.endpoint_file import FORMAT, DeploymentFile, EndpointFile
from perf.peers.comparison import OURS, PeerFailed
from perf.peers.scoring import KEY, Command, Shared

NAME = OURS
SUBJECT = "scoring"
PYTHON = ""
REQUIREMENTS = ()

SEARCH_S = 120.0


def server(python: Path, shared: Shared, port: int) -> Command:
    """One worker of `python -m core.serving`, with telemetry, as in production."""
    folder = shared.options.model or shared.work / "model"
    if not folder.is_dir():
        _train(shared, folder)
    _refuse_other_columns(folder, shared)
    home = shared.work / "endpoint"
    home.mkdir(exist_ok=True)
    file = home / "endpoint.json"
    file.write_bytes(msgspec.json.encode(_endpoint(home, folder, port)))
    return Command([str(python), "-m", "core.serving", "--endpoint-file", str(file)])


def _endpoint(home: Path, folder: Path, port: int) -> EndpointFile:
    return EndpointFile(
        format=FORMAT,
        version=1,
        endpoint="peer",
        host="127.0.0.1",
        port=port,
        key_digests=(hashlib.sha256(KEY.encode()).hexdigest(),),
        traffic={"v1": 100},
        limits=EndpointLimits(),
        telemetry_dir=str(home / "telemetry"),
        status_file=str(home / "status.json"),
        deployments={"v1": DeploymentFile(str(folder.absolute()), "peer", 1)},
    )


def _train(shared: Shared, folder: Path) -> None:
    """The first configuration of the portfolio, LightGBM alone."""
    ref = shared.asset.ref
    spec = TrainingSpec(ref, shared.target, SEARCH_S, algorithms=(Algorithm.LIGHTGBM,), max_trials=1, folds=2)
    trials = shared.work / "trials"
    trials.mkdir()
    result = search(
        shared.table,
        spec,
        profile_table(shared.table, shared.target),
        folder=trials,
        executor=InProcessExecutor(),
        clock=time.time,
        on_trial=lambda trial: None,
        should_stop=lambda: False,
    )
    write_model(folder, result, spec=spec, data=shared.asset, job_id="peers", created_at=time.time())


def _refuse_other_columns(folder: Path, shared: Shared) -> None:
    """Fail early, with the decoder's own words, on a model that was trained from another table."""
    try:
        Decoder(load_model(folder).signature)(shared.bodies[0])
    except SlipwayError as e:
        raise PeerFailed(f"{folder} does not take rows of this table: {e.message}") from e
