"""docs/operations.md from an empty folder to two replicas, followed line by line by somebody who has never done it.

Every block of that section is run in one shell as it stands there, but for the names in ``Ground.changes``. The
provider, two sites, Redis and nginx are real; nginx has the file of ``deploy/`` with ports that anybody may take.
"""

from __future__ import annotations

import asyncio
import re
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from deploy_shell import Shell, a_shell
from deploy_walkthrough import ROOT, SITES, Ground, SecureBrowser, a_ground, open_sites

SECTION = "## From an empty folder to two replicas\n"
NOBODY = dict.fromkeys(SITES, "")
ALICE = dict.fromkeys(SITES, "demo|alice")


def blocks() -> list[str]:
    """The blocks of the section, in their order."""
    text = (ROOT / "docs" / "operations.md").read_text().partition(SECTION)[2].partition("\n## ")[0]
    found = [part.partition("```")[0] for part in text.split("```sh\n")[1:]]
    assert text.count("```") == 2 * len(found)
    return found


def changed(ground: Ground, block: str) -> str:
    """A block with the names of this machine."""
    for old, new in ground.changes.items():
        block = block.replace(old, new)
    return block


@asynccontextmanager
async def walks(ground: Ground) -> AsyncIterator[list[str]]:
    """Somebody signs in and out again and again until the block is over, at least once; what went wrong is told."""
    over, wrong = asyncio.Event(), list[str]()

    async def again() -> None:
        while True:
            wrong.extend(await in_and_out(ground))
            if over.is_set():
                return

    walking = asyncio.create_task(again())
    try:
        yield wrong
    finally:
        over.set()
        await walking


async def in_and_out(ground: Ground) -> list[str]:
    """Signs in everywhere and out again; what is not as it should be."""
    async with SecureBrowser(ground.authority) as browser:
        await ground.sign_in(browser)
        signed_in = await ground.known_at(browser)
        await ground.sign_out(browser)
        signed_out = await ground.known_at(browser)
    return [f"{found}" for found, right in ((signed_in, ALICE), (signed_out, NOBODY)) if found != right]


def test_nothing_is_opened_to_everybody_on_the_machine(tmp_path: Path) -> None:
    """Whatever mode the page gives, by its own umask, leaves nothing to others than an owner and a group."""
    modes = re.findall(r"\bchmod (\S+)", "".join(blocks()))
    assert len(modes) == 3
    for mode in modes:
        file = tmp_path / "file"
        file.touch()
        file.chmod(0o600)
        subprocess.run(["sh", "-c", f"umask 077 && chmod {mode} file"], cwd=tmp_path, check=True)
        assert stat.S_IMODE(file.stat().st_mode) & 0o007 == 0, mode


@pytest.mark.deploy
@pytest.mark.redis
@pytest.mark.timeout(400)
async def test_every_line_of_the_walkthrough_works(tmp_path: Path) -> None:
    """From ``mkdir`` to new keys; people sign in and out when both run, when one is killed, and while both restart."""
    async with a_ground(tmp_path) as (ground, stack):
        with a_shell(tmp_path, ground.environ()) as shell:
            left = iter(blocks())

            async def next_block(word: str) -> str:
                block = next(left)
                assert word in block
                return await asyncio.to_thread(shell.run, changed(ground, block))

            try:
                await follow(ground, shell, next_block, stack)
            except AssertionError as error:
                error.add_note(ground.logs())
                raise
            finally:
                ground.stop_nginx()
        assert list(left) == []


def sockets_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Who may connect to the sockets: mode and group of each."""
    found = {path.name: path.stat() for path in folder.glob("*.sock")}
    return {name: (stat.S_IMODE(each.st_mode), each.st_gid) for name, each in found.items()}


def for_the_group(ground: Ground) -> dict[str, tuple[int, int]]:
    """Nobody but whoever started them, and nginx."""
    return dict.fromkeys(("a.sock", "b.sock"), (0o660, ground.group.gr_gid))


async def follow(ground: Ground, shell: Shell, next_block, stack) -> None:
    """Goes through all blocks, and looks at what the page promises between them."""
    await next_block("pip install")
    ground.lend()
    await next_block("secrets.env")
    folder = ground.folder / "chain-gateway"
    assert (folder / "secrets.env").stat().st_mode & 0o077 == 0
    secrets = dict(line.split("=", 1) for line in (folder / "secrets.env").read_text().split())
    await open_sites(ground, stack, secrets)
    await next_block("a.toml")
    await next_block("keys new")
    assert "PONG" in await next_block("redis-server")
    await next_block("check --config")
    assert (await next_block("./start b")).count('"ready": true') >= 2
    assert sockets_of(folder) == for_the_group(ground)
    await asyncio.to_thread(shell.run, "nginx")  # as it runs already where it is installed
    await next_block("nginx -s reload")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o710
    assert folder.stat().st_gid == ground.group.gr_gid
    assert await in_and_out(ground) == []
    await next_block("kill -9")
    assert await in_and_out(ground) == []
    await next_block("./start a")
    assert sockets_of(folder) == for_the_group(ground)
    async with walks(ground) as wrong:
        await next_block("for each in")
    assert wrong == []
    assert sockets_of(folder) == for_the_group(ground)
    assert "next" in await next_block("keys rotate")
