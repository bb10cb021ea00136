"""A command line over a workspace in memory."""

import pytest
from quickstart_fakes import LifecycleFake

from core.cli.command import Context
from core.cli.main import main


class FakeContext(Context):
    """A context whose workspace is already there."""

    def __init__(self, workspace: LifecycleFake) -> None:
        super().__init__(workspace.workspace.settings, {}, sleep=lambda seconds: None)
        self.__dict__["workspace"] = workspace.workspace  # where cached_property keeps what it has opened


@pytest.fixture
def cli(capsys):
    """Run a command line; gives exit code, standard output, standard error. One workspace for the whole test."""
    made: list[LifecycleFake] = []

    def run(line: str, make=LifecycleFake, **fake) -> tuple[int, str, str]:
        def context(settings):
            made[:] = made or [make(settings, **fake)]
            return FakeContext(made[0])

        code = main(line.split(), context)
        return code, *capsys.readouterr()

    return run
