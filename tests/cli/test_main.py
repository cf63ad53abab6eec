"""The frame of the command line: exit codes, versions, and what goes where."""

import json
import os
import subprocess
import sys

import pytest

from chain_gateway import __version__
from chain_gateway.cli import console, main
from chain_gateway.errors import ConfigError, Problem, StoreUnavailable


def run(*argv: str, **environ: str) -> subprocess.CompletedProcess:
    """The command as a program of its own."""
    command = [sys.executable, "-m", "chain_gateway.cli.main", *argv]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=os.environ | environ)


def test_the_version_comes_with_those_of_what_matters():
    """Who reports a fault can paste one answer; the exit code is 0."""
    done = run("--version")
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert lines["chain-gateway"] == __version__
    assert {"python", "aiohttp", "cryptography", "joserfc", "openssl", "sqlite"} <= lines.keys()


def test_the_version_is_json_for_programs():
    """The same as one object."""
    done = run("--version", "--json")
    assert json.loads(done.stdout)["chain-gateway"] == __version__


@pytest.mark.parametrize(
    "argv", [(), ("nonsense",), ("check",), ("keys", "rotate", "nonsense"), ("demo", "--apps", "0"), ("--debug",)]
)
def test_wrong_usage_is_two_and_speaks_on_standard_error(argv):
    """A command that cannot be understood does nothing and exits with 2."""
    done = run(*argv)
    assert done.returncode == 2
    assert done.stderr or done.stdout
    assert "Traceback" not in done.stderr


def test_help_names_every_command():
    """Each command of the interface is listed, and asking for help is no failure."""
    done = run("--help", NO_COLOR="1")
    assert done.returncode == 0
    for command in ("serve", "check", "explain", "demo", "test", "keys", "walks", "bench"):
        assert command in done.stdout
    assert "\x1b" not in done.stdout


def test_every_problem_of_a_configuration_is_told(tmp_path):
    """Path, reason and hint of each problem go to standard error, without a traceback."""
    file = tmp_path / "keys.json"
    file.write_text('{"version": 1, "keys": []}')
    done = run("keys", "list", "--keys", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert "refused: 3 problems" in done.stderr
    assert "chain-gateway keys rotate seal" in done.stderr


def test_problems_are_json_for_programs(tmp_path):
    """With --json the problems are one object on standard output."""
    done = run("keys", "list", "--keys", str(tmp_path / "none.json"), "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], len(told["problems"])) == (2, False, 1)
    assert told["problems"][0].keys() == {"path", "reason", "hint"}


@pytest.fixture
def failing(monkeypatch):
    """A command that fails as it is told to."""

    def _failing(error: BaseException) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(main, "_run", fail)

    return _failing


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError((Problem("gateway.keys", "is missing", "write it"),)), 2),
        (StoreUnavailable("no such host"), 1),
        (ZeroDivisionError("division by zero"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_a_failure_is_a_sentence_and_an_exit_code(failing, capsys, error, code):
    """Whatever is raised inside a command ends as a line on standard error, and no traceback."""
    failing(error)
    assert main.main(["check", "--config", "x.toml"]) == code
    told = capsys.readouterr()
    assert "Traceback" not in told.err + told.out
    assert code == 130 or str(error).split(":")[0] in told.err


def test_debug_shows_where(failing, capsys):
    """--debug before the command shows the traceback; after it, it belongs to the command."""
    failing(ZeroDivisionError("division by zero"))
    assert main.main(["--debug", "check", "--config", "x.toml"]) == 1
    assert "Traceback" in capsys.readouterr().err
    assert main.main(["test", "--debug"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_arguments_of_test_go_on_unread(monkeypatch):
    """Options that are pytest's are not ours."""
    seen = []

    def record(*words: object) -> None:
        seen.extend(words)

    monkeypatch.setattr(main, "_run", record)
    assert main.main(["test", "-k", "ticket", "--json", "--help"]) == 0
    assert seen == ["test", "run", ["-k", "ticket", "--json", "--help"]]


def test_a_command_that_this_version_lacks_is_said_so(capsys):
    """No import error reaches a person."""
    with pytest.raises(main.typer.Exit) as done:
        main._run("nonsense", "nonsense")
    assert done.value.exit_code == console.USAGE
    assert "nonsense" in capsys.readouterr().err


def test_no_complaint_steers_a_terminal(tmp_path, capsys):
    """What a configuration quotes is written out by every command, not by check alone (T04)."""
    file = tmp_path / "x.toml"
    file.write_text('[gateway]\nkeys = { file = "k\\u001b]0;owned\\u0007\\u009b31m" }\n')
    assert main.main(["keys", "list", "--config", str(file)]) == 2
    for command in ("serve", "explain"):
        assert main.main([command, "--config", str(file)]) == 2
    told = capsys.readouterr().err
    assert "\\x1b]0;owned" in told
    assert not {letter for letter in told if not letter.isprintable()} - {"\n"}
