"""`doctor` on this machine."""

import socket
from dataclasses import replace

from backends import settings

from core.domain.monitoring import FindingState, ServiceStatus
from core.local.context import Context
from core.local.doctor import findings
from core.local.workspace import open_local

DOWN = ServiceStatus(False, None, "", None, "", "")


def looked(settings):
    return {finding.name: finding for finding in findings(Context(settings), lambda: DOWN)}


def test_a_new_folder_has_nothing_that_failed_and_nothing_is_made(tmp_path):
    home = tmp_path / "workspace"
    found = list(open_local(settings(home)).service.doctor())
    assert [finding for finding in found if finding.state is FindingState.FAILED] == []
    assert not home.exists()


def test_a_folder_that_others_may_read_is_said_with_the_command(tmp_path):
    home = tmp_path / "workspace"
    home.mkdir()
    home.chmod(0o755)
    found = looked(settings(home))["Folder"]
    assert (found.state, found.hint) == (FindingState.WARNING, f"chmod 700 {home}")


def test_what_is_too_much_for_the_machine_is_said(tmp_path):
    found = looked(replace(settings(tmp_path), threads=5000, memory_mb=90_000_000))
    assert (found["Threads"].state, found["Memory"].state) == (FindingState.WARNING, FindingState.WARNING)


def test_a_port_that_is_taken_is_found_before_the_service_wants_it(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = looked(replace(settings(tmp_path), service_port=port))["Port"]
    assert found.state is FindingState.FAILED
    assert str(port) in found.detail
