"""Whole walks: one login and one logout through every app, and what gateway and apps take for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from bench.browser import Browser
from bench.figures import Figure, MeasurementFailed, Size, Subject, Words, middle
from bench.world import World, a_world

MILLI: Final = 1e3
WHO: Final = "demo|alice"
NOBODY: Final = "nobody"

WALK: Final = "one login (`form_post`, with the page's ping) and one logout (`redirect`)"
AGAINST: Final = "as many bare aiohttp 302s by the same client"


@dataclass
class Series:
    """Processor time and time on the wall for an app, in ms, round by round."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


def sign_in(browser: Browser, world: World) -> None:
    """A login that starts at the first app and ends there."""
    first = world.url(world.apps[0])
    if browser.open(f"{first}/chain/login") != WHO or browser.url != f"{first}/":
        raise MeasurementFailed(f"the login ended at {browser.url}: {browser.text[:300]}")


def sign_out(browser: Browser, world: World) -> None:
    """A logout everywhere that the first app signs."""
    first = world.url(world.apps[0])
    if browser.post(f"{first}/chain/logout", first) != NOBODY:
        raise MeasurementFailed(f"the logout ended at {browser.url}: {browser.text[:300]}")


def must_say(browser: Browser, world: World, who: str) -> None:
    """Returns if each app's own page says ``who`` is signed in."""
    wrong = [name for name in world.apps if browser.open(f"{world.url(name)}/") != who]
    if wrong:
        raise MeasurementFailed(f"not {who} at {', '.join(wrong)}")


def _whole(browser: Browser, world: World) -> None:
    browser.forget()
    sign_in(browser, world)
    sign_out(browser, world)


def _proven(browser: Browser, world: World) -> int:
    """One walk that is looked at: signed in everywhere, then out everywhere; how many requests a walk takes."""
    sign_in(browser, world)
    must_say(browser, world, WHO)
    sign_out(browser, world)
    must_say(browser, world, NOBODY)
    before = browser.requests
    _whole(browser, world)
    return browser.requests - before


def _take(series: Series, world: World, browser: Browser, visits: int, walks: int, *, bare: int = 0) -> None:
    """One round of ``walks`` walks, or of ``bare`` plain requests in the place of each."""
    cpu, seconds = world.cpu(), browser.seconds
    for _ in range(walks):
        if bare:
            for _ in range(bare):
                browser.ask("GET", world.url("bare") + "/")
        else:
            _whole(browser, world)
    series.cpu.append((world.cpu() - cpu) / visits * MILLI)
    series.wall.append((browser.seconds - seconds) / visits * MILLI)


def walks(apps: int, size: Size) -> tuple[Series, Series]:
    """Rounds of walks through that many apps, and of bare redirects, by turns."""
    walked, bare = Series(), Series()
    with a_world(apps, {"login": "form_post", "logout": "redirect"}) as world, Browser(world.url("id")) as browser:
        requests = _proven(browser, world)
        count = max(1, size.visits // apps)
        for _ in range(size.rounds):
            _take(walked, world, browser, count * apps, count)
            _take(bare, world, browser, count * apps, count, bare=requests)
    return walked, bare


class Crowd:
    """Browsers that do the same at once, each in a thread of its own."""

    def __init__(self, world: World, browsers: list[Browser], pool: ThreadPoolExecutor) -> None:
        """As many threads as browsers."""
        self._world = world
        self._browsers = browsers
        self._pool = pool

    def take(self, one: Callable[[Browser], object]) -> float:
        """The processor time of gateway and apps, in ms for each visit of an app, while each browser does ``one``."""
        before = self._world.cpu()
        list(self._pool.map(one, self._browsers))
        return (self._world.cpu() - before) / (len(self._browsers) * len(self._world.apps)) * MILLI


def loaded(apps: int, size: Size) -> Mapping[str, Figure]:
    """Logins and logouts, each by itself, while several browsers walk at once, beside as many bare redirects."""
    taken: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        world = stack.enter_context(a_world(apps, {"login": "form_post", "logout": "redirect"}))
        browsers = [stack.enter_context(Browser(world.url("id"))) for _ in range(size.browsers)]
        crowd = Crowd(world, browsers, stack.enter_context(ThreadPoolExecutor(size.browsers)))
        _proven(browsers[0], world)
        for _ in range(size.rounds * max(1, size.visits // apps)):
            for name, walk in (("login", sign_in), ("logout", sign_out)):
                if walk is sign_in:
                    crowd.take(Browser.forget)
                before = browsers[0].requests
                taken[name].append(crowd.take(partial(walk, world=world)))
                taken[name + " bare"].append(crowd.take(partial(_plain, world, browsers[0].requests - before)))
    middles = {name: middle(series) for name, series in taken.items()}
    return {
        f"walk.load.{name}": Figure(middles[name], "ms/app", middles[name + " bare"]) for name in ("login", "logout")
    }


def _plain(world: World, count: int, browser: Browser) -> None:
    for _ in range(count):
        browser.ask("GET", world.url("bare") + "/")


def _named(ending: str, walked: Series, bare: Series) -> dict[str, Figure]:
    return {
        f"walk.cpu{ending}": Figure(middle(walked.cpu), "ms/app", middle(bare.cpu)),
        f"walk.wall{ending}": Figure(middle(walked.wall), "ms/app", middle(bare.wall)),
    }


def _measure(size: Size) -> Mapping[str, Figure]:
    few, some, many = size.apps
    figures: dict[str, Figure] = {}
    for apps, ending in ((few, ".4"), (some, ""), (many, ".100")):
        figures |= _named(ending, *walks(apps, size))
    return figures | loaded(some, size)


def _words() -> dict[str, Words]:
    words = {}
    for ending, apps in ((".4", 4), ("", 25), (".100", 100)):
        words[f"walk.cpu{ending}"] = Words(
            f"{WALK} through {apps} apps: processor time of gateway and apps together, for each app", AGAINST
        )
        words[f"walk.wall{ending}"] = Words(
            f"the same through {apps} apps: time on the wall for one client alone, for each app", AGAINST
        )
    for name, mode in (("login", "form_post"), ("logout", "redirect")):
        words[f"walk.load.{name}"] = Words(
            f"one {name} (`{mode}`) through 25 apps, while eight browsers walk at once: processor time of gateway and "
            "apps together, for each app",
            AGAINST,
        )
    return words


SUBJECTS: Final = (Subject(_words(), _measure),)
