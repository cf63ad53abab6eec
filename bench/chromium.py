"""How long a walk takes in Chromium, against the same number of bare redirects and pages."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from playwright.sync_api import Page, Response, sync_playwright

from bench.bare_walk import END
from bench.child import Child
from bench.figures import Figure, MeasurementFailed, Size, Subject, Words, middle
from bench.world import World, a_world
from chain_gateway.demo.headless import ARGUMENTS, find_browser

APPS: Final = 4
MILLI: Final = 1e3
REDIRECTS: Final = range(300, 400)
HALVES: Final = ("login", "logout")
OUT: Final = """url => { const form = document.createElement("form"); form.method = "post"; form.action = url;
document.body.append(form); form.submit(); }"""
SAME: Final = "as many bare redirects and pages in the same browser"


@dataclass
class Taken:
    """What one half of a walk came to: redirects and pages of the main frame, and the milliseconds of each round."""

    redirects: int = 0
    pages: int = 0
    walked: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of a real browser; MeasurementFailed without one."""
    program = find_browser()
    if not program:
        raise MeasurementFailed("Chromium is not there; to have it: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        try:
            yield browser.new_page()
        finally:
            browser.close()


def _walk(page: Page, world: World, half: str) -> float:
    """Signs in from the first app's page, or out; the milliseconds until its page says so."""
    front = world.url(world.apps[0])
    began = time.perf_counter()
    if half == "login":
        page.goto(f"{front}/chain/login", wait_until="commit")
    else:
        page.evaluate(OUT, f"{front}/chain/logout")
    page.wait_for_function("who => document.body && document.body.innerText === who", arg=_said(half))
    return (time.perf_counter() - began) * MILLI


def _said(half: str) -> str:
    return "demo|alice" if half == "login" else "nobody"


def _bare(page: Page, port: int, taken: Taken) -> float:
    """The same redirects and pages, bare; those pages that a form leaves bring a redirect each."""
    began = time.perf_counter()
    url = f"http://bare.localhost:{port}/go?redirects={taken.redirects - taken.pages}&pages={taken.pages}"
    page.goto(url, wait_until="commit")
    page.wait_for_function("end => document.body && document.body.innerText === end", arg=END)
    return (time.perf_counter() - began) * MILLI


def _counted(page: Page, world: World) -> dict[str, Taken]:
    """One walk of each half, watched: how many redirects and pages it is."""
    page.goto(f"{world.url(world.apps[0])}/chain/login")
    page.get_by_role("button").first.click()
    page.wait_for_function("who => document.body.innerText === who", arg=_said("login"))
    _walk(page, world, "logout")
    found: dict[str, Taken] = {}
    for half in HALVES:
        taken = found[half] = Taken()

        def count(response: Response, taken: Taken = taken) -> None:
            if response.request.is_navigation_request():
                taken.redirects += response.status in REDIRECTS
                taken.pages += response.status not in REDIRECTS

        page.on("response", count)
        _walk(page, world, half)
        page.remove_listener("response", count)
        taken.pages -= 1  # the last is where it ends
    return found


def _measure(size: Size) -> Mapping[str, Figure]:
    with (
        a_world(APPS, {"login": "form_post", "logout": "redirect"}) as world,
        Child("bench.bare_walk") as server,
        chromium() as page,
    ):
        port = int(server.ask("port")[0])
        halves = _counted(page, world)
        for _ in range(size.chromium):
            for half, taken in halves.items():
                taken.walked.append(_walk(page, world, half))
            for taken in halves.values():
                taken.bare.append(_bare(page, port, taken))
    return {
        f"chromium.{half}": Figure(middle(taken.walked), "ms", middle(taken.bare)) for half, taken in halves.items()
    }


SUBJECTS: Final = (
    Subject(
        {
            "chromium.login": Words(
                f"a sign-in through {APPS} apps in Chromium, time on the wall; the provider knows the person", SAME
            ),
            "chromium.logout": Words(f"the sign-out after it, through {APPS} apps", SAME),
        },
        _measure,
    ),
)
