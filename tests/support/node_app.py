"""The example app in JavaScript as a running program, at whatever gateway a test has."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "node-app"
PACKAGES = (EXAMPLE / "node_modules", ROOT / "tests" / "node" / "node_modules")
START_SECONDS = 30


@asynccontextmanager
async def node_app(folder: Path, *, gateway: str, app_id: str, origin: str, secret: str) -> AsyncIterator[int]:
    """Runs a copy in ``folder``, with the packages installed for it or for the tests; yields its port on 127.0.0.1.

    ``origin`` is where browsers find it; whoever calls passes requests for it on to the port.
    """
    packages = next((path for path in PACKAGES if (path / "jose").is_dir()), None)
    if packages is None or shutil.which("node") is None:
        raise RuntimeError("the tests marked `node` need Node.js, and `npm ci` in tests/node (or: python3 run.py test)")
    for name in ("app.js", "chain.js", "package.json"):
        shutil.copy(EXAMPLE / name, folder / name)
    (folder / "node_modules").symlink_to(packages)
    port = int(origin.rpartition(":")[2])
    environment = {
        "PATH": os.environ["PATH"],
        "GATEWAY": gateway,
        "APP_ID": app_id,
        "APP_ORIGIN": origin,
        "APP_SECRET": secret,
        "SESSION_KEY": "a session key of the example app, for tests alone",
        "PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        "node", "app.js", cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            assert await process.stdout.readline() == f"listening on {port}\n".encode()
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
