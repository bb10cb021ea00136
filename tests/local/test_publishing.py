"""Publishing steps with code of their own: the code is kept by what it is, before the version that names it."""

from pathlib import Path

import pytest
from local_world import World

from core.definitions.code import identity, pack
from core.domain.errors import Forbidden, SourceUnreadable, SpecInvalid
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.local.workspace import open_local

CLEAN = PipelineStep("clean", StepKind.PYTHON, settings={"function": "clean:run"})
SPEC = PipelineSpec("own", (CLEAN,))


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    (tmp_path / "clean.py").write_text("def run():\n    return {}\n")
    return pack(tmp_path / "clean.py")


def test_code_is_kept_under_its_own_name_and_the_version_names_it(world: World, archive: bytes) -> None:
    workspace = open_local(world.settings)
    published = workspace.pipelines.publish(SPEC, code={"clean": archive})
    (step,) = published.spec.steps
    assert step.code == identity(archive)
    assert world.paths.pipeline_code(step.code).read_bytes() == archive
    assert workspace.pipelines.publish(SPEC, code={"clean": archive}) == published, "the same again"
    assert workspace.pipelines.publish(published.spec) == published, "a published definition names its code"
    other = workspace.pipelines.publish(SPEC, code={"clean": archive + b"\0"})
    assert (other.version, other.spec.steps[0].code) == (2, identity(archive + b"\0"))


def test_code_that_is_not_there_is_refused_and_nothing_is_published(world: World, archive: bytes) -> None:
    workspace = open_local(world.settings)
    made = PipelineStep("clean", StepKind.PYTHON, settings={"function": "clean:run"}, code="../../etc/passwd")
    for spec, code, said in [
        (SPEC, {}, "Step 'clean' has no code"),
        (SPEC, {"cleam": archive}, "code for 'cleam'"),
        (PipelineSpec("own", (made,)), {}, "names code that this workspace does not hold"),
    ]:
        with pytest.raises(SpecInvalid, match=said):
            workspace.pipelines.publish(spec, code=code)
    assert workspace.pipelines.list() == ()


@pytest.mark.parametrize("kind", [StepKind.PYTHON, StepKind.COMMAND])
def test_code_is_published_from_the_command_line_alone(world: World, archive: bytes, kind: StepKind) -> None:
    settings = {"function": "clean:run"} if kind is StepKind.PYTHON else {"command": ["rm", "-r", "/"]}
    spec = PipelineSpec("own", (PipelineStep("clean", kind, settings=settings),))
    with pytest.raises(Forbidden) as refused:
        open_local(world.settings, confined=True).pipelines.publish(spec, code={"clean": archive})
    assert refused.value.hint == "Publish steps with code from the command line"


def test_a_table_that_any_parameter_names_is_read_in_the_allowed_folders_alone(world: World) -> None:
    free, door = open_local(world.settings), open_local(world.settings, confined=True)
    command = PipelineStep("count", StepKind.COMMAND, settings={"command": ["wc", "-l", "${table}"]})
    spec = PipelineSpec("count", (command,), parameters=(Parameter("table", ParameterType.DATA, "/etc/hostname"),))
    free.pipelines.publish(spec)
    door.pipelines.trigger("count", "nightly")  # its publisher named the path
    with pytest.raises(SourceUnreadable, match="is outside the folders"):
        door.pipelines.trigger("count", "nightly", {"table": "/etc/passwd"})
    prepare = PipelineStep("prepare", StepKind.PREPARE, settings={"data": "${table}"})
    with pytest.raises(SourceUnreadable, match="is outside the folders"):
        door.pipelines.publish(PipelineSpec("read", (prepare,), parameters=spec.parameters))
    required = (Parameter("table", ParameterType.DATA),)
    assert door.pipelines.publish(PipelineSpec("read", (prepare,), parameters=required)).version == 1
    with pytest.raises(SpecInvalid, match="Parameter 'table' has no value"):
        door.pipelines.trigger("read", "nightly")
