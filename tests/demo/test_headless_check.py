"""The whole demo in Chromium: the gateway, the provider and the sites as they are, and what is true in between."""

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

COMMAND = [sys.executable, "-m", "chain_gateway.cli.main", "demo", "--headless-check", "--port", "0", "--json"]


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--login-mode", "form_post", "--logout-mode", "redirect"],
        ["--login-mode", "two_step", "--logout-mode", "redirect"],
        ["--login-mode", "form_post", "--logout-mode", "form_post"],
        ["--login-mode", "two_step", "--logout-mode", "form_post"],
        ["--dialect", "auth0"],
        ["--apps", "25"],
        ["--apps", "25", "--login-mode", "two_step", "--logout-mode", "form_post"],
    ],
    ids=lambda options: " ".join(options) or "as it is",
)
def test_one_sign_in_and_one_sign_out_reach_every_site(options):
    """Each site's own page and cookies agree before, between and after; nothing is left open anywhere."""
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["ok"]
    assert len(told["apps"]) == (25 if "--apps" in options else 4)
    assert done.stderr == ""


def test_lazy_and_unvisited_sites_are_held_to_their_own_policy(tmp_path):
    """A lazy site signs in silently when its protected page is opened, and is signed out with the others."""
    chain = tmp_path / "chain.toml"
    chain.write_text(
        """
        [[apps]]
        id = "shop"
        [[apps]]
        id = "news"
        visit = "lazy"
        [[apps]]
        id = "bank"
        login = "none"
        logout = "none"
        [[chains]]
        id = "main"
        apps = ["shop", "news", "bank"]
        """
    )
    command = [*COMMAND, "--chain", str(chain)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
