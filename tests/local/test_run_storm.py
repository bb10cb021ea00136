"""Pipeline runs under kill -9 of the service, of steps, and of everything at once, at instants drawn by seed.

`tests/chaos` does many times as many.
"""

import os
import time
from pathlib import Path

from local_world import World
from storm import KINDS, Storm
from turns import on_day

SEED = int(os.environ.get("SLIPWAY_CHAOS_SEED", "0")) or int(time.time())
EACH = 3


@on_day(2, 3)
def test_every_run_ends_well_and_no_step_that_was_done_is_done_again(world: World, tmp_path: Path) -> None:
    storm = Storm(world, tmp_path, SEED)
    strikes = [kind for kind in KINDS for _ in range(EACH)]
    storm.draw.shuffle(strikes)
    for kind in strikes:
        storm.strike(kind)
    storm.calm()
    assert storm.struck == dict.fromkeys(KINDS, EACH)
