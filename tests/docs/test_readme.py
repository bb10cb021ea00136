"""What the documents say is so."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.cli.main import parser
from core.domain.version import VERSION
from core.settings import TABLE

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = [
    ROOT / name for name in ("README.md", "CHANGELOG.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")))
]


PIPELINES = (ROOT / "docs" / "pipelines.md").read_text("utf-8")


def commands(document: str = README) -> list[str]:
    """Every line of a document's shell blocks, continued lines joined."""
    blocks = re.findall(r"```sh\n(.*?)```", document, flags=re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


@pytest.mark.parametrize(
    "line", [line for line in (*commands(), *commands(PIPELINES)) if line.startswith("python -m core ")]
)
def test_every_command_of_the_readme_and_of_the_pipelines_is_one(line):
    words = shlex.split(line, comments=True)[3:]
    assert parser(words).parse_args(words).command.words.split()[0] == words[0]


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("make ")])
def test_every_verb_of_the_readme_is_one(line):
    words = shlex.split(line, comments=True)
    listed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert f"make {words[1]} " in listed


def test_no_other_program_is_needed_for_the_tour():
    assert {line.split()[0] for line in commands()} == {"make", "python", "curl", "export"}


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_every_setting_stands_in_the_readme(setting):
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{setting.variable}` |")]
    _, default, unit, help_ = (cell.strip() for cell in row.strip("|").split("|"))
    assert (unit, help_) == (setting.unit, setting.help)
    if setting.name not in ("home", "data_dir", "data_url", "threads"):  # said in words, since they name a place
        assert type(setting.default)(default) == setting.default or default == str(int(setting.default))


def test_the_readme_has_no_setting_that_does_not_exist():
    known = {setting.variable for setting in TABLE} | {"SLIPWAY_KEY"}
    assert set(re.findall(r"SLIPWAY_[A-Z_]+", README)) == known


def test_the_readme_begins_with_three_sentences():
    opening = README.split("## ")[0].removeprefix("# Slipway").replace("\n", " ").strip()
    assert len(re.findall(r"[.](?=\s|$)", opening)) == 3


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION
    assert re.findall(r"^## (\d\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)[0] == VERSION


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_direct_dependency_has_its_reason():
    told = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    wanted = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    names = [re.split(r"[><=; ]", line)[0] for line in wanted if line and not line.startswith("#")]
    assert [name for name in names if f"`{name}`" not in told] == []


def test_every_layer_stands_in_the_architecture():
    told = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    parts = {path.stem if path.is_file() else path.name for path in (ROOT / "core").iterdir()} - {
        "__init__",
        "__main__",
    }
    assert [part for part in sorted(parts - {"__pycache__"}) if not re.search(rf"core/{part}\b", told)] == []


def test_every_place_that_the_architecture_names_is_there():
    told = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    places = re.findall(r"`([a-z_]+/[a-z_/]+(?:\.py)?)`", told)
    assert len(places) > 20
    assert [place for place in places if not any((root / place).exists() for root in (ROOT, ROOT / "core"))] == []


def test_the_documented_python_is_the_one_that_is_declared():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert declared == ">=3.11,<3.14"
    assert "Python 3.11, 3.12 or 3.13" in README
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in ("3.11", "3.12", "3.13")


@pytest.mark.parametrize("name", ["home", "leaderboard", "quality"])
def test_the_readme_opens_with_small_pictures_of_the_app(name):
    picture = ROOT / "docs" / "images" / f"{name}.png"
    opening = README.partition("\n## ")[0]

    assert f"(docs/images/{name}.png)" in opening
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 200_000
