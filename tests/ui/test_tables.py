"""A row of a table is opened by its box or by any of its cells."""

import pytest

from core.ui.kit import tables


@pytest.mark.parametrize(
    ("selection", "row"),
    [({"rows": [2], "cells": []}, 2), ({"rows": [], "cells": [(1, "At")]}, 1), ({"rows": [], "cells": []}, None)],
)
def test_a_click_on_any_cell_names_its_row(selection, row):
    assert tables.clicked(selection) == row
    assert "single-cell" in tables.BY_ROW
