"""What is explored: a table of settings, and its numbers as they stand on the page about it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from exploration_rest import signed_in, visited
from exploration_search import Found, Search
from exploration_settings import Intention, Settings
from exploration_values import State
from exploration_world import World, a_world

from chain_gateway.core.chain import Mode
from chain_gateway.core.walk import OpLogout

PAGE = Path(__file__).parents[2] / "docs" / "exploration.md"
HEAD = "| the browser is | wanted in its tabs | settings | faults | states | events | ends | schedules |"
RULE = "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |"

LOGIN, OUT = Intention("login", "shop"), Intention("logout", "shop")
SILENT, APP_OUT = Intention("silent login", "shop"), Intention("app logout", "shop")
STARTS = {"unknown": World.first, "known": visited, "signed in": signed_in}


@dataclass(frozen=True)
class Row:
    """One exploration: what the browser was before, what is wanted in its tabs, and what may go wrong.

    ``words`` tells the settings that are not the usual ones.
    """

    start: str
    wanted: tuple[Intention, ...]
    faults: int = 0
    words: str = ""
    settings: Settings = field(default_factory=Settings)

    def __str__(self) -> str:
        faults = f", {self.faults} fault{'s' * (self.faults > 1)}" if self.faults else ""
        return f"{self.start}: {' and '.join(i.what for i in self.wanted)}{', ' * bool(self.words)}{self.words}{faults}"

    def first(self, world: World) -> State:
        """The state that it begins with."""
        return STARTS[self.start](world, len(self.wanted))._replace(faults=self.faults)

    def run(self) -> tuple[Found, list[str]]:
        """What is found, and each thing that is broken, with a schedule that leads to it."""
        with a_world(self.settings) as world:
            search, first = Search(world, self.wanted), self.first(world)
            found = search.run(first)
            told = [f"{words}\n  by {search.schedule(first, state)}" for words, state in found.broken.items()]
            return found, told

    @property
    def cells(self) -> str:
        """How the line of the page about it begins."""
        what = ", ".join(intention.what for intention in self.wanted)
        return f"| {self.start} | {what} | {self.words} | {self.faults} | "

    def line(self, found: Found) -> str:
        """The line of the page about it."""
        return f"{self.cells}{found.states:,} | {found.events:,} | {found.ends:,} | {found.schedules:.3g} |"


TWO_STEP, BY_FORM = Mode.TWO_STEP, Mode.FORM_POST
SHOP = ("shop",)
ONE_APP = Settings(apps=SHOP)

QUICK = (
    Row("known", (LOGIN, LOGIN)),
    Row("known", (LOGIN, OUT)),
    Row("known", (OUT, OUT)),
    Row("known", (LOGIN, APP_OUT)),
    Row("known", (SILENT, OUT)),
    Row("signed in", (LOGIN, LOGIN)),
    Row("signed in", (LOGIN, OUT)),
    Row("signed in", (OUT, OUT)),
    Row("signed in", (LOGIN, APP_OUT)),
    Row("signed in", (APP_OUT, OUT)),
    Row("signed in", (SILENT, OUT)),
    Row("known", (LOGIN, OUT), 0, "login by two_step", Settings(login=TWO_STEP)),
    Row("known", (LOGIN, OUT), 0, "logout by form_post", Settings(logout=BY_FORM)),
    Row("signed in", (OUT, OUT), 0, "logout by two_step", Settings(logout=TWO_STEP)),
    Row("known", (LOGIN, OUT), 0, "provider's logout last", Settings(op_logout=OpLogout.LAST)),
    Row("known", (LOGIN, OUT), 0, "no provider's logout", Settings(op_logout=OpLogout.NONE)),
    Row("signed in", (LOGIN, OUT), 0, "one app, two people", Settings(apps=SHOP, others=True)),
    Row("signed in", (LOGIN, OUT), 0, "one app, logout tokens", Settings(apps=SHOP, tells=True)),
    Row("signed in", (LOGIN, OUT), 0, "one app, its pages", Settings(apps=SHOP, pages=True)),
    Row("signed in", (LOGIN, OUT), 0, "one app, a page asks", Settings(apps=SHOP, confirm="unsigned")),
    Row("unknown", (OUT, OUT), 0, "one app, a page asks", Settings(apps=SHOP, confirm="unsigned")),
    *(Row("signed in", (wanted,), 1) for wanted in (LOGIN, SILENT, OUT, APP_OUT)),
    Row("known", (LOGIN,), 1, "login by two_step", Settings(login=TWO_STEP)),
    Row("signed in", (OUT,), 1, "logout by form_post", Settings(logout=BY_FORM)),
    Row("known", (SILENT, OUT), 1, "one app", ONE_APP),
)
DEEP = (
    Row("known", (APP_OUT, OUT)),
    *(Row("signed in", (wanted,), 2) for wanted in (LOGIN, SILENT, OUT, APP_OUT)),
    Row("signed in", (LOGIN,), 3, "one app", ONE_APP),
    Row("signed in", (OUT,), 3, "one app", ONE_APP),
    Row("signed in", (LOGIN, LOGIN), 0, "login by two_step", Settings(login=TWO_STEP)),
    Row("signed in", (LOGIN, OUT), 0, "login by two_step", Settings(login=TWO_STEP)),
    Row("signed in", (LOGIN, OUT), 0, "provider's logout last", Settings(op_logout=OpLogout.LAST)),
    Row("known", (OUT, OUT), 1, "one app", ONE_APP),
    Row("known", (APP_OUT, OUT), 1, "one app", ONE_APP),
    Row("known", (LOGIN, LOGIN), 1, "one app", ONE_APP),
    Row("known", (LOGIN, OUT), 1, "one app", ONE_APP),
    Row("known", (LOGIN, APP_OUT), 1, "one app", ONE_APP),
    Row("known", (LOGIN, OUT, OUT), 0, "one app", ONE_APP),
    Row("known", (LOGIN, LOGIN, OUT), 0, "one app", ONE_APP),
)


def part(name: str) -> str:
    """The lines of one table of the page."""
    match = re.search(rf"<!-- {name} -->\n(.*?)<!-- {name} ends -->", PAGE.read_text(), re.DOTALL)
    assert match is not None, f"the page has no table {name}"
    return match[1]


def write(name: str, rows: tuple[Row, ...]) -> bool:
    """Runs ``rows`` and puts their lines on the page; says what is broken, and whether nothing is."""
    lines, good = [HEAD, RULE], True
    for row in rows:
        begun = time.process_time()
        found, told = row.run()
        print(f"{row}: {found}, {time.process_time() - begun:.0f} s", flush=True)  # noqa: T201 - a command's output
        for words in told:
            good = False
            print(f"  {words}", flush=True)  # noqa: T201 - the same
        lines.append(row.line(found))
    text, old = PAGE.read_text(), part(name)
    mark = f"<!-- {name} -->\n"
    PAGE.write_text(text.replace(mark + old, mark + "\n".join(["", *lines, "", ""])))
    return good
