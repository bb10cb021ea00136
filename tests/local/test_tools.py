"""What a training job works with: its engine by name."""

import pytest

from core.domain.errors import SpecInvalid
from core.domain.training import TrainingSpec
from core.local.worker.tools import engine_named
from core.ml.search import search


def fake_engine(table, spec, profile, **options):
    """Another engine behind the same seam."""
    return f"searched {table} for {spec.target}"


def test_another_engine_takes_the_place_of_the_first():
    engine = engine_named("mine", {"mine": fake_engine, "portfolio": search})
    assert engine("t", TrainingSpec("d", "y"), None) == "searched t for y"
    assert engine_named("portfolio") is search


def test_an_unknown_engine_names_those_there_are():
    with pytest.raises(SpecInvalid, match="no AutoML engine 'magic'") as e:
        engine_named("magic")
    assert "portfolio" in e.value.hint
