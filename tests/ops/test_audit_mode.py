"""Who may use the file of the audit log: a mode that is too open is told, and stays as whoever made it wants."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import structlog
from support.world import a_world

from chain_gateway.doctor.diagnose import diagnose
from chain_gateway.doctor.files import at_audit_log
from chain_gateway.doctor.findings import Level
from chain_gateway.ops.audit_log import AuditFile, sink_at
from chain_gateway.store.memory import MemoryStore

MODES = {0o600: True, 0o640: True, 0o400: True, 0o644: False, 0o660: False, 0o602: False, 0o666: False}
"""Whether a file of that mode is well: a group may read it, such as that of who takes logs away."""


@pytest.mark.parametrize("mode", MODES, ids=oct)
def test_a_mode_that_is_too_open_is_told_at_the_start(tmp_path: Path, mode: int) -> None:
    """It may be meant, so that nobody changes it or is kept from serving."""
    path = tmp_path / "audit.jsonl"
    path.touch()
    path.chmod(mode)
    with structlog.testing.capture_logs() as said, sink_at(path) as sink:
        sink("audit.sign_in")
    told = [{"event": "audit.open_to_others", "mode": f"{mode:o}", "log_level": "warning"}]
    assert said == ([] if MODES[mode] else told)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert "audit.sign_in" in path.read_text()


def test_a_file_that_was_put_in_the_place_of_a_rotated_one_is_looked_at_too(tmp_path: Path) -> None:
    """What rotates logs may make the new file with a mode of its own; it is told once a file, not once a line."""
    path = tmp_path / "audit.jsonl"
    file = AuditFile(path)
    path.rename(tmp_path / "audit.jsonl.1")
    path.touch()
    path.chmod(0o644)
    with structlog.testing.capture_logs() as said:
        for number in range(3):
            file("audit.sign_in", number=number)
    file.close()
    assert [line["event"] for line in said] == ["audit.open_to_others"]


@pytest.mark.parametrize("mode", MODES, ids=oct)
def test_the_doctor_finds_a_mode_that_is_too_open(tmp_path: Path, mode: int) -> None:
    """With what to type, also where the path has a space; the file stays as it is."""
    path = tmp_path / "an audit.jsonl"
    path.touch()
    path.chmod(mode)
    (finding,) = at_audit_log(path)
    assert finding.level is (Level.OK if MODES[mode] else Level.WARN)
    assert MODES[mode] or f"chmod u=rw,g=r,o= '{path}'" in finding.hint
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_doctor_makes_no_file(tmp_path: Path) -> None:
    """Who looks may be root, and then the gateway could not write there; and one that cannot be there is bad."""
    (finding,) = at_audit_log(tmp_path / "audit.jsonl")
    assert finding.level is Level.OK
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    (finding,) = at_audit_log(tmp_path / "file" / "audit.jsonl")
    assert finding.level is Level.BAD
    assert list(at_audit_log(None)) == []


async def test_the_file_that_the_configuration_names_is_the_one_that_is_looked_at(tmp_path: Path) -> None:
    """Among all looks."""
    path = tmp_path / "audit.jsonl"
    path.touch()
    path.chmod(0o644)
    async with a_world(gateway={"audit_log": str(path)}) as world:
        found = await diagnose(world.settings, world.keyring, MemoryStore(), world.clock)
    assert [finding.level for finding in found if finding.subject == "audit log"] == [Level.WARN]
