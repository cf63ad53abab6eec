"""The gateway's replies in the words of an explored world: what follows, what the person sees, and notes of it all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from urllib.parse import parse_qsl, urlsplit

from exploration_parts import Watched
from exploration_values import GATEWAY, PROVIDER, Note, Request, origin_of
from support.second_judge import lands_in

from chain_gateway.core.chain import Registry
from chain_gateway.core.origins import check_location
from chain_gateway.core.packing import unpack
from chain_gateway.core.walk import Walk
from chain_gateway.service.views import ConfirmPage, ErrorPage, Go, HopPage, Page, PausePage, Reply, WalkPage
from chain_gateway.tokens.encoding import b64e

Onward = tuple[Request | None, str, Request | None]


class Words:
    """Puts replies of one registry's gateway into words."""

    def __init__(self, registry: Registry) -> None:
        """``registry`` names the apps."""
        self._registry = registry
        self._places = {origin_of(GATEWAY): ["/relay", "/logged-out", "/resume"], origin_of(PROVIDER): ["/"]}
        self._places |= {app.origin: ["/"] for app in registry.apps.values()}

    def judged(self, reply: Reply) -> Iterator[Note]:
        """A note for each address that leads out of the registry, by both judges."""
        urls = [reply.url] if isinstance(reply, Go) else []
        if not isinstance(reply, Go) and isinstance(reply.page, HopPage):
            urls = [reply.page.hop_url, reply.page.unreachable_url, reply.page.skip_url]
        for url in urls:
            if check_location(url) != url or not self.stays(url.partition("?")[0]):
                yield Note("wrong", (f"leads out of the registry: {url}",))

    @cache  # noqa: B019 - lives as long as its exploration
    def stays(self, place: str) -> bool:
        """Whether an address stays within the registry, as browsers read it; its query changes nothing about that."""
        return lands_in(place, self._places)

    def written(self, watched: Watched, request: Request, now: int) -> Iterator[Note]:
        """What was written into the store, as notes: walks that began, and walks that came to their end."""
        fields = dict(request.fields)
        scope = fields.get("app", "") if fields.get("scope") == "app" else ""
        for stored in watched.begun:
            walk = unpack(stored.state)
            yield Note(
                "begun", (b64e(walk.id), walk.epoch, walk.browser.hex(), walk.kind.word, scope, fields.get("state", ""))
            )
        for nonce, stored in zip(watched.spent, watched.stepped, strict=True):
            if now < stored.expires_at:  # past its own time a walk only ends, and the store may have forgotten it
                yield Note("spent", (b64e(nonce), stored.epoch, stored.browser.hex()))
        for stored in (*watched.begun, *watched.stepped):
            yield from self._stands(unpack(stored.state))

    def _stands(self, walk: Walk) -> Iterator[Note]:
        """What a walk says of its hops as it is written down."""
        words = [walk.hops.outcome(index) for index in range(len(walk.hops))]
        apps = [self._registry.by_tag[walk.hops[index].tag].id for index in range(len(walk.hops))]
        for index, outcome in enumerate(words):
            if outcome.proven:
                yield Note("claimed", (b64e(walk.id), index, outcome.word, apps[index]))
        if walk.place.ended:
            outcomes = tuple((app, outcome.word) for app, outcome in zip(apps, words, strict=True))
            yield Note("ended", (walk.epoch, walk.kind.word, walk.place.name, outcomes))


def claims(reply: Reply) -> tuple[Note, ...]:
    """What a page says was proven."""
    view = None if isinstance(reply, Go) else getattr(reply.page, "view", None)
    if view is None:
        return ()
    return tuple(
        Note("claimed", (view.walk_id, index, line.outcome.word, line.app_id))
        for index, line in enumerate(view.lines)
        if line.outcome.proven
    )


def onward(request: Request, reply: Reply) -> Onward:
    """The next request, what the person sees, and the way past an app that a page offers."""
    if isinstance(reply, Go):
        return to(reply.url), "", None
    page = reply.page
    if isinstance(page, HopPage):
        posted = to(page.hop_url)._replace(fields=(("ticket", page.ticket),), posted=True)
        return posted, "hop", to(page.unreachable_url)
    if isinstance(page, PausePage):
        return to(page.continue_url), "pause", None
    if isinstance(page, ConfirmPage):
        kept = tuple(pair for pair in request.fields if pair[0] in {"app", "scope"})
        return Request(GATEWAY, "/logout", (*page.fields, *kept), posted=True), "confirm", None
    return None, seen(page), None


def seen(page: Page) -> str:
    """What the person sees, in a word."""
    if isinstance(page, ErrorPage):
        return page.code
    if not isinstance(page, WalkPage):
        return type(page).__name__
    if page.superseded:
        return "superseded"
    if not page.view.ended:
        return "waiting"
    good = all(line.outcome.proven for line in page.view.lines)
    return f"{page.view.kind.word} ended, " + ("all proven" if good else "not all proven")


def to(url: str) -> Request:
    """A GET of ``url``."""
    parts = urlsplit(url)
    host = parts.netloc.partition(".")[0]
    return Request(host, parts.path or "/", tuple(parse_qsl(parts.query, keep_blank_values=True)))
