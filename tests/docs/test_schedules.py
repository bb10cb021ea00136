"""What the documents say of schedules works: every command of the section, in its order, without a service."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from local_world import World

from core.cli.command import Context
from core.cli.main import main
from core.definitions import shipped
from core.domain.data import DataAsset
from core.local.workspace import open_local
from core.workspace.service import Service

PIPELINES = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text("utf-8")


def test_every_command_about_schedules_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    section = PIPELINES.split("\n## Schedules\n")[1].split("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for line in block.splitlines()]
    world = World(tmp_path / "home")
    bank: DataAsset = replace(world.data, name="bank")
    world.store.data.add(bank)
    context = Context(world.settings, {})
    context.__dict__["workspace"] = replace(open_local(world.settings), service=Service())
    for spec in shipped():
        context.workspace.pipelines.publish(spec)
    for line in lines:
        assert main(shlex.split(line)[3:], lambda _: context) == 0, (line, capsys.readouterr().err)
    told = capsys.readouterr()
    assert "Every 2 weeks on Monday and Thursday at 08:00 and 20:00, New York time" in told.out
    assert "Every weekday at 06:00, Berlin time" in told.err
    assert [schedule.spec.name for schedule in context.workspace.schedules.list()] == ["nightly", "on-new-data"]
    world.close()
