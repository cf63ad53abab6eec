"""The crowd: people who sign in and out, some in two tabs at once, some of whom close the tab in the middle."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import dataclass, field
from typing import Final

from bench.soak.browser import Browser, Tab
from bench.soak.person import Person
from bench.soak.site import NAMES, PEOPLE, Site
from bench.soak.trace import Held

Habits = tuple[tuple[str, int], ...]
HABITS: Final[Habits] = (
    ("in and out", 45),
    ("in twice and out", 15),
    ("two tabs", 20),
    ("leaves while signing in", 8),
    ("leaves while signing out", 8),
    ("never signs out", 4),
)


@dataclass(slots=True)
class Crowd:
    """Everybody who comes while the run lasts. ``seed`` makes who does what the same in each run."""

    site: Site
    seed: int
    secrets: set[str] = field(default_factory=set)
    browsers: list[Browser] = field(default_factory=list)
    copies: list[tuple[Browser, str, dict[str, str]]] = field(default_factory=list)
    """The cookies from before a logout that one tab alone made, and its walk."""
    over: bool = False
    habits: Habits = HABITS
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def come(self, people: int) -> None:
        """Returns when the last of them has gone, after ``over`` was set."""
        await asyncio.gather(*(self._again_and_again() for _ in range(people)))

    async def _again_and_again(self) -> None:
        while not self.over:
            number = next(self._numbers)
            drawn = random.Random(f"{self.seed} {number}")
            who = drawn.choice(PEOPLE)
            browser = Browser(number, who.username, self.site.trace, self.secrets)
            self.site.trace.people[number] = who.sub
            self.browsers.append(browser)
            habit = drawn.choices([name for name, _ in self.habits], [weight for _, weight in self.habits])[0]
            await self._live(browser, habit, drawn)

    async def _live(self, browser: Browser, habit: str, drawn: random.Random) -> None:
        async with Tab(browser) as tab, Tab(browser) as other:
            person, apps = self._person(tab), drawn.sample(NAMES[:3], 2)
            tab.steps_left = drawn.randrange(3) if habit == "leaves while signing in" else -1
            await person.sign_in(apps[0])
            tab.steps_left = -1
            if habit == "in twice and out":
                await person.sign_in(apps[1])
            if habit == "never signs out":
                return
            if habit == "two tabs":
                await asyncio.gather(self._person(other).sign_in(apps[1]), person.sign_out(apps[0]))
                await person.sign_out(apps[1])
                return
            tab.steps_left = drawn.randrange(3) if habit == "leaves while signing out" else -1
            before = browser.copy()
            await person.sign_out(apps[0])
            self.copies.append((browser, tab.walk, before))

    def _person(self, tab: Tab) -> Person:
        return Person(tab, self.site.gateway, self.site.op, self.site.apps)

    async def look(self) -> None:
        """Notes what every app holds of every browser, and of every copy."""
        jars = [(browser, "", browser.copy()) for browser in self.browsers]
        for browser, walk, cookies in (*jars, *self.copies):
            for app, (epoch, sub) in (await self.site.holds(cookies)).items():
                self.site.trace.held.append(Held(browser.number, app, epoch, sub, walk))
