"""The server as it is started: parent, workers, signals, and what they load."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from ending import gone
from serving_fakes import BANK_BODY, CHECKOUT, KEY, SECOND_KEY, ServerProcess, write_model
from signatures import bank_signature
from waiting import wait_until

from core.contract import samples
from core.contract.endpoint_file import FORMAT
from core.contract.snippets import snippets

WIRE = Path(__file__).resolve().parents[3] / "shared" / "azure" / "wire"

FORBIDDEN = (
    "pandas pyarrow sklearn scipy duckdb lightgbm xgboost streamlit starlette hypothesis schemathesis azure mlflow"
)
SECOND_S = 3.0
"""A second is promised on a machine that is free; here others are at work."""


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    server = ServerProcess(tmp_path_factory.mktemp("live"), limits={"max_body_mb": 1}).start()
    yield server
    server.end()


@pytest.fixture
def server(tmp_path):
    made = ServerProcess(tmp_path)
    yield made
    made.end()


def half_sent(server):
    """A connection whose request lacks the last byte of its body; what finishes it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest("POST", "/score")
    for name, value in {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(BANK_BODY)))
    connection.endheaders(BANK_BODY[:-1])

    def finish():
        connection.send(BANK_BODY[-1:])
        return connection.getresponse().status

    return finish


def test_it_says_in_the_status_file_what_it_serves(live):
    status = live.status()
    assert status["version"] == live.files.content["version"]
    assert status["format"] == FORMAT
    assert status["deployments"] == {"v1": {"state": "ready", "error": ""}}
    assert status["port"] == live.port
    assert live.files.status.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not WIRE.exists(), reason="../shared is not here")
@pytest.mark.parametrize(("name", "key"), [("data_v1_812bytes.json", "result"), ("data_v2_867bytes.json", "Results")])
@pytest.mark.contract("B2", "C4")
def test_it_answers_the_bodies_of_automl_clients_as_they_are(live, name, key):
    response = live.score(content=(WIRE / name).read_bytes())
    assert (response.status_code, response.json()) == (200, {key: ["no", "yes"]})


RUN = {
    "curl": ("client.sh", ["bash"]),
    "python": ("client.py", [sys.executable]),
    "javascript": ("client.mjs", ["node"]),
}
"""The clients that are run exactly as they are copied: the file's name, and what runs it."""


@pytest.mark.parametrize("client", RUN)
@pytest.mark.parametrize(("form", "method"), [("v1", None), ("v2", "predict_proba"), ("mlflow", "predict")])
def test_a_client_runs_as_it_is_copied(live, tmp_path, client, form, method):
    name, runner = RUN[client]
    if shutil.which(runner[0]) is None:
        pytest.skip(f"{runner[0]} is not installed")
    made = snippets(f"{live.url}/score", bank_signature(exclude=["duration"]), form=form, method=method)
    (tmp_path / name).write_text(made[client].text)
    environ = os.environ | {"SLIPWAY_KEY": KEY, "NO_PROXY": "127.0.0.1"}
    ran = subprocess.run([*runner, name], cwd=tmp_path, check=False, env=environ, capture_output=True, timeout=30)
    reply = json.loads(ran.stdout)
    answers = reply if form == "mlflow" else reply[{"v1": "result", "v2": "Results"}[form]]
    assert len(answers) == 1, ran.stderr


def test_a_connection_goes_on_after_refusals(live):
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    with httpx.Client(base_url=live.url, headers=headers) as client:
        sizes = (b" " * 2_000_000, iter([b" " * 100_000] * 20), BANK_BODY)
        statuses = [client.post("/score", content=content).status_code for content in sizes]
    assert statuses == [413, 413, 200]


@pytest.mark.contract("E3", "T1")
def test_one_line_a_request_is_logged_without_the_key(live):
    assert httpx.post(f"{live.url}/score", headers={"x-request-id": "find me"}).status_code == 401
    assert live.score(SECOND_KEY).status_code == 200
    line = wait_until(lambda: next((x for x in live.log.read_text().splitlines() if "find me" in x), None), 5)
    assert json.loads(line)["status"] == 401
    assert all(json.loads(x) for x in live.log.read_text().splitlines())
    assert KEY not in live.log.read_text()
    assert SECOND_KEY not in live.log.read_text()
    wait_until(lambda: any(r["request_id"] == "find me" for r in live.files.records()), 5)


def test_nothing_heavy_is_loaded_to_serve(tmp_path):
    model = write_model(tmp_path / "model", bank_signature())
    program = (
        "import sys, json, core.serving.__main__, core.serving.parent, core.serving.worker as worker\n"
        "from pathlib import Path\n"
        "import uvicorn.protocols.http.httptools_impl\n"
        "worker.load_model(Path(sys.argv[1]))\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(model)], cwd=CHECKOUT, capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(ran.stdout)}
    assert loaded & set(FORBIDDEN.split()) == set()


@pytest.mark.contract("K1", "K2")
def test_a_rotated_key_is_in_force_within_a_second_and_drops_no_request(server):
    server.start()
    statuses, stop = [], threading.Event()

    def drive():
        headers = {"authorization": f"Bearer {SECOND_KEY}", "content-type": "application/json"}
        with httpx.Client(headers=headers) as client:
            while not stop.is_set():
                statuses.append(client.post(f"{server.url}/score", content=BANK_BODY).status_code)

    driver = threading.Thread(target=drive)
    driver.start()
    wait_until(lambda: len(statuses) > 20, 5)
    server.files.write(key_digests=server.files.content["key_digests"][1:])
    wait_until(lambda: server.score(KEY).status_code == 401, SECOND_S)
    stop.set()
    driver.join()
    assert set(statuses) == {200}
    wait_until(lambda: server.status()["version"] == server.files.content["version"], SECOND_S)


@pytest.mark.contract("K1", "K2")
def test_a_rotated_key_waits_for_no_large_body_and_for_no_model_that_is_being_loaded(tmp_path):
    server = ServerProcess(tmp_path, limits={"workers": 2}).start()
    large = samples.body(samples.rows(bank_signature(exclude=["duration"]), 4000, seed=1))
    unloadable = tmp_path / "unloadable"
    unloadable.mkdir()
    os.mkfifo(unloadable / "signature.json")  # who reads it waits for somebody who writes
    stop, statuses = threading.Event(), set()

    def drive():
        while not stop.is_set():
            statuses.add(server.score(SECOND_KEY, large).status_code)

    drivers = [threading.Thread(target=drive) for _ in range(12)]
    try:
        first, second = wait_until(lambda: len(w := server.workers()) == 2 and w, 5)
        for driver in drivers:
            driver.start()
        wait_until(lambda: 200 in statuses, 10)
        deployments = server.files.content["deployments"] | {"v2": server.files.deployment(str(unloadable), 2)}
        server.files.write(deployments=deployments, key_digests=server.files.content["key_digests"][1:])
        wait_until(lambda: server.score(KEY).status_code == 401, 5.0)
        for silent in (first, second):
            silent.suspend()
            wait_until(lambda: server.score(KEY, b"").status_code == 401, 5.0)
            silent.resume()
    finally:
        stop.set()
        for driver in drivers:
            driver.join()
        server.end()
    assert statuses <= {200, 429}


@pytest.mark.contract("K4")
def test_a_killed_worker_is_replaced(server):
    server.start()
    (worker,) = server.workers()
    worker.kill()
    (other,) = wait_until(lambda: [w for w in server.workers() if w.pid != worker.pid], 5)
    wait_until(lambda: server.status()["deployments"], 10)
    assert server.score().status_code == 200
    assert other.is_running()


@pytest.mark.contract("K4")
def test_workers_end_when_their_parent_is_killed_and_the_port_is_free_again(server):
    server.start()
    workers = server.workers()
    server.process.kill()
    server.process.wait()
    server.start()
    assert server.score().status_code == 200
    wait_until(lambda: all(map(gone, workers)), 5)


@pytest.mark.contract("K4")
def test_a_request_in_flight_is_answered_after_sigterm(server):
    server.start()
    finish = half_sent(server)
    server.score()
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: not accepts(server.port), 5)
    assert finish() == 200
    assert server.process.wait(10) == 0
    assert [r["status"] for r in server.files.records()] == [200, 200]
    assert list(server.files.telemetry.glob("*.open")) == []
    assert_the_log_is_json(server)


def assert_the_log_is_json(server):
    """Whoever reads it may rely on that: a process that crashes at its end would leave other words there."""
    lines = server.log.read_text().splitlines()
    assert all(json.loads(line) for line in lines), lines


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: the listener closed between the two packets
        return False
    return True


def test_a_tethered_server_ends_with_its_standard_input(server):
    server.start("--tether")
    workers = server.workers()
    server.process.stdin.close()
    assert server.process.wait(10) == 0
    wait_until(lambda: all(map(gone, workers)), 5)
    assert_the_log_is_json(server)


def test_a_tethered_server_that_is_told_to_end_does_not_crash_on_the_input_that_is_still_open(server):
    server.start("--tether")
    assert server.score().status_code == 200
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(10) == 0
    assert_the_log_is_json(server)


@pytest.mark.contract("R5")
def test_metrics_are_those_of_all_workers_whichever_is_asked_and_never_fall(tmp_path):
    server = ServerProcess(tmp_path, limits={"workers": 2}).start()
    counted = f'slipway_requests_total{{status="200",deployment="v1"}} {2 * 5}'
    try:
        workers = wait_until(lambda: len(w := server.workers()) == 2 and w, 5)
        for _, other in (workers, workers[::-1]):
            other.suspend()  # so that the first five are one worker's, the others the other's
            assert [server.score().status_code for _ in range(5)] == [200] * 5
            other.resume()
        for silent in workers:
            wait_until(lambda silent=silent: counted in metrics_without(server, silent), 10, every_s=0.2)
        workers[0].kill()
        wait_until(lambda: len(server.workers()) == 2 and workers[0].pid not in {w.pid for w in server.workers()}, 10)
        for _ in range(10):
            assert counted in server.get("/metrics").text
    finally:
        server.end()


def metrics_without(server, silent):
    """As the other worker tells them; what the silent one has counted was published before."""
    silent.suspend()
    try:
        return server.get("/metrics").text
    finally:
        silent.resume()


@pytest.mark.contract("K4")
def test_two_workers_share_the_socket(tmp_path):
    server = ServerProcess(tmp_path, limits={"workers": 2}).start()
    try:
        first, second = wait_until(lambda: len(w := server.workers()) == 2 and w, 5)
        first.suspend()
        assert server.score().status_code == 200
        first.resume()
        second.suspend()
        assert server.score().status_code == 200
        second.resume()
    finally:
        server.end()


def run_to_its_end(path):
    command = [sys.executable, "-m", "core.serving", "--endpoint-file", str(path)]
    ran = subprocess.run(command, check=False, cwd=CHECKOUT, capture_output=True, timeout=20)
    return ran.returncode, json.loads(ran.stderr)["error"]


def test_a_port_in_use_is_one_sentence_and_exit_code_1(server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        code, error = run_to_its_end(server.files.path)
    assert (code, error["status"]) == (1, 409)
    assert f"Port {server.port} on 127.0.0.1" in error["message"]
    assert error["hint"]


def test_a_number_that_is_no_port_is_one_sentence_and_exit_code_1(server):
    server.files.write(port=70_000)
    code, error = run_to_its_end(server.files.path)
    assert (code, error["status"], error["message"]) == (1, 400, "70000 is not a valid port")


def test_a_missing_endpoint_file_is_one_sentence_and_exit_code_1(tmp_path):
    code, error = run_to_its_end(tmp_path / "nowhere.json")
    assert (code, error["status"]) == (1, 400)
    assert "nowhere.json cannot be read" in error["message"]
