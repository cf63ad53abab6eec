"""The page about the SDK: its code runs, and its tables say what the code says."""

import dataclasses
import re
from pathlib import Path

import pytest
from aiohttp import web

from chain_gateway.sdk import ChainConfig, Session
from chain_gateway.sdk.aiohttp import setup_chain
from chain_gateway.sdk.testing import FakeGateway
from chain_gateway.tokens.receipt import ReceiptOutcome

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sdk.md").read_text()
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def page(monkeypatch, tmp_path):
    """The names that the page's code defines, its blocks run one after the other as a reader would."""
    monkeypatch.setenv("SHOP_SECRET", "s" * 32)
    monkeypatch.setenv("SHOP_SESSION_KEY", "k" * 32)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "docs.sdk"}
    for block in FENCED.findall(PAGE):
        exec(compile(block, "docs/sdk.md", "exec", dont_inherit=True), names)
    return names


def section(title):
    """The text under a heading."""
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def cells(title, column):
    """The code words in one column of the table under a heading."""
    rows = [line.split("|")[1:-1] for line in section(title).splitlines() if line.startswith("| ")][2:]
    return [word for row in rows for word in re.findall(r"`([^`]+)`", row[column])]


async def test_the_site_in_one_file_is_a_site(page, aiohttp_client):
    """It starts as it stands, greets strangers and sends them to sign in."""
    client = await aiohttp_client(page["application"]())
    assert await (await client.get("/")).text() == "Hello stranger"
    answer = await client.get("/account", allow_redirects=False)
    assert answer.headers["Location"].startswith("https://login.example.com/login?app=shop")


async def test_the_test_of_an_app_passes(page, aiohttp_client):
    """The example that an app's developer copies is run."""
    await page["test_the_account_page_knows_who_is_signed_in"](aiohttp_client)


async def test_the_hooks_and_the_shared_memory_work_together(page, aiohttp_client, tmp_path):
    """A cart begins with the login and is gone with the logout; the memory is the file that was named."""
    gateway = FakeGateway()
    chain = gateway.config()
    told = page["with_carts"]
    chain = dataclasses.replace(chain, on_login=told.on_login, on_logout=told.on_logout, memory=page["shared"].memory)
    app = web.Application()
    setup_chain(app, chain, keys=gateway.keys)
    browser = gateway.browser(await aiohttp_client(app), chain)
    await browser.login("alice", sid="sid-7")
    assert page["carts"] == {"sid-7": []}
    await browser.logout()
    assert page["carts"] == {}
    assert (tmp_path / "chain-memory.db").exists()


def test_every_argument_is_documented_and_every_documented_argument_exists():
    """Both directions: a new argument needs its line, and no line outlives its argument."""
    assert sorted(cells("Configuration", 0)) == sorted(field.name for field in dataclasses.fields(ChainConfig))


def test_every_field_of_a_session_is_documented():
    """The same for what a handler gets."""
    assert sorted(cells("Who is signed in", 0)) == sorted(field.name for field in dataclasses.fields(Session))


def test_every_reason_of_a_receipt_is_documented():
    """The same for what the gateway is told, but for a case that no door lets through to a receipt."""
    source = "".join((ROOT / "chain_gateway" / "sdk" / name).read_text() for name in ("hop.py", "app_side.py"))
    said = set(re.findall(r'Answer\(ReceiptOutcome\.\w+, "(\w+)"', source)) | set(re.findall(r'return "(\w+)"', source))
    said |= set(re.findall(r'reason="(\w+)"', source))
    assert set(cells("What the app answers", 1)) == said - {"act"}
    assert set(cells("What the app answers", 0)) == {outcome.value for outcome in ReceiptOutcome}


def test_the_mounted_paths_are_the_defaults():
    """The table of routes and the configuration agree."""
    chain = FakeGateway().config()
    paths = {chain.hop_path, chain.ping_path, chain.backchannel_logout_path, chain.login_path, chain.logout_path}
    assert {path.partition("?")[0] for path in cells("What is mounted", 0)} == paths
