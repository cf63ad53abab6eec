"""The image, the compose file and the manifests: they name what there is, and what they start can be started."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from deploy_dockerfile import let_in, problems, run_stage, stages, steps
from deploy_proxies import DEPLOY
from deploy_wire import answering
from deploy_yaml import documents

from chain_gateway.cli import keys
from chain_gateway.cli.supervisor import LATE_SECONDS
from chain_gateway.cli.test import SYSTEM_PATH
from chain_gateway.store.urls import open_store

ROOT = DEPLOY.parent
DOCKERFILE = (DEPLOY / "docker" / "Dockerfile").read_text()
IGNORED = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text()
KEYS = "/run/chain-gateway/keys.json"
SECRETS = {
    name: f"{name} of more than 32 bytes, as it must be" for name in ("OP_CLIENT_SECRET", "SHOP_SECRET", "NEWS_SECRET")
}


def checked(folder: Path, config: str, program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """``check`` of a container's configuration, with keys and a store that are there."""
    url = tomllib.loads(config)["store"]["url"]
    open_store(url)  # refuses what is no such URL; nothing is connected yet
    there = config.replace(KEYS, str(folder / "keys.json")).replace(url, f"sqlite:///{folder}/chain.db")
    (folder / "chain.toml").write_text(there)
    keys.new(folder / "keys.json", int(time.time()), force=False)
    command = [program, "check", "--config", str(folder / "chain.toml")]
    known = {"PATH": os.environ["PATH"], **SECRETS, **environ}
    return subprocess.run(command, capture_output=True, text=True, env=known, timeout=60, check=False)


def test_nothing_is_wrong_with_the_dockerfile() -> None:
    assert problems(DOCKERFILE) == set()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("FROM python:3.13-slim-bookworm\n", "FROM python\n", "an image without a version"),
        ("USER 10001:10001\n", "", "root"),
        ("USER 10001:10001", "USER 0:0", "root"),
        ('ENTRYPOINT ["chain-gateway"]', "ENTRYPOINT chain-gateway", "a shell in between"),
        ("HEALTHCHECK", "LABEL", "no health"),
        ("COPY chain_gateway ./chain_gateway", "ADD chain_gateway ./chain_gateway", "ADD"),
        ("COPY chain_gateway ./chain_gateway", "COPY . ./", "everything copied"),
        ("PIP_NO_CACHE_DIR=1", "OP_CLIENT_SECRET=x", "a secret"),
        ("PIP_NO_CACHE_DIR=1", "", "a cache"),
        ("EXPOSE 8080", "RUN apt-get update", "tools in the image"),
    ],
)
def test_what_is_wrong_is_found(old: str, new: str, problem: str) -> None:
    """By whoever looks at the Dockerfile above."""
    assert old in DOCKERFILE
    assert problem in problems(DOCKERFILE.replace(old, new))


@pytest.mark.parametrize(
    "path",
    ["keys.json", "chain.db", ".git/config", ".venv/bin/python", "tests/conftest.py", "chain_gateway/__pycache__/a"],
)
def test_what_the_image_has_no_need_of_does_not_get_there(path: str) -> None:
    """Least of all keys and databases."""
    assert not let_in(IGNORED, path)
    assert let_in(IGNORED, "chain_gateway/cli/main.py")


def test_its_steps_make_a_gateway_that_runs(tmp_path: Path) -> None:
    """In a clean folder: what is copied is enough, and the program takes the configuration that compose has.

    Without the libraries that the package needs, which are those that this test runs with: they are lent.
    """
    first = stages(steps(DOCKERFILE))[0]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    named = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HOME", "SSL_"))}
    run_stage(first, IGNORED, ROOT, tmp_path / "root", named | {"PATH": path, "PIP_NO_DEPS": "1"})
    made = tmp_path / "root" / "opt" / "chain-gateway"
    (packages,) = made.glob("lib/python*/site-packages")
    assert (packages / "chain_gateway" / "store" / "redis" / "lua" / "advance.lua").exists()
    assert not (packages / "pip").exists()
    lent = [each for each in sys.path if each.endswith("site-packages")]
    (packages / "lent.pth").write_text("\n".join(lent) + "\n")
    done = checked(
        tmp_path, (DEPLOY / "docker" / "config" / "chain.toml").read_text(), str(made / "bin" / "chain-gateway")
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "root" / "state").stat().st_mode & 0o777 == 0o700


@pytest.mark.deploy
def test_compose_starts_what_there_is(tmp_path: Path) -> None:
    """Two gateways of this image with a configuration that holds; the proxy alone can be reached from outside."""
    (compose,) = documents(DEPLOY / "docker" / "compose.yaml")
    services = compose["services"]
    gateway = services["gateway"]
    assert (DEPLOY / "docker" / gateway["build"]["context"]).resolve() == ROOT
    assert (ROOT / gateway["build"]["dockerfile"]).read_text() == DOCKERFILE
    assert gateway["deploy"]["replicas"] == 2
    assert int(gateway["stop_grace_period"].removesuffix("s")) > LATE_SECONDS
    mounted = dict(volume.removesuffix(":ro").split(":") for volume in gateway["volumes"])
    assert mounted == {"./config": "/etc/chain-gateway"}
    assert '"/etc/chain-gateway/chain.toml"' in DOCKERFILE
    assert [name for name, service in services.items() if "ports" in service] == ["caddy"]
    assert compose["networks"]["inside"]["internal"]
    assert services["redis"]["networks"] == ["inside"]
    assert all(re.search(r":\d", services[name]["image"]) for name in ("redis", "caddy"))
    config = tomllib.loads((DEPLOY / "docker" / "config" / "chain.toml").read_text())
    assert config["store"]["url"].startswith("redis://redis:")
    assert config["gateway"]["listen"].endswith(":8080")


@pytest.mark.deploy
def test_the_proxy_of_compose_is_the_one_that_is_tested(tmp_path: Path) -> None:
    """But for the certificate and where the gateways are; Caddy takes it."""
    own = (DEPLOY / "docker" / "Caddyfile").read_text().splitlines()
    tested = (DEPLOY / "caddy" / "Caddyfile").read_text().splitlines()
    extra = {line.strip() for line in own if line not in tested and not line.startswith("#")}
    gone = {line.strip().split(" ")[0] for line in tested if line not in own and not line.startswith("#")}
    assert extra == {"reverse_proxy {", "dynamic a gateway 8080 {", "refresh 1s"}
    assert gone == {"tls", "reverse_proxy"}
    program = shutil.which("caddy", path=SYSTEM_PATH)
    command = [program, "validate", "--adapter", "caddyfile", "--config", str(DEPLOY / "docker" / "Caddyfile")]
    done = subprocess.run(command, capture_output=True, text=True, env={"HOME": str(tmp_path)}, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def manifests() -> dict[str, dict]:
    """The objects by their kind."""
    return {each["kind"]: each for each in documents(DEPLOY / "kubernetes" / "chain-gateway.yaml")}


@pytest.mark.deploy
def test_kubernetes_starts_what_there_is(tmp_path: Path) -> None:
    """With a configuration that holds, as nobody, and with time to end."""
    found = manifests()
    pod = found["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    config = found["ConfigMap"]["data"]["chain.toml"]
    assert f'file = "{KEYS}"' in config
    (before,) = pod["initContainers"]
    *install, secret, copy = before["command"]
    assert {Path(secret).parent, Path(copy).parent} == {Path(mount["mountPath"]) for mount in before["volumeMounts"]}
    assert (Path(secret).name, copy) == ("keys.json", KEYS)
    shared = tmp_path / "secret.json"
    shared.touch(0o440)
    subprocess.run([*install, shared, tmp_path / "copy.json"], check=True, timeout=30)
    assert (tmp_path / "copy.json").stat().st_mode & 0o777 == 0o600
    done = checked(tmp_path, config, str(Path(sys.executable).with_name("chain-gateway")))
    assert done.returncode == 0, done.stdout + done.stderr
    places = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert {str(Path(KEYS).parent), str(Path(container["args"][-1]).parent)} <= places
    assert Path(container["args"][-1]).name in found["ConfigMap"]["data"]
    assert container["args"][0] == "serve"
    (port,) = container["ports"]
    assert tomllib.loads(config)["gateway"]["listen"] == f"0.0.0.0:{port['containerPort']}"
    assert f"USER {pod['securityContext']['runAsUser']}:" in DOCKERFILE
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert pod["terminationGracePeriodSeconds"] > pause + LATE_SECONDS
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels


@pytest.mark.deploy
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_probes_tell_good_from_bad(status: int, code: int) -> None:
    """Those of the image and of Kubernetes, by their exit codes."""
    (container,) = manifests()["Deployment"]["spec"]["template"]["spec"]["containers"]
    health = next(step.text for step in steps(DOCKERFILE) if step.word == "HEALTHCHECK")
    commands = {
        "/readyz": container["startupProbe"]["exec"]["command"][-1],
        "/readyz?checks=keys": container["readinessProbe"]["exec"]["command"][-1],
        "/healthz": container["livenessProbe"]["exec"]["command"][-1],
        "/healthz of the image": re.search(r'"(import [^"]*)"', health)[1],
    }
    for path, command in commands.items():
        with answering(status) as (port, asked):
            assert ":9090/" in command
            words = [sys.executable, "-c", command.replace("9090", str(port))]
            done = subprocess.run(words, capture_output=True, timeout=30, check=False)
            assert (done.returncode, asked) == (code, [path.partition(" ")[0]])
