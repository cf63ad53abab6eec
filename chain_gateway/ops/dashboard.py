"""The dashboard of the operations listener: what an operator sees in a browser, and the few things done from there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from chain_gateway.config.secret import Secret
from chain_gateway.errors import StoreUnavailable
from chain_gateway.ops.charts import charts
from chain_gateway.ops.door import (
    PATH,
    Attempts,
    Door,
    bearer_of,
    cookie_of,
    is_for_here,
    is_from_here,
    set_cookie,
)
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.ops.overview import Overview
from chain_gateway.ops.screens import HEADERS, SAID, Screens
from chain_gateway.service import walk_book
from chain_gateway.service.audit import AuditEvent
from chain_gateway.service.realm import Realm
from chain_gateway.service.walk_book import Found, Hand

BODY_SECONDS: Final = 10
"""How long a form may take to arrive."""
RETRY_AFTER: Final = "10"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who may see the dashboard: by a cookie, or as a program without one."""

    cookie: str = ""
    form_key: str = ""

    @property
    def program(self) -> bool:
        """Whether the token itself was shown, as no page can make a browser do."""
        return not self.cookie


Page = Callable[[web.Request, Visit], Awaitable[web.StreamResponse]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Dashboard:
    """Pages and changes; without a token one page that says how to have one."""

    def __init__(self, realm: Realm, meter: PrometheusMeter, token: Secret | None, title: str) -> None:
        """``realm`` has the store and the apps, ``meter`` what was counted."""
        self._realm = realm
        self._overview = Overview(realm, meter)
        self._door = Door(token, realm.now, realm.random) if token is not None else None
        self._screens = Screens(title)
        self._strangers = Attempts(time.monotonic)
        self._hand = Hand(realm.audit, "dashboard")

    def routes(self) -> list[web.RouteDef]:
        """All addresses, each below ``PATH``."""
        walk, owed = f"{PATH}/walks/{{name}}", f"{PATH}/owed/{{name}}"
        return [
            web.get(PATH, self._for_here(self._see(self.overview))),
            web.get(walk, self._for_here(self._see(self.walk))),
            web.get(f"{walk}/drop", self._for_here(self._see(self.ask))),
            web.get(f"{owed}/drop", self._for_here(self._see(self.ask))),
            web.post(f"{walk}/drop", self._for_here(self._change(self.drop))),
            web.post(f"{owed}/drop", self._for_here(self._change(self.drop))),
            web.post(f"{PATH}/retry", self._for_here(self._change(self.retry))),
            web.post(f"{PATH}/sign-in", self._for_here(self.sign_in)),
            web.post(f"{PATH}/sign-out", self._for_here(self._change(self.sign_out))),
            web.get(f"{PATH}/style.css", self._for_here(self.style)),
        ]

    async def overview(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        """Everything at a glance."""
        found = await self._overview.gathered()
        if _wants_json(request, visit):
            return _json(found.members())
        said = SAID.get(request.query.get("said", ""), "")
        drawn = charts(found.minutes, found.now)
        return self._screens.page("overview", visit=visit, said=said, found=found, charts=drawn)

    async def walk(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        """One walk: where it stands, its hops, what lies ahead, and what its browser's apps hold."""
        found = await walk_book.find(self._realm.store, request.match_info["name"])
        if found.walk is None:
            return self._nothing(request, visit)
        shown = await self._overview.of_walk(found.walk)
        if _wants_json(request, visit):
            return _json(shown.members())
        return self._screens.page("walk", visit=visit, shown=shown, now=self._realm.now())

    async def ask(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        """A page that asks whether a walk or an owed logout is to be dropped."""
        found = await walk_book.find(self._realm.store, request.match_info["name"])
        members = self._members(found)
        if members is None:
            return self._nothing(request, visit)
        name = self._overview.name_of(str(members.get("app", "")))
        owed = found.owed is not None
        return self._screens.page("drop", visit=visit, owed=owed, members=members, app_name=name, now=self._realm.now())

    async def drop(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        """Drops it."""
        found = await walk_book.find(self._realm.store, request.match_info["name"])
        if self._members(found) is None:
            return self._nothing(request, visit)
        asked = (await _form(request)).get("epoch", "")
        if found.owed is not None and asked not in {"", str(found.owed.entry.epoch)}:
            return _to("anew")
        dropped = await walk_book.drop(self._realm.store, found, self._hand)
        if visit.program:
            return _json({"dropped": dropped})
        return _to("walk" if found.walk is not None and dropped else "owed" if dropped else "gone")

    async def retry(self, request: web.Request, visit: Visit) -> web.StreamResponse:
        """Makes due what one app is owed, or all of it."""
        app = str((await _form(request)).get("app", ""))
        if app and app not in self._realm.registry.apps:
            return self._nothing(request, visit)
        count = await walk_book.retry(self._realm.store, app, self._realm.now(), self._hand)
        return _json({"due": count}) if visit.program else _to("retried" if count else "nothing")

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Takes the token from a form, and sets the cookie."""
        if self._door is None:
            return self._screens.page("closed", 403)
        if not is_from_here(request):
            return self._refused(request)
        shown = str((await _form(request)).get("token", ""))
        if not self._door.attempts.left():  # once the form is there, or all that wait for one would be let through
            return self._too_many()
        if not self._door.opens(shown):
            return self._wrong()
        self._realm.audit(AuditEvent.DASHBOARD_OPENED, by="person")
        response = _to("")
        set_cookie(response, self._door.cookie())
        return response

    async def sign_out(self, request: web.Request, visit: Visit) -> web.StreamResponse:  # noqa: ARG002 - as all pages
        """Ends the cookie."""
        response = _to("")
        set_cookie(response, "")
        return response

    async def style(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002 - as all handlers
        """The style sheet, which is no secret."""
        return self._screens.style()

    def _for_here(self, handler: Handler) -> Handler:
        """Before anything else: the request is for this machine, and a store that is down is told calmly."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if not is_for_here(request):
                return self._screens.page("error", 421, heading="This address is not the dashboard's.")
            try:
                return await handler(request)
            except StoreUnavailable:
                return self._screens.page("error", 503, heading="The store does not answer.")
            except web.HTTPRequestEntityTooLarge:
                return self._screens.page("error", 413, heading="The form is too long.")
            except TimeoutError:
                return self._screens.page("error", 408, heading="The form did not arrive in time.")

        return answer

    def _see(self, page: Page) -> Handler:
        """``page`` for who may see it; a form that asks for the token for anybody else."""

        async def answer(request: web.Request) -> web.StreamResponse:
            visit = self._visit(request)
            return await page(request, visit) if isinstance(visit, Visit) else visit

        return answer

    def _change(self, page: Page) -> Handler:
        """``page`` for who may see it, if a page of the dashboard's own asks for it, or a program does."""

        async def answer(request: web.Request) -> web.StreamResponse:
            visit = self._visit(request)
            if not isinstance(visit, Visit):
                return visit
            if not visit.program and not (is_from_here(request) and await self._has_key(request, visit)):
                return self._refused(request)
            return await page(request, visit)

        return answer

    def _visit(self, request: web.Request) -> Visit | web.StreamResponse:
        """Who asks; or the answer for somebody who may not."""
        if self._door is None:
            return self._screens.page("closed", 403)
        shown = bearer_of(request)
        if shown is not None:
            if not self._door.attempts.left():
                return self._too_many()
            return Visit() if self._door.opens(shown) else self._wrong()
        cookie = cookie_of(request)
        if cookie and self._door.holds(cookie):
            return Visit(cookie, self._door.form_key(cookie))
        return self._asked_for_token(401, "")

    async def _has_key(self, request: web.Request, visit: Visit) -> bool:
        shown = str((await _form(request)).get("key", ""))
        return self._door is not None and self._door.takes_form(visit.cookie, shown)

    def _wrong(self) -> web.Response:
        if self._door is not None:
            self._door.attempts.spend()
        self._realm.audit(AuditEvent.DASHBOARD_REFUSED, reason="token")
        return self._asked_for_token(401, "That is not the token.")

    def _too_many(self) -> web.Response:
        response = self._asked_for_token(429, "There were too many wrong tokens. Try again in ten seconds.")
        response.headers["Retry-After"] = RETRY_AFTER
        return response

    def _asked_for_token(self, status: int, problem: str) -> web.Response:
        response = self._screens.page("sign-in", status, problem=problem)
        response.headers["WWW-Authenticate"] = 'Bearer realm="chain-gateway dashboard"'
        return response

    def _refused(self, request: web.Request) -> web.Response:
        """A change that no page of the dashboard's own has asked for; who asks on and on is not told for ever."""
        if self._strangers.left():
            self._strangers.spend()
            self._realm.audit(AuditEvent.DASHBOARD_REFUSED, reason="origin", path=request.path.rpartition("/")[2])
        return self._screens.page("error", 403, heading="Nothing was changed: the request came from elsewhere.")

    def _nothing(self, request: web.Request, visit: Visit) -> web.Response:
        if _wants_json(request, visit):
            return _json({"error": "not_found"}, 404)
        return self._screens.page("error", 404, heading="There is no such walk, and no such logout is owed.")

    def _members(self, found: Found) -> Mapping[str, object] | None:
        if found.owed is not None:
            return walk_book.owed_members(found.owed)
        return walk_book.walk_members(found.walk, self._realm.registry) if found.walk is not None else None


def _wants_json(request: web.Request, visit: Visit) -> bool:
    """Programs get objects unless they ask for pages, and people pages unless they ask for objects."""
    accept = request.headers.get("Accept", "")
    return "text/html" not in accept if visit.program else "application/json" in accept


def _json(members: Mapping[str, object], status: int = 200) -> web.Response:
    return web.json_response(members, status=status, headers=HEADERS)


def _to(said: str) -> web.Response:
    """Back to the first page, which says what was done."""
    return web.Response(status=303, headers=HEADERS | {"Location": f"{PATH}?said={said}" if said else PATH})


async def _form(request: web.Request) -> Mapping[str, object]:
    """The fields of a plain form; nothing where the body is something else."""
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    async with asyncio.timeout(BODY_SECONDS):
        try:
            return await request.post()
        except (UnicodeError, LookupError):  # bytes that are no text, or of a charset that there is none of
            return {}
