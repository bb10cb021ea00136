"""The command line against what the quickstart left running."""

import json

import pytest

from core.cli.main import main


@pytest.fixture
def cli(quickstart, capsys):
    def cli(line: str) -> tuple[int, object]:
        code = main([*line.split(), "--home", str(quickstart.home), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return cli


@pytest.mark.measures
def test_a_load_test_takes_the_key_of_the_workspaces_own_endpoint(quickstart, cli):
    code, report = cli(f"loadtest {quickstart.scoring_uri} --duration 0.5 --concurrency 2")
    assert (code, report["failed"]) == (0, 0)
    assert report["by_status"] == {"200": report["requests"]}


def test_a_wrong_key_from_a_file_wins_over_the_workspaces_and_fails(quickstart, cli, tmp_path):
    (tmp_path / "key").write_text("wrong\n")
    code, report = cli(f"loadtest {quickstart.url} --duration 0.3 --key-file {tmp_path}/key")
    assert code == 1
    assert set(report["by_status"]) == {"401"}


@pytest.mark.parametrize(
    "line",
    [
        "data list",
        "data get bankmarketing_train:1",
        "data profile bankmarketing_train --target y",
        "data sample bankmarketing_train --rows 3",
        "data lineage bankmarketing_train",
        "compute list",
        "job list --kind automl",
        "model list",
        "model get bank-marketing",
        "endpoint list",
        "endpoint get bank-marketing",
        "endpoint swagger bank-marketing --version 3.1",
        "endpoint logs bank-marketing --limit 3",
        "endpoint telemetry bank-marketing",
        "endpoint requests bank-marketing",
        "pipeline list",
        "service status",
    ],
)
def test_what_can_be_looked_at_is_json_and_holds_no_key(quickstart, cli, line):
    code, document = cli(line)
    assert code == 0
    assert quickstart.key not in json.dumps(document)


def test_the_same_quickstart_again_keeps_what_is_there(quickstart, cli):
    code, report = cli("quickstart --reuse --timeout 15")
    assert code == 0, report
    assert report["model"] == quickstart.report["model"]
    assert report["job"]["id"] == quickstart.report["job"]["id"]
