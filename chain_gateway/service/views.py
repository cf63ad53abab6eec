"""What a person is shown, as values: the web layer turns each into a page, or into JSON for a program.

A view holds nothing that would have to be looked up or decided while a page is made: names, words, links, and the
origins that the page's form may lead to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import overload

from chain_gateway.core.walk import PROVEN, Kind, Outcome


@dataclass(frozen=True, slots=True)
class AppLine:
    """One app on a walk's page. ``current`` marks the hop that is being made; ``reason`` is a short word or empty.

    ``owed`` is whether a logout that the walk did not bring about is still going to be delivered.
    """

    app_id: str
    name: str
    outcome: Outcome
    current: bool = False
    reason: str = ""
    owed: bool = False


class Lines(Sequence[AppLine]):
    """The lines of a walk, each made when it is looked at: a hop's page shows a few of two hundred."""

    __slots__ = ("_make", "outcomes")

    def __init__(self, outcomes: Sequence[Outcome], make: Callable[[int], AppLine]) -> None:
        """``outcomes`` of all hops in order; ``make`` gives the line of one."""
        self.outcomes = outcomes
        self._make = make

    def __len__(self) -> int:
        """How many apps there are."""
        return len(self.outcomes)

    @overload
    def __getitem__(self, index: int) -> AppLine: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[AppLine]: ...

    def __getitem__(self, index: int | slice) -> AppLine | Sequence[AppLine]:
        """The line at ``index``, or the lines of a slice."""
        if isinstance(index, slice):
            return [self._make(at) for at in range(len(self))[index]]
        return self._make(range(len(self))[index])


@dataclass(frozen=True, slots=True)
class WalkView:
    """A walk as its person sees it. ``op_outcome`` is None where the provider's own session is not its concern.

    ``at`` is the zero-based place of the hop that is being made, -1 for none, None where the lines themselves tell.
    """

    walk_id: str
    kind: Kind
    lines: Sequence[AppLine]
    op_outcome: Outcome | None = None
    ended: bool = False
    at: int | None = None

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """What came of each hop, in order."""
        return self.lines.outcomes if isinstance(self.lines, Lines) else [line.outcome for line in self.lines]

    @property
    def done(self) -> int:
        """How many apps have confirmed."""
        return sum(1 for outcome in self.outcomes if outcome in PROVEN)

    @property
    def step(self) -> int:
        """The one-based number of the hop that is being made, or the number of hops when there is none."""
        if self.at is not None:
            return self.at + 1 if self.at >= 0 else len(self.lines)
        return next((i for i, line in enumerate(self.lines, 1) if line.current), len(self.lines))


@dataclass(frozen=True, slots=True)
class HopPage:
    """The form-post page: posts ``ticket`` to ``hop_url``; ``ping_url`` is empty where the browser is not to ask first.

    ``skip_url`` and ``unreachable_url`` are links of the gateway's own; ``form_origins`` are all origins that the
    browser may pass through until the next page. ``app_name`` is the app that is being visited; ``waits`` says that the
    page does not go on by itself.
    """

    view: WalkView
    app_name: str
    hop_url: str
    ticket: str
    ping_url: str
    skip_url: str
    unreachable_url: str
    form_origins: tuple[str, ...]
    waits: bool = False


@dataclass(frozen=True, slots=True)
class PausePage:
    """A page that breaks a long run of redirects and goes on to ``continue_url`` by itself or by a click."""

    view: WalkView
    continue_url: str


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """Asks before a logout that a link on any web page could have started: a form that posts ``fields`` to /logout.

    ``form_origins`` are the origins, besides the gateway's own, that the redirects after the form may pass through.
    """

    sites: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    stay_url: str
    one_app: bool = False
    form_origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WalkPage:
    """A walk's own page, and the end of one: what was proven, what was not, and where to go from here.

    ``resume_url`` is empty when there is nothing to go on with; ``skip_url`` goes on without the app that is being
    visited, ``finish_url`` ends the walk here, ``again_url`` looks again at what is still being confirmed.
    ``continue_url`` is the return URL or empty, and ``continue_name`` the name of the site there. ``aborted_by`` names
    the required app that ended a login.
    """

    view: WalkView
    resume_url: str = ""
    skip_url: str = ""
    finish_url: str = ""
    retry_url: str = ""
    again_url: str = ""
    continue_url: str = ""
    continue_name: str = ""
    aborted_by: str = ""
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A way to go on, offered on an error page."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong, in words that repeat nothing of the request; ``reference`` finds the line in the log."""

    code: str
    status: int
    text: str
    help: str
    reference: str = ""
    links: tuple[Link, ...] = field(default=())


Page = HopPage | PausePage | ConfirmPage | WalkPage | ErrorPage


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that a reply sets (``value`` not empty) or clears; always ``__Host-``, Secure, HttpOnly, Lax, Path=/."""

    name: str
    value: str
    max_age: int = 0


@dataclass(frozen=True, slots=True)
class Go:
    """A redirect to ``url``, which the registry, the configuration or the provider's metadata has vouched for."""

    url: str
    cookies: tuple[Cookie, ...] = ()
    browser: bytes = b""
    """The browser's id, if its cookie is to be set."""


@dataclass(frozen=True, slots=True)
class Show:
    """A page, with its HTTP status."""

    page: Page
    status: int = 200
    cookies: tuple[Cookie, ...] = ()
    browser: bytes = b""
    """The browser's id, if its cookie is to be set."""


Reply = Go | Show
