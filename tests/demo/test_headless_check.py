"""The whole demo in Chromium: the gateway, the provider and the sites as they are, and what is true in between."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chain_gateway.demo import headless
from chain_gateway.demo.options import DemoOptions
from chain_gateway.demo.server import running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

IN_ONE_BROWSER = pytest.mark.asyncio(loop_scope="module")
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "chain_gateway.cli.main", "demo", "--headless-check", "--port", "0", "--json"]


def test_one_sign_in_and_one_sign_out_reach_every_site():
    """Each site's own page and cookies agree before, between and after; nothing is left open anywhere.

    It is called as the README says it.
    """
    command = [sys.executable, str(ROOT / "run.py"), *COMMAND[3:], "--apps", "25"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["ok"]
    assert len(told["apps"]) == 25
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


TOLD = {
    "down": ("could not be reached", "could not be reached"),
    "hang": ("skipped", "skipped"),
    "error": ("skipped", "skipped"),
    "no-receipt": ("failed at Bank", "failed at Bank"),
    "reset": ("skipped", "skipped"),
    "loop": ("skipped", "skipped"),
}
"""What a person is told of Bank after the sign-in and after the sign-out, before the back channel had its chance."""
CONFIRMED = "signed out, confirmed by Bank"


@pytest.fixture
def checked(chromium):
    """Runs the check on a demo, also one in which sites fail, each time as somebody new."""

    async def checked(*faults: str, **options: str | int | Path) -> dict:
        async with running(DemoOptions(port=0, fail=faults, **options)) as ready:
            context = await chromium.new_context()
            report = await headless.Check(ready, context).run()
            await context.close()
        assert report.ok, report.as_lines()
        return report.as_json()

    return checked


@IN_ONE_BROWSER
@pytest.mark.parametrize(
    "options",
    [
        {"login_mode": "two_step", "logout_mode": "redirect"},
        {"login_mode": "form_post", "logout_mode": "form_post"},
        {"login_mode": "two_step", "logout_mode": "form_post", "apps": 12},
        {"dialect": "auth0"},
    ],
    ids=lambda options: " ".join(map(str, options.values())),
)
async def test_it_is_the_same_in_each_mode_and_dialect(checked, options):
    """Beside the modes that are the default: by redirects, by forms, and at a provider that speaks as Auth0 does."""
    told = await checked(**options)
    assert told["ok"]
    assert len(told["apps"]) == options.get("apps", 4)


@IN_ONE_BROWSER
@pytest.mark.parametrize("kind", TOLD)
async def test_where_a_site_fails_the_truth_is_told_and_nobody_is_stranded(checked, kind):
    """Its line says what happened, the others hold, and where it can be reached its session ends all the same."""
    told = await checked(f"bank={kind}")
    bank = next(app for app in told["apps"] if app["id"] == "bank")
    signing_in, signing_out = TOLD[kind]
    assert (bank["broken"], bank["told"]["sign-in"]) == (kind, signing_in)
    # A back channel that was faster than the rest of the walk leaves nothing to be told: the person is back at Shop.
    assert bank["told"]["sign-out"] in {signing_out} | ({"not named"} if kind != "down" else set())
    last = list(bank["told"].values())[-1]
    assert last in ({"could not be reached"} if kind == "down" else {"not named", CONFIRMED})
    assert all(app["ok"] for app in told["apps"])
    assert told["faults"] == []


@IN_ONE_BROWSER
@pytest.mark.parametrize("kind", ["down", "hang", "no-receipt"])
async def test_it_is_the_same_where_no_page_comes_before_a_hop(checked, kind):
    """By ``two_step`` and by redirects the gateway alone looks before the browser leaves."""
    told = await checked(f"bank={kind}", login_mode="two_step", logout_mode="redirect")
    bank = next(app for app in told["apps"] if app["id"] == "bank")
    assert bank["told"]["sign-in"] == TOLD[kind][0]
    assert told["ok"]


@IN_ONE_BROWSER
async def test_a_lazy_site_that_fails_is_in_nobodys_way(checked, tmp_path):
    """No sign-in visits it; the first sign-out does, as nothing is known of it yet, and says what came of it."""
    chain = tmp_path / "chain.toml"
    chain.write_text(
        """
        [[apps]]
        id = "shop"
        [[apps]]
        id = "news"
        visit = "lazy"
        [[chains]]
        id = "main"
        apps = ["shop", "news"]
        """
    )
    told = await checked("news=down", chain=chain)
    assert told["ok"]
    said = told["apps"][1]["told"]
    assert (said["sign-in"], said["sign-out"]) == ("not named", "could not be reached")


@IN_ONE_BROWSER
async def test_a_slow_site_holds_like_any_other(checked):
    """It takes longer, and is waited for."""
    told = await checked("bank=slow:2s")
    assert told["ok"]
    assert min(told["sign_in_seconds"], told["sign_out_seconds"]) >= 2


async def test_a_slow_site_is_waited_for_whatever_patience_there_is(monkeypatch):
    """Nobody skips it, and nobody calls it a failure of the gateway."""
    monkeypatch.setattr(headless, "PATIENCE_MS", 3000)
    async with running(DemoOptions(port=0, fail=("bank=slow:4s",))) as ready:
        report = await headless.check(ready, headless.find_browser())
    assert report.ok, report.as_lines()


def test_two_sites_may_fail_at_once_the_first_too():
    """The sign-in then begins at one that is well."""
    command = [*COMMAND, "--fail", "shop=error", "--fail", "mail=down"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert [app["ok"] for app in told["apps"]] == [True] * 4
    assert [app["broken"] for app in told["apps"]] == ["error", "", "", "down"]


def test_where_every_site_fails_there_is_nothing_to_check():
    """Exit code 2, and a sentence."""
    options = [word for app in ("shop", "news", "bank", "mail") for word in ("--fail", f"{app}=down")]
    done = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "leave it well" in done.stdout
