"""What a person is shown, as values: the web layer turns each into a page, or into JSON for a program.

A view holds nothing that would have to be looked up or decided while a page is made: names, words, links, and the
origins that the page's form may lead to.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chain_gateway.core.walk import Kind, Outcome


@dataclass(frozen=True, slots=True)
class AppLine:
    """One app on a walk's page. ``current`` marks the hop that is being made; ``reason`` is a short word or empty."""

    app_id: str
    name: str
    outcome: Outcome
    current: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WalkView:
    """A walk as its person sees it. ``op_outcome`` is None where the provider's own session is not its concern."""

    walk_id: str
    kind: Kind
    lines: tuple[AppLine, ...]
    op_outcome: Outcome | None = None
    ended: bool = False

    @property
    def done(self) -> int:
        """How many apps have confirmed."""
        return sum(1 for line in self.lines if line.outcome.proven)

    @property
    def step(self) -> int:
        """The one-based number of the hop that is being made, or the number of hops when there is none."""
        return next((i for i, line in enumerate(self.lines, 1) if line.current), len(self.lines))


@dataclass(frozen=True, slots=True)
class HopPage:
    """The form-post page: posts ``ticket`` to ``hop_url``; ``ping_url`` is empty where the browser is not to ask first.

    ``skip_url`` and ``unreachable_url`` are links of the gateway's own; ``form_origins`` are all origins that the
    browser may pass through until the next page. ``app_name`` is the app that is being visited.
    """

    view: WalkView
    app_name: str
    hop_url: str
    ticket: str
    ping_url: str
    skip_url: str
    unreachable_url: str
    form_origins: tuple[str, ...]


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
