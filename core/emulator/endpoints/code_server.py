"""Run as a program, alone: serves one scoring script, or one MLflow model, over HTTP on loopback.

It stands on Python's own library, as its process has nothing of Slipway on its path. It ends when its standard input
does, which whoever has started it keeps open.
"""

import importlib.util
import json
import os
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any


class ScoringScript:
    """`init` and `run` of a client's score.py, as Azure's inference server calls them."""

    def __init__(self, script: Path) -> None:
        sys.path.insert(0, str(script.parent))
        self._module = _load(script)
        if not callable(getattr(self._module, "run", None)):
            raise AttributeError(f"{script.name} has no function run")
        if callable(getattr(self._module, "init", None)):
            self._module.init()

    def __call__(self, body: bytes) -> Any:
        return self._module.run(body.decode("utf-8"))


class MlflowModel:
    """An MLflow model by its python_function flavor, with the bodies that Azure's no-code deployment takes."""

    def __init__(self, folder: Path) -> None:
        import mlflow.pyfunc  # type: ignore[import-not-found, unused-ignore]

        self._model = mlflow.pyfunc.load_model(str(folder))

    def __call__(self, body: bytes) -> Any:
        given = json.loads(body)
        data = given.get("input_data", given.get("dataframe_split", given))
        if isinstance(data, dict) and "columns" in data:  # MLflow has brought what reads frames
            data = sys.modules["pandas"].DataFrame(data["data"], columns=data["columns"])
        answer = self._model.predict(data)
        return answer.tolist() if hasattr(answer, "tolist") else list(answer)


def _load(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    spec.loader.exec_module(module)
    return module


def _handler(score: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.partition("?")[0] == "/":
                self._answer(200, b"Healthy", "text/plain")
            elif self.path.partition("?")[0] == "/swagger.json":
                self._answer(404, json.dumps({"message": "The script publishes no swagger document"}).encode())
            else:
                self._score(b"")

        def do_POST(self) -> None:
            self._score(self.rfile.read(int(self.headers.get("content-length") or 0)))

        def _score(self, body: bytes) -> None:
            began = time.perf_counter()
            try:
                answer = score(body)
                sent = json.dumps(answer, default=str).encode()
                status = 200
            except Exception as e:  # noqa: BLE001 - the client's code may raise anything, which is told
                traceback.print_exc()
                status, sent = 500, json.dumps({"message": str(e)}).encode()
            elapsed_ms = (time.perf_counter() - began) * 1000
            self._answer(status, sent, run=f"{elapsed_ms:.3f}", failed=status != 200)

        def _answer(
            self, status: int, body: bytes, kind: str = "application/json", run: str = "", failed: bool = False
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if run:
                self.send_header("x-ms-run-fn-exec-ms", run)
                self.send_header("x-ms-run-function-failed", str(failed))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main() -> None:
    """Load, then listen: who can connect can be answered."""
    asked = json.loads(sys.argv[1])
    threading.Thread(target=_end_with_input, daemon=True).start()
    score = MlflowModel(Path(asked["mlflow"])) if "mlflow" in asked else ScoringScript(Path(asked["script"]))
    ThreadingHTTPServer(("127.0.0.1", asked["port"]), _handler(score)).serve_forever()


def _end_with_input() -> None:
    while os.read(0, 1 << 16):  # no buffer: its lock would be held when the interpreter ends
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
