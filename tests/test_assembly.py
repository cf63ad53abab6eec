"""The composition root says what cannot be put together, and leaves nothing open when it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chain_gateway import assembly
from chain_gateway.config.load import parse
from chain_gateway.errors import ConfigError
from chain_gateway.tokens.keyring import Keyring

SECRET = "an app's secret of more than 32 bytes"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("error.html", b"{% if %}", "error.html, line 1: "),
        ("base.html", b"\n{{ title", "base.html, line 2: "),
        ("walk.html", b"\xff", "a template cannot be used: "),
        ("base.html", b"{{ %s1%s }}" % (b"(" * 3000, b")" * 3000), "a template cannot be used: "),
    ],
    ids=["empty if", "open end", "no text", "nested"],
)
async def test_a_template_that_does_not_compile_stops_the_start(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    """With its name and line, as a problem of the configuration; not at the first person who meets the page."""
    (tmp_path / name).write_bytes(content)
    settings = parse(
        {
            "gateway": {"public_url": "http://login.localhost:8080", "templates_dir": str(tmp_path)},
            "store": {"url": "memory://"},
            "op": {"issuer": "http://id.localhost:8080", "client_id": "gateway", "client_secret": SECRET},
            "apps": [{"id": "shop", "origin": "http://shop.localhost:8080", "secret": SECRET + "s"}],
            "chains": [{"id": "main", "apps": ["shop"]}],
        },
        base=tmp_path,
        environ={},
    )
    with pytest.raises(ConfigError) as refused:
        await assembly.build(settings, Keyring.generate(0, os.urandom))
    (problem,) = refused.value.problems
    assert problem.path == "gateway.templates_dir"
    assert problem.reason.startswith(reason)
