"""One login at the relying party: from ``/login`` to a code that was redeemed and an ID token that was checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bench.browser import Browser
from bench.figures import Figure, MeasurementFailed, Size, Subject, Words, middle
from bench.world import World, a_world

MILLI: Final = 1e3
NO_HOPS: Final = {"login": "none", "logout": "none"}
"""Apps that no walk visits: what is left of a login is the gateway's own part."""


def _sign_in(browser: Browser, world: World) -> None:
    """A login from the gateway's own endpoint; the browser ends at the app's front page without a hop."""
    front = world.url(world.apps[0]) + "/"
    browser.open(f"{world.url('login')}/login?return_to={front}")
    if browser.url != front:
        raise MeasurementFailed(f"the login ended at {browser.url}")


def _measure(size: Size) -> Mapping[str, Figure]:
    costs, bare = [], []
    with a_world(1, NO_HOPS) as world, Browser(world.url("id")) as browser:
        _sign_in(browser, world)
        for _ in range(size.rounds):
            before = world.gateway.cpu()
            for _ in range(size.logins):
                browser.forget()
                _sign_in(browser, world)
            between = world.gateway.cpu()
            for _ in range(2 * size.logins):
                browser.ask("GET", world.url("bare") + "/")
            costs.append((between - before) / size.logins * MILLI)
            bare.append((world.gateway.cpu() - between) / size.logins * MILLI)
    return {"login.cpu": Figure(middle(costs), "ms", middle(bare))}


SUBJECTS: Final = (
    Subject(
        {
            "login.cpu": Words(
                "one login at the provider, `/login` and `/callback` with code exchange, ID token (ES256) and session "
                "written down, without the walk: processor time of the gateway; the provider is another process",
                "two bare aiohttp 302s in the gateway's process",
            )
        },
        _measure,
    ),
)
