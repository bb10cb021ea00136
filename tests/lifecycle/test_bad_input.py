"""What cannot become a model: each is one error that names the cause and the way out, with exit code 1."""

import json
import os
import socket
import subprocess
import sys

import living
import pytest

from core.cli.main import main

GOOD_ROWS = [f"{20 + i % 40},{'red' if i % 3 else 'blue'},{'yes' if i % 2 else 'no'}" for i in range(60)]

TABLES = {
    "empty.csv": "age,colour,y\n",
    "nothing.csv": "",
    "binary.parquet": "this is no Parquet file",
    "one_class.csv": "\n".join(["age,colour,y", *(f"{i},red,yes" for i in range(60))]),
    "many_classes.csv": "\n".join(["age,colour,y", *(f"{i},red,class {i % 120}" for i in range(600))]),
    "twice.csv": "\n".join(["age,age,y", *GOOD_ROWS]),
    "texts.csv": "\n".join(
        ["text,y", *(f"a text of its own {i * 37 % 61},{'yes' if i % 2 else 'no'}" for i in range(60))]
    ),
    "useless.csv": "\n".join(["same,empty,key,y", *(f"a,,k{i},{'yes' if i % 2 else 'no'}" for i in range(60))]),
    "few.csv": "age,colour,y\n1,red,no\n2,blue,yes\n3,red,no\n",
    "no_target.csv": "\n".join(["age,colour,y", *(f"{i % 9},red," for i in range(60))]),
    "once_each.csv": "\n".join(["age,colour,y", *(f"{i % 9},red,c{i}" for i in range(30))]),
    "one_column.csv": "\n".join(["y", *("yes" if i % 2 else "no" for i in range(60))]),
    "good.csv": "\n".join(["age,colour,y", *GOOD_ROWS]),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One workspace for all: what is refused leaves it as it was."""
    home = tmp_path_factory.mktemp("bad") / "home"
    yield home
    living.close(home)


@pytest.fixture
def refused(home, tmp_path, capsys):
    """The error document of a quickstart that must end with 1."""
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)

    def refused(data: str, target: str = "y") -> dict[str, object]:
        path = str(tmp_path / data) if data in TABLES else data
        line = ["quickstart", "--json", "--home", str(home), "--data", path, "--target", target, "--timeout", "10"]
        assert main(line) == 1
        out, _ = capsys.readouterr()
        assert out.count("\n") == 1
        document = json.loads(out)
        assert set(document) == {"error"}
        assert set(document["error"]) == {"status", "message", "hint"}
        assert document["error"]["hint"]
        return document["error"]

    return refused


@pytest.mark.parametrize(
    ("data", "target", "named"),
    [
        ("no_such_table", "y", "no_such_table"),
        ("/nowhere/table.csv", "y", "/nowhere/table.csv"),
        ("binary.parquet", "y", "binary.parquet"),
        ("empty.csv", "y", "no rows"),
        ("nothing.csv", "y", "nothing.csv"),
        ("twice.csv", "y", "age"),
        ("good.csv", "missing", "missing"),
        ("one_class.csv", "y", "one value"),
        ("many_classes.csv", "y", "120"),
        ("texts.csv", "y", "'text' has a different value in nearly every row"),
        ("useless.csv", "y", "'same' has the same value in every row; 'empty' is empty; 'key' has a different value"),
        ("few.csv", "y", "3 rows with a value of 'y', expected at least 10"),
        ("no_target.csv", "y", "no value in any row"),
        ("once_each.csv", "y", "only 0 with more than one row"),
        ("one_column.csv", "y", "it is the only one"),
    ],
)
def test_a_table_that_cannot_be_learned_is_refused_by_its_cause(refused, data, target, named):
    assert named in str(refused(data, target))


def test_nothing_was_queued_by_what_was_refused(refused, home, capsys):
    refused("one_class.csv")
    assert main(["job", "list", "--json", "--home", str(home)]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_second_service_is_refused(home):
    assert living.command(home, "service", "start").returncode == 0
    second = living.command(home, "service", "run", timeout_s=30)
    assert second.returncode != 0
    assert "service" in second.stderr.lower()


def test_an_endpoints_port_in_use_is_refused(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = living.command(home, "endpoint", "create", "taken", "--port", port, "--json")
    assert ran.returncode == 1
    assert port in json.loads(ran.stdout)["error"]["message"]


def test_the_services_port_in_use_is_refused(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ran = living.command(tmp_path / "home", "service", "start", "--json", environ={"SLIPWAY_SERVICE_PORT": port})
    assert ran.returncode == 1
    assert port in json.loads(ran.stdout)["error"]["message"]


def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "good.csv").write_text("\n".join(["age,colour,y", *(f"{i},{i}{i},{i % 2}" for i in range(60_000))]))
    quickstart = f"{sys.executable} -m core quickstart --json --data {tmp_path}/good.csv"
    commands = (
        f"mount -t tmpfs -o size=700k tmpfs {home}",
        f"{sys.executable} -m core pipeline publish --json >/dev/null",
        f"! {quickstart}",
        f"{sys.executable} -m core pipeline list --json",
        f"{sys.executable} -m core service stop >/dev/null",
    )
    in_a_small_disk = ["unshare", "-m", "sh", "-c", " && ".join(commands)]
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("only root can make a small disk")
    environ = living.environment(home)
    ran = subprocess.run(
        in_a_small_disk, cwd=living.CHECKOUT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    failed, kept = map(json.loads, ran.stdout.splitlines())
    assert failed["error"]["status"] == 507
    assert "no space left" in failed["error"]["message"]
    assert failed["error"]["hint"]
    assert [pipeline["name"] for pipeline in kept] == ["Bankmarketing Train"]
