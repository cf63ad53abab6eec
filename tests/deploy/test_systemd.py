"""The unit of ``deploy/systemd``: systemd takes it as it is, it gives away little, and waits for the gateway to end."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deploy_proxies import DEPLOY

from chain_gateway.cli.supervisor import LATE_SECONDS
from chain_gateway.cli.test import SYSTEM_PATH

pytestmark = pytest.mark.deploy

UNIT = DEPLOY / "systemd" / "chain-gateway@.service"
INSTALLED = "/opt/chain-gateway/bin/chain-gateway"
EXPOSURE = 15
"""In tenths: what an outsider could do through the service, as systemd counts it; 100 is without any protection."""


def asked(*words: str) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says."""
    program = shutil.which("systemd-analyze", path=SYSTEM_PATH)
    assert program is not None
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Without a word, once its program is where it says."""
    program = Path(sys.executable).with_name("chain-gateway")
    text = UNIT.read_text()
    assert text.count(INSTALLED) == 2
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace(INSTALLED, str(program)))
    done = asked("verify", "--man=no", str(unit))
    assert [line for line in done.stderr.splitlines() if UNIT.name.partition("@")[0] in line] == []
    assert done.returncode == 0, done.stderr


def test_a_unit_that_systemd_does_not_know_is_found(tmp_path: Path) -> None:
    """A misspelled protection would be none."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("NoNewPrivileges", "NoNewPrivilege"))
    assert "NoNewPrivilege" in asked("verify", "--man=no", str(unit)).stderr


def test_the_service_gives_away_little() -> None:
    """As systemd itself weighs it."""
    done = asked("security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager", str(UNIT))
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_it_waits_for_what_is_being_answered() -> None:
    """The gateway drains for itself before systemd kills it."""
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert int(seconds) > LATE_SECONDS


def test_haproxy_is_in_the_group_of_the_sockets() -> None:
    """By its own file: it drops all groups of its user but the one that stands there, and could connect to neither."""
    (group,) = re.findall(r"^Group=(\S+)$", UNIT.read_text(), re.MULTILINE)
    assert re.findall(r"^ +group (\S+)$", (DEPLOY / "haproxy" / "haproxy.cfg").read_text(), re.MULTILINE) == [group]
