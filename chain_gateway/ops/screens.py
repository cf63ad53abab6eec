"""The dashboard's pages: templates that escape, words, and headers that let a page load its own style and no more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import jinja2
from aiohttp import web
from markupsafe import Markup

from chain_gateway.core.walk import Outcome
from chain_gateway.ops.charts import DOWN, STEP, UP, WIDTH
from chain_gateway.ops.door import PATH
from chain_gateway.service.walk_book import when

HERE: Final = Path(__file__).parent
POLICY: Final = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "chain-gateway",
}
"""The headers of every answer of the dashboard. Without a referrer a form would be sent from the origin ``null``."""

HOLDINGS: Final = {
    "none": "nothing",
    "may_hold": "may hold a session",
    "holds": "holds a session",
    "lapsed": "nothing that lives: never confirmed, and run out",
    "owed": "is owed a sign-out",
    "untold": "not known",
}
PLACES: Final = {
    "ready": "goes on with the next hop",
    "binding": "waits for the hash of the app's cookie",
    "visiting": "a ticket is out at the app, and its receipt is awaited",
    "away": "the browser is at an app without the SDK",
    "paused": "shows a page that breaks a long run of redirects",
    "at_op": "the browser is at the provider's logout",
    "done": "is through",
    "aborted": "ended at an app that is required",
    "superseded": "gave way to a newer walk of its browser",
    "expired": "ran out of its time",
    "stopped": "was stopped: by a newer walk of its browser, or by an operator",
    "unreadable": "was written by another version",
}
SAID: Final = {
    "retried": "What is owed is due now, and told within a minute.",
    "nothing": "Nothing was owed.",
    "owed": "The owed logout was dropped. Its app may keep the session.",
    "walk": "The walk was dropped. It stays where it stood.",
    "gone": "That had ended already.",
    "anew": "Nothing was dropped: its browser has signed out again since, and that logout is owed now. Look again.",
}
"""What a page says at its top after a change; the address has the word, so it can say nothing else."""


class Screens:
    """Makes pages of templates."""

    def __init__(self, title: str) -> None:
        """``title`` is the gateway's name."""
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            title=title, path=PATH, holdings=HOLDINGS, places=PLACES, width=WIDTH, step=STEP, up=UP, down=DOWN
        )
        self._environment.filters.update(clock=_clock, sign=_sign, when=when)
        sheets = (HERE.parent / "colours.css", HERE / "static/dashboard.css")
        self._style = "".join(sheet.read_text("utf-8") for sheet in sheets)

    def page(self, name: str, status: int = 200, **context: object) -> web.Response:
        """The page that the template ``name`` makes."""
        text = self._environment.get_template(f"{name}.html").render(**context)
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)

    def style(self) -> web.Response:
        """The style sheet."""
        return web.Response(text=self._style, content_type="text/css", headers=HEADERS)


def _clock(at: float) -> Markup:
    """A second as a time of the day, for people and for programs."""
    moment = datetime.fromtimestamp(int(at), UTC)
    return Markup('<time datetime="{}">{}</time>').format(f"{moment:%Y-%m-%dT%H:%M:%SZ}", f"{moment:%d %b %H:%M:%S}")


def _sign(outcome: str) -> str:
    """Which sign stands beside an outcome."""
    known = Outcome[outcome.upper()]
    if known.proven:
        return "ok"
    if known.failed:
        return "bad"
    return "wait" if known is Outcome.PENDING else "ask"
