"""The batch job against an endpoint of two models that disagree, killed at every step that it has."""

import csv
import gzip
import io
import json
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from local_world import World
from turns import sets_in_turn

from core.cli.command import Context
from core.cli.main import main
from core.domain.batch import BatchSpec
from core.domain.data import ColumnKind
from core.domain.errors import SlipwayError
from core.domain.job import Job, JobKind, JobState
from core.domain.signature import Column, Signature
from core.local.machine.failpoints import Failpoint, arm
from core.local.workspace import open_local
from core.workspace.service import Service

ROWS = 2100
"""Three chunks."""
SURE = {"v1": 0.9, "v2": 0.1}
"""How probable `yes` is to each deployment, for any row."""
POINTS = [(point, 1) for point in Failpoint if point.startswith("batch.")]
POINTS += [(Failpoint.JOB_DONE, 1), (Failpoint.BATCH_CHUNK_COUNTED, 2), (Failpoint.BATCH_SWEPT, 3)]


class TwoModels(ThreadingHTTPServer):
    """Answers as an endpoint whose traffic alternates between `v1` and `v2`, unless one is asked for by name."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Scorer)
        self.turn = count()
        self.rows: list[dict[str, object]] = []
        """All that were sent, in the order in which they were."""

    def __enter__(self) -> "TwoModels":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Scorer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TwoModels

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.rows += request["data"]
        by = self.headers.get("azureml-model-deployment") or ("v1", "v2")[next(self.server.turn) % 2]
        yes = SURE[by]
        answer = [1 - yes, yes] if request["method"] == "predict_proba" else ("yes" if yes > 0.5 else "no")
        body = json.dumps({"result": [answer] * len(request["data"])}).encode()
        self.send_response(200)
        self.send_header("azureml-model-deployment", by)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[TwoModels]:
    with TwoModels() as made:
        yield made


@pytest.fixture
def endpoint(world: World, server: TwoModels) -> str:
    world.add_endpoint("bank", server.server_address[1])
    world.deploy("bank", "v1")
    world.deploy("bank", "v2", "other")
    world.store.endpoints.set_traffic("bank", {"v1": 50, "v2": 50}, None, 1.0, "Ada")
    return "bank"


@pytest.fixture
def table(world: World, tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    path.write_text("age,name\n" + "".join(f"{20 + i % 60},p{i}\n" for i in range(ROWS)))
    return open_local(world.settings).data.register("people", str(path)).name


def scored(world: World, job_id: str) -> list[dict[str, str]]:
    with io.TextIOWrapper(open_local(world.settings).jobs.open_output(job_id), "utf-8", newline="") as file:
        return list(csv.DictReader(file))


def submit(world: World, endpoint: str, table: str, **changes: str) -> str:
    return world.add_job(BatchSpec(endpoint, table, 1, **changes))


def test_one_deployment_scores_all_rows_and_both_their_parts(world: World, endpoint: str, table: str) -> None:
    job = world.run_here(submit(world, endpoint, table))
    assert (job.state, job.message) == (JobState.SUCCEEDED, "")
    answers = {(row["prediction"], row["probability_yes"]) for row in scored(world, job.id)}
    assert answers in ({("yes", "0.9")}, {("no", "0.1")})
    assert job.result.deployment in SURE


def test_every_row_is_sent_once(world: World, server: TwoModels, endpoint: str, table: str) -> None:
    world.run_here(submit(world, endpoint, table))
    assert len(server.rows) == ROWS


def test_a_deployment_that_is_asked_for_scores_them(world: World, endpoint: str, table: str) -> None:
    job = world.run_here(submit(world, endpoint, table, deployment="v2"))
    assert {row["prediction"] for row in scored(world, job.id)} == {"no"}
    assert job.result.deployment == "v2"


@pytest.mark.parametrize(("point", "time_"), sets_in_turn(POINTS, 3), ids=str)
def test_a_job_that_is_killed_at_any_step_ends_with_every_row_once(
    world: World, endpoint: str, table: str, tmp_path: Path, point: Failpoint, time_: int
) -> None:
    job_id = submit(world, endpoint, table)
    arm(tmp_path / "points", point, time_)
    assert world.attempt(job_id, tmp_path / "points") == -signal.SIGKILL, "it was killed where it was armed"
    assert world.job(job_id).state is JobState.RUNNING
    # Traffic has moved on meanwhile; the rows that are left go to whom the others went.
    world.store.endpoints.set_traffic("bank", {"v2": 100}, None, 1.0, "Ada")
    job, rows = world.run_here(job_id), scored(world, job_id)
    assert [row["name"] for row in rows] == [f"p{i}" for i in range(ROWS)]
    assert len({(row["prediction"], row["probability_yes"]) for row in rows}) == 1
    assert (job.result.rows, job.result.scored, job.result.refused) == (ROWS, ROWS, 0)
    left = {path.name for path in world.paths.job(job_id).iterdir()}
    assert not [name for name in left if name.startswith((".", "chunks"))]


def test_a_deployment_that_goes_away_in_between_is_named(
    world: World, endpoint: str, table: str, tmp_path: Path
) -> None:
    job_id = submit(world, endpoint, table, deployment="v2")
    arm(tmp_path / "points", Failpoint.BATCH_CHUNK_COUNTED)
    world.attempt(job_id, tmp_path / "points")
    world.store.endpoints.set_traffic("bank", {"v1": 100}, None, 1.0, "Ada")
    world.store.deployments.drop("bank", "v2")
    job = world.run_here(job_id)
    assert job.state is JobState.FAILED
    assert job.message == "Endpoint 'bank' no longer has deployment 'v2', which scored part of the table"


@pytest.mark.parametrize("kind", ["csv", "semicolons", "gz", "parquet", "jsonl"])
def test_a_file_of_any_kind_is_scored_without_being_registered(
    world: World, endpoint: str, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, kind)
    workspace = open_local(world.settings)
    before = workspace.data.list()
    job = run_batch(world, endpoint, str(path))
    path.unlink()  # the job has its own
    job = world.run_here(job.id)
    assert (job.state, job.message) == (JobState.SUCCEEDED, "")
    assert [(row["age"], row["name"]) for row in scored(world, job.id)] == [(str(20 + i), f"p{i}") for i in range(30)]
    assert workspace.data.list() == before
    assert not list(world.paths.job(job.id).glob("*.parquet"))
    assert list(world.paths.incoming.iterdir()) == []


CODES = Signature((Column("zip", ColumnKind.STRING, nullable=False, typical="00712"),), "y", ("no", "yes"), "yes")


def test_labels_keep_the_models_threshold(world: World, server: TwoModels, tmp_path: Path) -> None:
    world.add_endpoint("bank", server.server_address[1])
    world.deploy("bank", "v1", signature=replace(CODES, threshold=0.95))
    world.store.endpoints.set_traffic("bank", {"v1": 100}, None, 1.0, "Ada")
    path = tmp_path / "zips.csv"
    path.write_text("zip\n1e5\n")
    job = world.run_here(run_batch(world, "bank", str(path)).id)
    assert [(row["prediction"], row["probability_yes"]) for row in scored(world, job.id)] == [("no", "0.9")]


@pytest.mark.parametrize("register", [False, True])
def test_codes_without_a_leading_zero_stay_text_for_a_model_that_knows_text(
    world: World, server: TwoModels, tmp_path: Path, register: bool
) -> None:
    world.add_endpoint("bank", server.server_address[1])
    world.deploy("bank", "v1", signature=CODES)
    world.store.endpoints.set_traffic("bank", {"v1": 100}, None, 1.0, "Ada")
    path = tmp_path / "zips.csv"
    path.write_text("zip,n\n10115,1\n80331,2\n1e5,3\n" if not register else "zip,n\n10115,1\n80331,2\n")
    job = world.run_here(run_batch(world, "bank", str(path), *(("--register", "zips") if register else ())).id)
    assert (job.state, job.result.refused) == (JobState.SUCCEEDED, 0)
    assert [row["zip"] for row in server.rows] == ["10115", "80331", "1e5"][: len(server.rows)]
    assert len(server.rows) == (2 if register else 3)


def test_a_file_is_registered_where_that_is_asked_for(world: World, endpoint: str, tmp_path: Path) -> None:
    job = run_batch(world, endpoint, str(written(tmp_path, "csv")), "--register", "people")
    assert (job.spec.data, job.spec.data_version, job.spec.source) == ("people", 1, "")


def test_a_registered_table_is_meant_before_a_file(world: World, endpoint: str, table: str) -> None:
    assert run_batch(world, endpoint, table).spec.data == table


@pytest.mark.parametrize("wrong", ["nothing", "nothing:x", "./nothing.csv"])
def test_a_table_that_is_neither_is_refused_in_a_sentence(
    world: World, endpoint: str, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["endpoint", "batch", endpoint, wrong], lambda _: Here(world))
    told = capsys.readouterr().err
    assert code != 0
    assert "There is no" in told
    assert "Traceback" not in told
    assert world.store.jobs.list(JobKind.BATCH) == ()


class Here(Context):
    """The command line over this world, whose service is run by hand: to it there is none."""

    def __init__(self, world: World) -> None:
        super().__init__(world.settings, {})
        self.__dict__["workspace"] = replace(open_local(world.settings), service=Service())


def run_batch(world: World, endpoint: str, *words: str) -> Job:
    assert main(["endpoint", "batch", endpoint, *words], lambda _: Here(world)) == 0
    return world.store.jobs.list(JobKind.BATCH)[0]


def written(folder: Path, kind: str) -> Path:
    """Thirty people in a file of that kind."""
    rows = [{"age": 20 + i, "name": f"p{i}"} for i in range(30)]
    path = folder / {"semicolons": "p.txt", "gz": "p.csv.gz"}.get(kind, f"p.{kind}")
    comma = ";" if kind == "semicolons" else ","
    text = f"age{comma}name\n" + "".join(f"{row['age']}{comma}{row['name']}\n" for row in rows)
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows) if kind == "jsonl" else text)
    return path


def test_a_file_is_scored_from_its_own_copy_by_its_own_name(world: World, endpoint: str) -> None:
    workspace = open_local(world.settings)
    table = b"age,name\n" + b"".join(f"{20 + i},p{i}\n".encode() for i in range(30))
    job = workspace.jobs.submit_file(BatchSpec(endpoint, source="/a/b/K\u00e4ufer.csv"), io.BytesIO(table))
    assert (job.state, job.spec.source) == (JobState.QUEUED, "K\u00e4ufer.csv")
    assert [path.name for path in world.paths.job(job.id).iterdir()] == ["table.parquet"]
    assert world.run_here(job.id).result.rows == 30
    assert [asset.name for asset in workspace.data.list()] == ["t"], "the world's own"


@pytest.mark.parametrize(
    ("table", "said"), [(b"name\nAda\nEve\n", "'t.csv' lacks a column"), (b"", "is empty"), (b"PK\x03\x04", "zip")]
)
def test_a_file_that_cannot_be_scored_is_refused_by_its_name_and_nothing_of_it_stays(
    world: World, endpoint: str, table: bytes, said: str
) -> None:
    workspace = open_local(world.settings)

    def kept() -> list[object]:
        files = [path for kind in ("incoming", "jobs", "data") for path in (world.settings.home / kind).glob("*")]
        return [workspace.jobs.list(), workspace.data.list(), sorted(files)]

    before = kept()
    with pytest.raises(SlipwayError, match=said) as refused:
        workspace.jobs.submit_file(BatchSpec(endpoint, source="t.csv"), io.BytesIO(table))
    assert "/" not in refused.value.message
    assert kept() == before
