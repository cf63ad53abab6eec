"""What every way to make a hop has in common: how the browser leaves, and how its return is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from chain_gateway.core.chain import App
from chain_gateway.core.events import Event
from chain_gateway.core.walk import Walk
from chain_gateway.tokens.receipt import Receipt


class Departure(NamedTuple):
    """The browser's way to the app: a redirect to ``url``, or a page that posts ``ticket`` there if there is one."""

    url: str
    ticket: str = ""


class Parcel(NamedTuple):
    """What a hop has to deliver: the ticket's text, whether it is a begin ticket, and the fixed places to come back to.

    ``resume_url`` is the one address for apps that cannot carry a state of ours; ``state`` is the sealed chain token.
    """

    ticket: str
    begin: bool
    issuer: str
    resume_url: str
    state: str


class Returned(NamedTuple):
    """The fields that came to the relay, each at most once and bounded; empty where absent."""

    state: str = ""
    receipt: str = ""
    bind: str = ""
    error: str = ""


ReadReceipt = Callable[[str], Receipt]
"""Verifies a receipt against the walk and the hop that its chain token names; raises TokenRefused."""


class HopMode(Protocol):
    """One way to make a hop."""

    def depart(self, app: App, walk: Walk, parcel: Parcel) -> Departure:
        """How the browser gets to ``app``."""

    def read(self, walk: Walk, returned: Returned, receipt: ReadReceipt) -> Event:
        """What the return means; never raises for what an app or a browser sent."""
