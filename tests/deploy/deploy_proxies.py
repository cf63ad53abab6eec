"""The proxies of ``deploy/``, each with its file as it is there but for addresses, certificates and logs."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy_site import PATIENCE, Authority

from bench.ports import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
NGINX = """
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/nginx.main.log emerg;
events {{}}
http {{ include {folder}/chain-gateway.conf; }}
"""


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs, or is about to. ``ops`` are the ports of the gateways' operations listeners."""

    name: str
    folder: Path
    authority: Authority
    port: int
    sockets: Sequence[Path]
    ops: Sequence[int] = (9, 9)
    plain: int = field(default_factory=free_port)
    """Where it listens without TLS."""

    def logs(self) -> str:
        """All that it has written down."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def command(self) -> list[str]:
        """Writes its configuration and returns the command that starts it."""
        return getattr(self, f"_{self.name}")()

    def _nginx(self) -> list[str]:
        file = self._rendered("nginx/chain-gateway.conf", "chain-gateway.conf", self._nginx_changes())
        main = file.with_name("nginx.conf")
        main.write_text(NGINX.format(folder=self.folder))
        return [_program("nginx"), "-p", str(self.folder), "-c", str(main)]

    def _nginx_changes(self) -> dict[str, str]:
        return {
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "    listen [::]:80;\n": "",
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            "    listen [::]:443 ssl http2;\n": "",
            "login.example.com": "login.localhost",
            "unix:/run/chain-gateway/a.sock": f"unix:{self.sockets[0]}",
            "unix:/run/chain-gateway/b.sock": f"unix:{self.sockets[1]}",
            "/etc/ssl/chain-gateway/fullchain.pem": str(self.authority.chain),
            "/etc/ssl/chain-gateway/key.pem": str(self.authority.key),
            "/var/log/nginx/": f"{self.folder}/",
        }

    def _haproxy(self) -> list[str]:
        changes = {
            "    user haproxy\n": "",
            "    group chain-gateway\n": "",
            "bind :80\n": f"bind 127.0.0.1:{self.plain}\n",
            "bind :443 ": f"bind 127.0.0.1:{self.port} ",
            "/etc/ssl/chain-gateway/haproxy.pem": str(self.authority.both),
            "unix@/run/chain-gateway/a.sock": f"unix@{self.sockets[0]}",
            "unix@/run/chain-gateway/b.sock": f"unix@{self.sockets[1]}",
            "port 9091": f"port {self.ops[0]}",
            "port 9092": f"port {self.ops[1]}",
        }
        return [_program("haproxy"), "-db", "-f", str(self._rendered("haproxy/haproxy.cfg", "haproxy.cfg", changes))]

    def _caddy(self) -> list[str]:
        changes = {
            "\tadmin off\n": f"\tadmin off\n\thttp_port {self.plain}\n\tdefault_bind 127.0.0.1\n",
            "login.example.com {": f"login.localhost:{self.port} {{",
            "login.example.com": "login.localhost",
            "unix//run/chain-gateway/a.sock": f"unix/{self.sockets[0]}",
            "unix//run/chain-gateway/b.sock": f"unix/{self.sockets[1]}",
            "/etc/ssl/chain-gateway/fullchain.pem": str(self.authority.chain),
            "/etc/ssl/chain-gateway/key.pem": str(self.authority.key),
        }
        file = self._rendered("caddy/Caddyfile", "Caddyfile", changes)
        return [_program("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]

    def _rendered(self, source: str, name: str, changes: Mapping[str, str]) -> Path:
        """The file of ``deploy/`` with ``changes``, each of which has to have something to change."""
        text = (DEPLOY / source).read_text()
        for old, new in changes.items():
            assert old in text, f"{source} has no {old!r}"
            text = text.replace(old, new)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)
        return self.folder / name


@contextmanager
def running(proxy: Proxy) -> Iterator[Proxy]:
    """The proxy until the end of the block; it listens when this begins."""
    command = proxy.command()
    output = proxy.folder / "output.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=proxy.folder,
            env={"HOME": str(proxy.folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    try:
        until = time.monotonic() + PATIENCE
        while not _listens(proxy.port):
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < until, output.read_text()
        yield proxy
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _program(name: str) -> str:
    """Debian has them where only root looks."""
    return shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") or name


def _listens(port: int) -> bool:
    with socket.socket() as knock:
        knock.settimeout(0.05)
        return knock.connect_ex(("127.0.0.1", port)) == 0
