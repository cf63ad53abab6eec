"""The command ``check``: its first line, its problems, its JSON and its exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from chain_gateway.cli.check import check

DEMO = Path(__file__).parents[2] / "chain_configs" / "demo.toml"
SECRETS = [f"{name}_SECRET" for name in ("OP_CLIENT", "SHOP", "NEWS", "BANK", "MAIL")]
CANARY = "canary-8d1e-never-shown"


@pytest.fixture
def environment(monkeypatch):
    """The variables that the demo's chain names."""
    for name in SECRETS:
        monkeypatch.setenv(name, f"a planted value for {name} of 32 bytes or more")
    return monkeypatch


def test_a_sound_configuration(environment, capsys):
    """One line, which says so; exit code 0."""
    assert check(DEMO, as_json=False) == 0
    assert capsys.readouterr().out == f"{DEMO}: good, 4 apps in 1 chain\n"


def test_a_wrong_configuration(environment, capsys):
    """The first line says how it went; then each problem has its line with path, reason and hint; exit code 2."""
    environment.delenv("SHOP_SECRET")
    environment.setenv("BANK_SECRET", CANARY)
    assert check(DEMO, as_json=False) == 2
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == f"{DEMO}: 2 problems"
    assert rest[0] == (
        "apps[0].secret: the environment variable SHOP_SECRET is not set; set SHOP_SECRET before the gateway starts"
    )
    assert rest[1].startswith("apps[2].secret: the secret is shorter than 32 bytes")
    assert len(rest) == 2
    assert CANARY not in "".join(rest)


def test_json(environment, capsys):
    """Programs get one object, good or bad, and the same exit codes."""
    assert check(DEMO, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "problems": []}
    environment.setenv("MAIL_SECRET", "")
    assert check(DEMO, as_json=True) == 2
    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "problems": [
            {
                "path": "apps[3].secret",
                "reason": "the environment variable MAIL_SECRET is empty",
                "hint": "set MAIL_SECRET before the gateway starts",
            }
        ],
    }


def test_one_problem_is_one(environment, capsys):
    """Nobody reads of 1 problems."""
    environment.delenv("NEWS_SECRET")
    check(DEMO, as_json=False)
    assert capsys.readouterr().out.startswith(f"{DEMO}: 1 problem\n")


def test_no_such_file(tmp_path, capsys):
    """A missing file is a wrong configuration, not a crash."""
    assert check(tmp_path / "none.toml", as_json=False) == 2
    assert "no such file" in capsys.readouterr().out


def test_lines_are_not_wrapped_in_a_pipe(tmp_path, capsys):
    """A line is a problem, however long, so that it can be searched."""
    path = tmp_path / f"{'x' * 200}.toml"
    path.write_text("")
    check(path, as_json=False)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == f"{path}: 6 problems"
    assert len(rest) == 6


def test_what_a_file_spells_steers_no_terminal(tmp_path, capsys):
    """Escape sequences and markup in the file are shown as text."""
    path = tmp_path / "chain.toml"
    path.write_text(
        '"[red]\\u001b]0;x\\u0007" = 1\n'
        '[gateway]\nkeys = { file = "\\u001b[2J" }\n'
        '[[chains]]\nid = "main"\napps = ["\\u001b[1m"]\n'
    )
    (tmp_path / "\x1b[2J").write_text("{}")
    check(path, as_json=False)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[red]" in out
    assert "/\\x1b[2J can be used by others" in out


def on_a_terminal(**environ):
    """What ``check`` on the demo's chain writes to a terminal."""
    code = "import sys; from pathlib import Path; from chain_gateway.cli.check import check; "
    code += f"sys.exit(check(Path({str(DEMO)!r}), as_json=False))"
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", *SECRETS}}
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=theirs, env={**kept, "TERM": "xterm", **environ}, check=False
    )
    os.close(theirs)
    with os.fdopen(ours, "rb") as terminal:
        text = b""
        try:
            while chunk := terminal.read1():
                text += chunk
        except OSError:  # how Linux says that the other end is closed
            pass
    return done.returncode, text.decode()


def test_on_a_terminal_there_are_blocks_and_colours():
    """A problem is a small block there; colours go where they are not wanted."""
    code, text = on_a_terminal()
    assert code == 2
    assert "\x1b[" in text
    assert f"{DEMO}: 5 problems" in text
    code, plain = on_a_terminal(NO_COLOR="1")
    assert code == 2
    assert "\r\nop.client_secret\r\n" in plain.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert "\x1b[3" not in plain
