"""The scoring path, part by part and whole, without a socket."""

import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from perf.workloads.workload import Inputs, Prepared, Workload

BODIES, ROWS = 64, 4000
"""Different bodies in turn, at most so many rows in all: one alone flatters tree code, whose branches it trains."""
SEED = 11
KEY = "a-key-for-measuring-alone"


def bodies(signature: Any, rows: int) -> list[bytes]:
    """Different bodies of so many rows each, the same for every revision that draws alike."""
    from core.contract import samples

    made = samples.rows(signature, rows * min(BODIES, ROWS // rows), SEED)
    return [samples.body(made[at : at + rows]) for at in range(0, len(made), rows)]


def _decode(rows: int) -> Callable[[Inputs], Prepared]:
    def prepare(inputs: Inputs) -> Prepared:
        from core.contract.payload import Decoder
        from core.predict.folder import load_model

        signature = load_model(inputs.single).signature
        decode, turns = Decoder(signature), cycle(bodies(signature, rows))

        def check(request: Any) -> None:
            assert request.rows == rows
            assert len(request.columns) == len(signature.used)

        return Prepared(lambda: decode(next(turns)), check)

    return prepare


def _encode(rows: int, method: str) -> Callable[[Inputs], Prepared]:
    def prepare(inputs: Inputs) -> Prepared:
        from core.contract import samples
        from core.contract.payload import Decoder, encode_reply
        from core.predict.folder import load_model

        model = load_model(inputs.single)
        made = samples.rows(model.signature, rows, SEED)
        request = Decoder(model.signature)(samples.body(made, method=method))
        probabilities = model.probabilities(request.columns)

        def check(reply: bytes) -> None:
            assert len(json.loads(reply)["result"]) == rows

        return Prepared(lambda: encode_reply(request, model.signature, probabilities), check)

    return prepare


def _predict(rows: int, model_of: Callable[[Inputs], Path]) -> Callable[[Inputs], Prepared]:
    def prepare(inputs: Inputs) -> Prepared:
        from core.contract.payload import Decoder
        from core.predict.folder import load_model

        model = load_model(model_of(inputs))
        decode = Decoder(model.signature)
        turns = cycle([decode(body).columns for body in bodies(model.signature, rows)])

        def check(probabilities: Any) -> None:
            assert probabilities.shape == (rows, 2)
            assert abs(probabilities.sum(axis=1) - 1).max() < 1e-9

        return Prepared(lambda: model.probabilities(next(turns)), check)

    return prepare


def _request(rows: int, model_of: Callable[[Inputs], Path]) -> Callable[[Inputs], Prepared]:
    """At most some 80 rows: larger bodies are scored beside the event loop, which is not here."""

    def prepare(inputs: Inputs) -> Prepared:
        from core.serving.http import Head

        folder = inputs.scratch / f"request-{rows}-{model_of(inputs).name}"
        app, telemetry = _app(folder, model_of(inputs))
        turns = _heads(bodies(app.now.deployments["v1"].predictor.signature, rows), Head)

        def answer() -> bytes:
            head, body = next(turns)
            exchange, settled = app.begin(head)
            assert settled is None
            return app.encode(exchange, app.finish(exchange, body), closing=None)  # type: ignore[arg-type]

        def check(reply: bytes) -> None:
            head, _, body = reply.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert len(json.loads(body)["result"]) == rows

        def close() -> None:
            app.close()
            telemetry.close()

        return Prepared(answer, check, close)

    return prepare


def _heads(bodies: list[bytes], head: Any) -> Iterator[tuple[Any, bytes]]:
    sent = {b"authorization": f"Bearer {KEY}".encode(), b"content-type": b"application/json"}
    return cycle([(head("POST", "/score", b"", {**sent, b"content-length": str(len(b)).encode()}), b) for b in bodies])


def endpoint_file(folder: Path, model: Path, port: int) -> Path:
    """An endpoint file with one deployment that has all traffic, in a folder that may be there already."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "format": 1,
        "version": 1,
        "endpoint": "perf",
        "host": "127.0.0.1",
        "port": port,
        "key_digests": [hashlib.sha256(KEY.encode()).hexdigest()],
        "traffic": {"v1": 100},
        "mirror": {},
        "limits": {},
        "telemetry_dir": str(folder / "telemetry"),
        "status_file": str(folder / "status.json"),
        "deployments": {"v1": {"folder": str(model.absolute()), "model": "perf", "model_version": 1}},
    }
    (folder / "endpoint.json").write_text(json.dumps(content), "utf-8")
    return folder / "endpoint.json"


def _app(folder: Path, model: Path) -> tuple[Any, Any]:
    """The server's application, and the records that it writes, whose thread ends only when it is closed."""
    from core.predict.folder import load_model
    from core.serving.app import App
    from core.serving.metrics import Metrics
    from core.serving.state import State
    from core.serving.telemetry import Telemetry

    state = State(endpoint_file(folder, model, 9), load_model)
    telemetry = Telemetry(folder / "telemetry", log_fd=None)
    return App(state, telemetry, draw=lambda: 0.0, metrics=Metrics()), telemetry


def _document(inputs: Inputs) -> Prepared:
    from core.contract.openapi import document
    from core.domain.endpoint import EndpointLimits
    from core.predict.folder import load_model

    signature, limits = load_model(inputs.single).signature, EndpointLimits()

    def check(made: dict[str, Any]) -> None:
        assert made["openapi"] == "3.1.0"
        assert "/score" in made["paths"]

    return Prepared(lambda: document(signature, title="perf", version="3.1", limits=limits), check)


def _single(inputs: Inputs) -> Path:
    return inputs.single


def _ensemble(inputs: Inputs) -> Path:
    return inputs.ensemble


WORKLOADS = (
    Workload("payload decode, 2 rows", "rows x columns", _decode(2), quick=True),
    Workload("payload decode, 100 rows", "rows x columns", _decode(100)),
    Workload("payload encode, 2 rows", "rows", _encode(2, "predict"), quick=True),
    Workload("payload encode, 100 rows of probabilities", "rows x classes", _encode(100, "predict_proba")),
    *(
        Workload(f"predict, {rows} rows", "rows x trees x depth", _predict(rows, _single), quick=rows == 2)
        for rows in (1, 2, 100, 1000)
    ),
    *(
        Workload(f"predict ensemble, {rows} rows", "rows x trees x depth", _predict(rows, _ensemble), quick=rows == 2)
        for rows in (1, 2, 100, 1000)
    ),
    Workload("request in process, 2 rows", "rows x columns, trees", _request(2, _single), quick=True),
    Workload("request in process, 50 rows", "rows x columns, trees", _request(50, _single)),
    Workload("document build", "columns x levels", _document),
)
