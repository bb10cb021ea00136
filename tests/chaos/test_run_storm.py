"""Pipeline runs under many more strikes than in `make test`: of the service, of steps, of everything at once."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_world import World
from storm import KINDS, Storm

pytestmark = pytest.mark.chaos

SEED = int(os.environ.get("SLIPWAY_CHAOS_SEED", "0")) or int(time.time())
EACH = 50


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "workspace")
    yield made
    made.close()


def test_every_run_ends_well_under_fifty_strikes_of_each_kind(world: World, tmp_path: Path) -> None:
    storm = Storm(world, tmp_path, SEED, going=2)
    strikes = [kind for kind in KINDS for _ in range(EACH)]
    storm.draw.shuffle(strikes)
    for kind in strikes:
        storm.strike(kind)
    storm.calm()
    assert storm.struck == dict.fromkeys(KINDS, EACH)
