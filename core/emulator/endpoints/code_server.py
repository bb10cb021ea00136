"""Run as a program, alone: serves one scoring script, or one MLflow model, over HTTP on loopback.

It stands on Python's own library, as its process has nothing of Slipway on its path. It ends when its standard input
does, which whoever has started it keeps open.
"""

import importlib.util
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

NONE: Mapping[str, str] = {}


class Asked:
    """A request as a script with `rawhttp` sees it: what such scripts use of Flask's."""

    def __init__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        self.method, self.headers, self.body, self.data = method, headers, body, body
        self.path, _, query = path.partition("?")
        self.args = dict(parse_qsl(query))

    def get_data(self, *_: Any, as_text: bool = False, **__: Any) -> bytes | str:
        return self.body.decode("utf-8") if as_text else self.body

    def get_json(self, *_: Any, **__: Any) -> Any:
        return json.loads(self.body)

    @property
    def json(self) -> Any:
        return self.get_json()


class AMLResponse:
    """An answer with a status and headers of the script's own choosing."""

    def __init__(self, message: Any, status_code: int, headers: Any = None, json_str: bool = False) -> None:
        self.status, self.headers = status_code, dict(headers or {})
        if isinstance(message, bytes) and not json_str:
            self.body = message
        else:
            self.body = (json.dumps(message, default=str) if json_str else str(message)).encode()


class ScoringScript:
    """`init` and `run` of a client's score.py, as Azure's inference server calls them."""

    def __init__(self, script: Path) -> None:
        sys.path.insert(0, str(script.parent))
        _offer_raw_requests()
        self._module = _load(script)
        if not callable(getattr(self._module, "run", None)):
            raise AttributeError(f"{script.name} has no function run")
        if callable(getattr(self._module, "init", None)):
            self._module.init()

    def __call__(self, asked: "Asked") -> Any:
        run = self._module.run
        return run(asked if getattr(run, "raw", False) else asked.body.decode("utf-8"))


class MlflowModel:
    """An MLflow model by its python_function flavor, with the bodies that Azure's no-code deployment takes."""

    def __init__(self, folder: Path) -> None:
        import mlflow.pyfunc  # type: ignore[import-not-found, unused-ignore]

        self._model = mlflow.pyfunc.load_model(str(folder))

    def __call__(self, asked: "Asked") -> Any:
        given = json.loads(asked.body)
        data = given.get("input_data", given.get("dataframe_split", given))
        if isinstance(data, dict) and "columns" in data:  # MLflow has brought what reads frames
            data = sys.modules["pandas"].DataFrame(data["data"], columns=data["columns"])
        answer = self._model.predict(data)
        return answer.tolist() if hasattr(answer, "tolist") else list(answer)


def _offer_raw_requests() -> None:
    """`azureml.contrib.services`, which is in Azure's images, for scripts that take a request as it came."""
    if importlib.util.find_spec("azureml") is not None:
        return

    def rawhttp(run: Any) -> Any:
        run.raw = True
        return run

    said: dict[str, dict[str, Any]] = {
        "aml_request": {"AMLRequest": Asked, "rawhttp": rawhttp},
        "aml_response": {"AMLResponse": AMLResponse},
    }
    for name in ("azureml", "azureml.contrib", "azureml.contrib.services"):
        sys.modules[name] = ModuleType(name)
    for name, things in said.items():
        module = sys.modules[f"azureml.contrib.services.{name}"] = ModuleType(name)
        vars(module).update(things)


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
            kind, headers = "application/json", {}
            try:
                answer = score(Asked(self.command, self.path, dict(self.headers), body))
                if isinstance(answer, AMLResponse):
                    sent, status, headers = answer.body, answer.status, answer.headers
                    kind = next((headers.pop(name) for name in list(headers) if name.lower() == "content-type"), kind)
                else:
                    sent, status = json.dumps(answer, default=str).encode(), 200
            except Exception as e:  # noqa: BLE001 - the client's code may raise anything, which is told
                traceback.print_exc()
                status, sent = 500, json.dumps({"message": str(e)}).encode()
            elapsed_ms = (time.perf_counter() - began) * 1000
            run = {"x-ms-run-fn-exec-ms": f"{elapsed_ms:.3f}", "x-ms-run-function-failed": str(status >= 500)}
            self._answer(status, sent, kind, {**headers, **run})

        def _answer(
            self, status: int, body: bytes, kind: str = "application/json", headers: Mapping[str, str] = NONE
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def main() -> None:
    """Load, then listen: who can connect can be answered."""
    asked = json.loads(sys.argv[1])
    # As Azure's server has it: what a script logs as information is in the deployment's log.
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    threading.Thread(target=_end_with_input, daemon=True).start()
    score = MlflowModel(Path(asked["mlflow"])) if "mlflow" in asked else ScoringScript(Path(asked["script"]))
    ThreadingHTTPServer(("127.0.0.1", asked["port"]), _handler(score)).serve_forever()


def _end_with_input() -> None:
    while os.read(0, 1 << 16):  # no buffer: its lock would be held when the interpreter ends
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
