"""What can be copied from the documentation works: configurations load, commands exist, the SDK's snippet is a site."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from doc_pages import ROOT, blocks, page

from chain_gateway.cli.main import frame
from chain_gateway.config import parse, registry
from chain_gateway.sdk import ChainConfig
from chain_gateway.sdk.testing import FakeGateway

PAGES = ("README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))
WHOLE = {
    "gateway": {"public_url": "https://login.example.com"},
    "op": {"issuer": "https://id.example.com", "client_id": "gateway", "client_secret": {"env": "OP_CLIENT_SECRET"}},
}
"""What a fragment is completed by."""
OTHERS = frozenset({"export", "cd", "node", "GATEWAY_URL"})
"""Words that begin a line of a shell and are no command of ours."""
OURS = ("python3 run.py", "chain-gateway", "$ chain-gateway")


def toml_blocks() -> Iterator[tuple[str, str]]:
    """Each configuration on a page. Rows of mutations look alike and are none."""
    for name in PAGES:
        for number, block in enumerate(blocks(page(name), "toml")):
            if "[[mutation]]" not in block.text:
                yield f"{name}-{number}", block.text


@pytest.mark.parametrize(("name", "text"), list(toml_blocks()), ids=lambda value: value if "\n" not in value else "")
def test_a_configuration_loads(name, text):
    """Once its variables are set; one that is a part is completed by what it leaves out."""
    names = set(re.findall(r'env = "(\w+)"', text)) | {"OP_CLIENT_SECRET"}
    data = {**WHOLE, **tomllib.loads(text)}
    data.setdefault("chains", [{"id": "main", "apps": [app["id"] for app in data["apps"]]}])
    environ = {each: f"a planted value for {each} of 32 bytes or more" for each in names}
    settings = parse(data, base=ROOT, environ=environ)
    assert list(registry(settings).apps) == [app["id"] for app in data["apps"]]


def commands() -> Iterator[tuple[str, str]]:
    """Each line of a shell on a page that calls the command line, without its comment."""
    for name in PAGES:
        for block in blocks(page(name), "sh", "console", ""):
            for line in block.text.splitlines():
                if line.startswith(OURS):
                    yield name, line


def read(line: str) -> None:
    """Reads a line as the command line would; raises its error where it is wrong, and runs nothing."""
    words = shlex.split(line, comments=True)
    words = words[words.index("run.py") + 1 :] if "run.py" in words else words[words.index("chain-gateway") + 1 :]
    command = typer.main.get_command(frame)
    context = None
    while hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"no command {name}: {line}"
        command = command.commands[name]
    context = command.make_context(command.name, words, parent=context)
    context.close()


@pytest.mark.parametrize(("name", "line"), sorted(set(commands())))
def test_a_command_can_be_typed(name, line):
    """It exists, has these options, and lacks none that it needs."""
    read(line)


def test_a_wrong_command_is_found():
    """An unknown command, an unknown option, a missing one."""
    read("python3 run.py check --config chain.toml")
    with pytest.raises(AssertionError, match="no command surgeon"):
        read("python3 run.py surgeon")
    with pytest.raises(Exception, match="No such option: --loud"):
        read("python3 run.py check --config chain.toml --loud")
    with pytest.raises(Exception, match="Missing parameter: config"):
        read("chain-gateway check")


def test_every_line_of_a_shell_is_known():
    """A line that begins with neither a command of ours nor a word of the shell is a slip."""
    for name in ("README.md", "docs/getting-started-auth0.md", "docs/getting-started-oidc.md"):
        for block in blocks(page(name), "sh"):
            for line in block.text.splitlines():
                word = re.split(r"[ =]", line)[0]
                assert line.startswith(OURS) or word in OTHERS, f"{name}: {line}"


async def test_the_snippet_of_the_readme_is_a_site(monkeypatch, aiohttp_server, aiohttp_client):
    """Against a gateway that serves its keys: strangers are sent to it, and whoever it signs in is greeted."""
    source = blocks(page("README.md"), "python")[0].text
    gateway = FakeGateway()
    server = await aiohttp_server(gateway.application())
    gateway.url = str(server.make_url("")).rstrip("/")
    monkeypatch.setenv("SHOP_SECRET", "a secret of Shop for this test, 32 bytes or more")
    monkeypatch.setenv("SHOP_SESSION_KEY", "a key of Shop for this test, 32 bytes or more")
    names: dict[str, object] = {}
    exec(source.replace("https://login.example.com", gateway.url), names)
    chain = names["chain"]
    assert isinstance(chain, ChainConfig)
    browser = gateway.browser(await aiohttp_client(names["app"]), chain)
    answer = await browser.get("/account")
    assert (answer.status, answer.headers["Location"].partition("?")[0]) == (302, f"{gateway.url}/login")
    await browser.login("alice")
    assert await (await browser.get("/account")).text() == "Hello alice"
    await browser.logout()
    assert (await browser.get("/account")).status == 302


def test_every_configuration_of_the_pages_is_looked_at():
    """The pages that should have one do."""
    found = {name.rpartition("-")[0] for name, _ in toml_blocks()}
    assert {"README.md", "docs/getting-started-auth0.md", "docs/getting-started-oidc.md"} <= found
    assert all(Path(ROOT / name).is_file() for name in PAGES)
