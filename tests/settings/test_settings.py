"""One table of settings, read once, the same in every child process."""

from pathlib import Path

import pytest

from core.domain.errors import SpecInvalid
from core.settings import TABLE, Settings, as_environment, read_settings


def test_without_variables_every_setting_has_its_default():
    settings = read_settings({})
    for row in TABLE:
        value = getattr(settings, row.name)
        assert (":".join(map(str, value)) if isinstance(value, tuple) else str(value)) == str(row.default)


def test_the_value_holds_what_the_table_names():
    assert tuple(Settings.__dataclass_fields__) == tuple(row.name for row in TABLE)


def test_a_variable_wins_over_the_default_and_a_flag_over_both():
    assert read_settings({"SLIPWAY_APP_PORT": "9000"}).app_port == 9000
    assert read_settings({"SLIPWAY_APP_PORT": "9000"}, app_port="9001").app_port == 9001
    assert read_settings({"SLIPWAY_APP_PORT": "9000"}, app_port=None).app_port == 9000


@pytest.mark.parametrize(
    ("variable", "value"), [("SLIPWAY_APP_PORT", "many"), ("SLIPWAY_OFFLINE", "perhaps"), ("SLIPWAY_RECONCILE_S", "x")]
)
def test_a_value_of_the_wrong_type_names_the_variable_and_the_value(variable, value):
    with pytest.raises(SpecInvalid, match=f"{variable} is '{value}'"):
        read_settings({variable: value})


def test_a_child_process_reads_the_same_settings(tmp_path):
    settings = read_settings({"SLIPWAY_HOME": str(tmp_path), "SLIPWAY_OFFLINE": "1", "SLIPWAY_DATA_DIR": "/a:/b"})
    assert settings.data_dir == (Path("/a"), Path("/b"))
    assert read_settings(as_environment(settings)) == settings


def test_every_setting_says_what_it_is_for():
    assert all(row.unit and row.help.endswith(".") for row in TABLE)
