"""The command line over a workspace in memory: what it prints where, and with which code it ends."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from fakes import without
from quickstart_fakes import LEAK, RED, UNDECIDED, LifecycleDataAssets, LifecycleFake

from contract_tests.reference import KEY, Reference, serving
from core.cli.endpoints import _limits as limits_given
from core.cli.main import WORDS, commands, parser
from core.domain.errors import SpecInvalid
from core.settings import read_settings
from core.workspace import Workspace


class BuggyData(LifecycleDataAssets):
    def list(self):
        return 1 / 0


def buggy(settings):
    """A workspace with a bug in it."""
    fake = LifecycleFake(settings)
    fake.workspace = replace(fake.workspace, data=BuggyData(fake))
    return fake


def test_json_is_one_document_on_one_line_and_nothing_else(cli):
    cli("data register tables/adult.csv --json")
    code, out, _ = cli("data list --json")
    assert code == 0
    assert out.count("\n") == 1
    (asset,) = json.loads(out)
    assert asset["name"] == "adult"
    assert asset["source"] == "file"


def test_common_options_stand_before_or_after_the_words(cli):
    cli("data register adult")
    assert cli("--json data list")[1] == cli("data list --json")[1] == cli("data --json list")[1]


def test_people_get_a_table(cli):
    cli("data register adult")
    _, out, _ = cli("data list")
    head, row = out.splitlines()
    assert head.split() == ["name", "version", "rows", "source", "origin", "created_at"]
    assert row.split()[:4] == ["adult", "1", "100", "file"]


def test_an_empty_list_says_none(cli):
    assert cli("data list")[:2] == (0, "none\n")
    assert cli("data list --json")[:2] == (0, "[]\n")


def test_a_failure_is_a_message_and_a_hint_on_standard_error(cli):
    code, out, err = cli("data get nowhere")
    assert (code, out) == (1, "")
    assert err == "There is no data asset 'nowhere:latest'\n`data list` shows them\n"


def test_a_failure_in_json_is_one_error_document(cli):
    code, out, _ = cli("data get nowhere --json")
    assert code == 1
    assert json.loads(out) == {
        "error": {
            "status": 404, "message": "There is no data asset 'nowhere:latest'", "hint": "`data list` shows them",
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "data",
        "data nonsense",
        "data list --nonsense",
        "data get a:b",
        "job submit --target y",
        "job submit --data t --target y --timeout 1",
        "endpoint set-traffic e v1=ten",
        "quickstart --timeout soon",
        "quickstart --timeout 1",
        "quickstart --js",
        "contract not-an-address",
        "endpoint create X!",
    ],
)
def test_wrong_use_ends_with_2_and_one_error_document(cli, line):
    code, out, _ = cli(f"{line} --json")
    assert code == 2
    assert set(json.loads(out)["error"]) == {"status", "message", "hint"}


def test_a_wrong_setting_is_wrong_use(cli, monkeypatch):
    monkeypatch.setenv("SLIPWAY_APP_PORT", "eighty")
    code, _, err = cli("data list")
    assert code == 2
    assert "SLIPWAY_APP_PORT is 'eighty', expected port" in err


def test_a_verb_that_the_backend_cannot_do_says_so(cli):
    code, out, _ = cli("model curves bank --json")
    assert code == 1
    assert json.loads(out)["error"]["status"] == 501


def serviceless(settings):
    """A workspace of a backend without a service, where what is queued is done all the same."""
    fake = LifecycleFake(settings)
    fake.running = True
    fake.workspace = without(fake.workspace, "service.start", "service.stop", "service.status")
    return fake


def test_a_backend_without_a_service_gets_through_the_command_line(cli):
    assert cli("quickstart --json", make=serviceless)[0] == 0
    for line in (
        "job submit --data bankmarketing_train --target y --wait",
        "endpoint set-traffic bank-marketing v1=100",
        "gate bank-marketing",
    ):
        code, _, err = cli(line)
        assert code == 0, f"{line}: {err}"


@pytest.mark.parametrize("verb", ["start", "run", "stop", "status", "key"])
def test_a_service_that_is_not_there_is_no_command_of_another(cli, verb):
    code, out, _ = cli(f"service {verb} --json", make=serviceless)
    assert code == 1
    assert f"service.{verb}" in json.loads(out)["error"]["message"]


def test_a_bug_is_a_traceback_and_still_one_document(cli):
    code, out, err = cli("data list --json", make=buggy)
    assert code == 1
    assert "Traceback" in err
    assert json.loads(out)["error"]["hint"].startswith("This is a bug")


def test_the_quickstart_prints_its_document_and_tells_the_rest_elsewhere(cli):
    code, out, err = cli("quickstart --json")
    assert code == 0
    assert out.count("\n") == 1
    assert json.loads(out)["endpoint"]["primary_key"] == "primary-key"
    assert LEAK in err
    assert "Registered data bankmarketing_train:1" in err


def test_the_quickstart_for_people_keeps_the_key(cli):
    code, out, err = cli("quickstart")
    assert code == 0
    assert LEAK in out
    assert "primary-key" not in out + err


@pytest.mark.parametrize(("verdict", "expected"), [(RED, 1), (UNDECIDED, 3)])
def test_a_quickstart_that_is_not_proven_still_prints_its_document(cli, verdict, expected):
    code, out, _ = cli("quickstart --json", verdict=verdict)
    assert code == expected
    assert json.loads(out)["gate"]["passed"] is False


def test_a_quickstart_without_a_model_ends_with_the_cause(cli):
    code, out, _ = cli("quickstart --json", failure="all trials failed")
    assert code == 1
    assert "all trials failed" in json.loads(out)["error"]["message"]


@pytest.mark.parametrize(("verdict", "expected"), [(RED, 1), (UNDECIDED, 3)])
def test_the_gate_command_ends_with_its_verdict(cli, verdict, expected):
    cli("quickstart --json", verdict=verdict)
    code, out, err = cli("gate bank-marketing --deployment v1 --json")
    assert code == expected
    assert json.loads(out)["checks"][0]["name"] == "parity"
    assert "performance/p99" in err


def test_the_gate_command_leaves_a_report_for_continuous_integration(cli, tmp_path):
    cli("quickstart --json", verdict=RED)
    code, _, _ = cli(f"gate bank-marketing --deployment v1 --junit {tmp_path / 'gate.xml'}")
    report = ElementTree.parse(tmp_path / "gate.xml").getroot()
    assert code == 1
    assert (report.get("name"), report.get("failures")) == ("bank-marketing.v1", "1")


def test_the_newest_report_is_shown_again_without_a_run(cli):
    cli("quickstart --json", verdict=RED)
    code, out, err = cli("gate bank-marketing --last --json")
    assert (code, json.loads(out)["deployment"]) == (1, "v1")
    assert "performance/p99" in err
    assert "Gate " not in err
    assert cli("gate bank-marketing --deployment v9 --last --json")[0] == 3


def test_a_report_that_cannot_be_written_is_said(cli, tmp_path):
    cli("quickstart --json")
    code, _, err = cli(f"gate bank-marketing --junit {tmp_path}")
    assert code != 0
    assert f"Cannot write the report to '{tmp_path}'" in err


def test_keys_are_given_where_they_are_asked_for_and_nowhere_else(cli):
    cli("quickstart")
    assert json.loads(cli("endpoint keys bank-marketing --json")[1]) == {
        "primary": "primary-key", "secondary": "secondary-key",
    }  # fmt: skip
    shown = [cli(f"{line} --json")[1] for line in ("endpoint get bank-marketing", "endpoint list", "job list")]
    assert not any("primary-key" in text for text in shown)


def test_invoke_sends_a_file_and_ends_with_1_unless_it_is_answered(cli, tmp_path):
    body = tmp_path / "body.json"
    body.write_text('{"data":[{"age":40},{"age":41}]}')
    cli("quickstart")
    code, out, _ = cli(f"endpoint invoke bank-marketing --body {body} --json")
    assert (code, json.loads(out)["body"]) == (0, {"result": ["no", "yes"]})
    assert cli("endpoint invoke bank-marketing --body nowhere.json")[0] == 1


def test_a_loaded_endpoint_that_is_not_there_gives_no_verdict(cli):
    code, out, _ = cli("loadtest http://127.0.0.1:9 --duration 0.1 --json")
    assert code == 3
    assert json.loads(out)["error"]["status"] == 503


@pytest.fixture
def key_file(tmp_path):
    (tmp_path / "key").write_text(KEY)
    return tmp_path / "key"


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ("", "1 client, each"),
        ("--concurrency 3", "3 clients, each"),
        ("--rate 50", "at most 100 connections"),
        ("--rate 50 --concurrency 1", "at most 1 connection,"),
    ],
)
def test_a_fixed_rate_has_connections_enough_that_nothing_queues_at_the_clients_end(cli, key_file, options, asked):
    with serving(Reference()) as url:
        code, out, _ = cli(f"loadtest {url} --key-file {key_file} --duration 0.2 --warmup 0 --no-ceiling {options}")
    assert code == 0
    assert asked in out


def test_only_words_that_are_there_have_commands():
    found = [(word, c) for word, (module, _) in WORDS.items() for c in commands(module) if c.words.split()[0] == word]
    everything = {c.words for module in {module for module, _ in WORDS.values()} for c in commands(module)}
    assert {c.words for _, c in found} == everything
    assert len(found) == len(everything)


@pytest.mark.parametrize("word", WORDS)
def test_every_command_explains_itself(word, capsys):
    lines = [command.words.split() for command in commands(WORDS[word][0]) if command.words.split()[0] == word]
    for line in [[word], *lines]:
        with pytest.raises(SystemExit) as ended:
            parser([word]).parse_args([*line, "--help"])
        assert ended.value.code == 0
        told = capsys.readouterr().out
        assert told
        assert "%%" not in told


MANY_OR_NONE = (
    "endpoint search bank TEXT",
    "endpoint drift-limit bank age --limit=1",
    "endpoint set-traffic bank v1=40 v2=60",
    "job compare a:1 b:2",
    "pipeline publish train.yml",
    "pipeline list-runs train",
    "azure clock forward 1d",
    "azure fault add throttled",
)
"""A line for each command with an argument that may be left out or given several times."""


@pytest.mark.parametrize("line", MANY_OR_NONE)
def test_an_option_may_stand_anywhere(line):
    words = line.split()
    read = parser(words[:1]).parse_args
    at_the_end = read([*words, "--home", "here"])
    for place in range(2, len(words)):
        assert read([*words[:place], "--home", "here", *words[place:]]) == at_the_end
    with pytest.raises(SpecInvalid, match="--hom here"):
        read([*words, "--hom", "here"])


def test_every_command_with_an_argument_that_may_be_left_out_is_tried_so():
    found = {
        c.words
        for word in WORDS
        for c in commands(WORDS[word][0])
        for a in c.arguments
        if a.options.get("nargs") in ("?", "*", "+") and not a.flags[0].startswith("-")
    }
    assert found == {" ".join(line.split()[:2]) for line in MANY_OR_NONE}


def test_a_key_is_never_an_argument():
    named = [f for word in WORDS for c in commands(WORDS[word][0]) for a in c.arguments for f in a.flags]
    assert "--key" not in named
    with pytest.raises(SpecInvalid):
        parser(["contract"]).parse_args(["contract", "http://127.0.0.1:1", "--key", "secret"])


COLLECTIONS = {
    "data": ("data",),
    "compute": ("computes",),
    "job": ("jobs",),
    "model": ("models",),
    "endpoint": ("endpoints", "records"),
    "pipeline": ("pipelines",),
    "schedule": ("schedules",),
    "service": ("service",),
    "azure": ("service",),
}
"""Noun of the command line -> the collections whose verbs it has."""
OWN_WORDS = {
    "azure demo": "the app, on the emulation",
    "azure emulate": "no verb of a workspace: it is what clients of Azure talk to",
    "azure clock": "no verb of a workspace: what time it is in the emulation",
    "azure fault": "no verb of a workspace: what shall go wrong in the emulation",
    "job automl": "jobs.submit",
    "job continue": "jobs.extend",
    "job leaderboard": "jobs.trials, best first",
    "job wait": "jobs.get, again and again",
    "job output": "jobs.open_output",
    "model import": "models.import_folder",
    "endpoint batch": "jobs.submit",
    "endpoint drift-limit": "records.set_drift_limit",
    "endpoint feedback": "records.send_feedback",
    "pipeline disable": "pipelines.enable",
    "pipeline logs": "pipelines.step_log",
    "pipeline output": "pipelines.open_output",
    "pipeline create": "jobs.get, pipelines.publish",
    "pipeline compare": "pipelines.get_run, twice",
    "schedule disable": "schedules.enable",
    "schedule preview": "schedules.create, but for keeping it",
    "alert set": "records.set_alert",
    "alert list": "records.alerts",
    "alert events": "records.alert_events",
    "alert delete": "records.delete_alert",
}
"""Commands that are called otherwise than the verb they stand for."""


def test_the_command_line_has_the_verbs_of_the_interface():
    known = set(Workspace(read_settings({})).verbs)
    typed = {c.words for module in {module for module, _ in WORDS.values()} for c in commands(module) if " " in c.words}
    for words in typed - set(OWN_WORDS):
        noun, verb = words.replace("-", "_").split()
        assert known & {f"{collection}.{verb}" for collection in COLLECTIONS[noun]}, f"{words} is no verb of {noun}"
    assert set(OWN_WORDS) <= typed


def test_a_verb_is_understood_by_its_former_name_too(cli):
    cli("data register adult")
    assert cli("data show adult --json")[1] == cli("data get adult --json")[1] != ""


def test_a_chosen_trial_is_registered_and_the_best_where_none_is_named(cli):
    cli("data register adult")
    job = json.loads(cli("job submit --data adult --target income --json")[1])["id"]
    best = json.loads(cli(f"model register adult {job} --json")[1])
    chosen = json.loads(cli(f"model register adult {job} --trial 0 --json")[1])
    assert (best["trial"], best["version"], chosen["trial"], chosen["version"]) == (1, 1, 0, 2)
    assert [model["version"] for model in json.loads(cli(f"model list --job {job} --json")[1])] == [2, 1]
    code, _, err = cli(f"model register adult {job} --trial 9")
    assert (code, "has no trial 9" in err) == (1, True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("--app-insights off", {"app_insights": False}),
        ("--app-insights on --no-collect-model-data", {"app_insights": True, "collect_model_data": False}),
        ("--collect-model-data", {"collect_model_data": True}),
        (
            "--collect-model-data on --sample-pct 10 --masked-columns age job",
            {"collect_model_data": True, "collect_sample_pct": 10.0, "masked_columns": ("age", "job")},
        ),
    ],
)
def test_a_switch_of_an_endpoint_is_on_or_off(given, expected):
    options = parser(["endpoint"]).parse_args(["endpoint", "update", "bank", *given.split()])
    assert limits_given(options) == expected


def test_a_switch_that_is_both_is_wrong_use(cli):
    assert cli("endpoint update bank --no-app-insights on")[0] == 2
    assert cli("endpoint update bank --app-insights maybe")[0] == 2
