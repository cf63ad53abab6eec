"""What the process writes down: one JSON object a line, and nothing in it that somebody could use."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from support.world import SECRET

from chain_gateway.cli import logs
from chain_gateway.cli.demo import demo
from chain_gateway.demo.options import DemoOptions
from chain_gateway.errors import ConfigError
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.purposes import Purpose

RING = Keyring.generate(0, lambda size: bytes(range(1, size + 1)))
SEALED = RING.seal(Purpose.CHAIN_TOKEN, b"a walk of somebody", bytes(12), 1)
SIGNED = RING.sign("chain-ticket+jwt", {"sub": "alice", "sid": "a session of hers"}, 1)


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leaves both logging systems as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def written(capfd: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """The lines on standard error; each must be an object."""
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.mark.parametrize("secret", [SEALED, SIGNED], ids=["sealed", "signed"])
def test_a_token_in_a_value_is_hidden(secret: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A sealed text and a signed one, in a field of any name and type, in a message, and in a traceback (T45)."""
    logs.configure(json=True)
    log = structlog.stdlib.get_logger("chain_gateway")
    log.info(
        "said",
        detail=f"this is it: {secret}.",
        more=[secret],
        tables={"a": {"b": (secret,), secret: 1}},
        url=f"http://x.localhost/relay?state={secret}",
    )
    log.error("failed", exc_info=ValueError(secret))
    logging.getLogger("aiohttp.server").error("Error handling %s", secret)
    text = capfd.readouterr().err
    assert text.count("***") == 7
    assert not [part for part in secret.split(".") if len(part) > 16 and part in text], text


@pytest.mark.parametrize("name", sorted(logs.NAMES))
def test_a_field_that_is_named_like_a_credential_is_hidden(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever it holds (T45)."""
    logs.configure(json=True)
    structlog.stdlib.get_logger("chain_gateway").info("said", **{name: SECRET})
    (line,) = written(capfd)
    assert line[name] == "***"


def test_what_is_in_a_table_or_a_list_stays_there(capfd: pytest.CaptureFixture[str]) -> None:
    """Programs read it as it was given, but for what must not be seen (T45)."""
    logs.configure(json=True)
    apps = {"applied": ["shop", "news"], "state": ["x"], "hops": ({"token": SECRET, "app": "bank"},)}
    structlog.stdlib.get_logger("chain_gateway").info("said", apps=apps, request=[SECRET])
    (line,) = written(capfd)
    assert line["apps"] == {"applied": ["shop", "news"], "state": "***", "hops": [{"token": "***", "app": "bank"}]}
    assert line["request"] == "***"


def test_a_code_of_an_error_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """It is what support looks for, and it is in no case an authorization code."""
    logs.configure(json=True)
    structlog.stdlib.get_logger("chain_gateway").info("refused", code="token_refused.key", status=400)
    (line,) = written(capfd)
    assert (line["code"], line["status"]) == ("token_refused.key", 400)


def test_what_libraries_say_is_a_line_of_ours(capfd: pytest.CaptureFixture[str]) -> None:
    """One JSON object, its line breaks and escapes inside it, with what it was about (T04)."""
    logs.configure(json=True)
    logging.getLogger("asyncio").error("it went wrong\n\x1b[31m%s", "here", exc_info=ValueError("x"))
    (line,) = written(capfd)
    assert line["event"] == "library.said"
    assert line["library"] == "asyncio"
    assert line["words"] == "it went wrong\n\x1b[31mhere"
    assert "ValueError: x" in str(line["exception"])


def test_a_terminal_sees_no_more_than_a_file(capfd: pytest.CaptureFixture[str]) -> None:
    """Tracebacks lose their tokens there as well."""
    logs.configure(json=False)
    structlog.stdlib.get_logger("chain_gateway").error("failed", exc_info=ValueError(SEALED))
    text = capfd.readouterr().err
    assert "ValueError: ***" in text
    assert SEALED.partition(".")[2] not in text


def test_the_demo_writes_no_local_variables(capfd: pytest.CaptureFixture[str]) -> None:
    """Its traceback is as plain as the gateway's: variables hold codes and secrets (T45)."""
    with pytest.raises(ConfigError):
        demo(DemoOptions(port=0, chain=Path("/nowhere/at-all.toml")))
    canary = f"{SECRET} of a local variable"
    try:
        len(canary) / 0
    except ZeroDivisionError:
        structlog.stdlib.get_logger("chain_gateway").exception("failed")
    text = capfd.readouterr().err
    assert "ZeroDivisionError" in text
    assert canary not in text
