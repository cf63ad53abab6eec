"""How the provider's own session ends: RP-Initiated Logout 1.0, and Auth0's older ``/v2/logout``."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from multidict import MultiMapping
from yarl import URL

from chain_gateway.demo.op.authorize import single
from chain_gateway.demo.op.backchannel import HTTP, BackChannel
from chain_gateway.demo.op.forms import FORM_COOKIE, Forms
from chain_gateway.demo.op.model import Dialect, OpClient
from chain_gateway.demo.op.refusals import OAuthRefused, PageRefused
from chain_gateway.demo.op.signin import SESSION_COOKIE, SignIn, posted, redirect
from chain_gateway.demo.op.state import OpState
from chain_gateway.demo.pages import OP_POLICY, clear_cookie, render, set_cookie

UNREGISTERED = "The site that sent you here asks to continue at an address that it has not registered."


@dataclass(frozen=True, slots=True)
class Ending:
    """A logout that may begin: where it goes on, empty for a page here, and the ``sid`` that the client named."""

    url: str
    sid: str


class Logout:
    """Ends the session that this browser shows, at once or after a question."""

    def __init__(self, state: OpState, forms: Forms, sign_in: SignIn, back_channel: BackChannel) -> None:
        """``sign_in`` knows the session of a request, ``back_channel`` tells the clients of its end."""
        self._state = state
        self._back_channel = back_channel
        self._forms = forms
        self._sign_in = sign_in

    async def end(self, request: web.Request) -> web.StreamResponse:
        """``GET`` and ``POST /session/end`` or ``/oidc/logout`` (RP-Initiated Logout 1.0 §2).

        The cookie is SameSite=Lax, so a POST from another site does not show the session: then, too, the page asks.
        """
        form: MultiMapping[str] = await posted(request) if request.method == "POST" else request.query
        ending = self._read(form)
        session = self._sign_in.session(request)
        if session is None and request.method == "GET":
            return self._leave(request, ending.url)
        if session is not None and session.sid == ending.sid:
            return await self._ended(request, ending.url)
        return self._ask(request, ending.url)

    async def confirm(self, request: web.Request) -> web.StreamResponse:
        """The answer to the question; who stays signed in comes back to the very same URL, as at real providers."""
        form = await posted(request)
        url = str(self._forms.open("logout", request, form.get("form", ""))["url"])
        if form.get("logout") == "yes":
            return await self._ended(request, url)
        return self._leave(request, url)

    async def auth0(self, request: web.Request) -> web.StreamResponse:
        """``GET /v2/logout``: asks nothing, hands nothing back, and knows ``returnTo`` by its path alone."""
        try:
            return_to, client_id = single(request.query, "returnTo"), single(request.query, "client_id")
        except OAuthRefused as refused:
            raise PageRefused("A parameter is given more than once.") from refused
        client = self._state.clients.get(client_id)
        if client_id and client is None:
            raise PageRefused("This provider does not know the site that sent you here.")
        # Without client_id the tenant's own list counts, which is empty here.
        allowed = client.post_logout_redirect_uris if client else ()
        if return_to and _bare(return_to) not in {_bare(url) for url in allowed}:
            raise PageRefused(UNREGISTERED)
        return await self._ended(request, return_to or next(iter(allowed), ""))

    def _read(self, form: MultiMapping[str]) -> Ending:
        """The request's hints and its target; raises PageRefused, and then nothing has ended (§4)."""
        try:
            hint, url = single(form, "id_token_hint"), single(form, "post_logout_redirect_uri")
            client_id, state = single(form, "client_id"), single(form, "state")
            logout_hint = single(form, "logout_hint")
        except OAuthRefused as refused:
            raise PageRefused("A parameter is given more than once.") from refused
        claims = self._state.keys.read(hint) if hint else {}
        if claims is None or (claims and claims.get("iss") != self._state.issuer):
            raise PageRefused("The proof that came with this request was not made here.")
        audience = str(claims.get("aud", ""))
        if client_id and audience and client_id != audience:
            raise PageRefused("The two names of the site that sent you here do not agree.")
        client = self._state.clients.get(client_id or audience)
        sid = str(claims.get("sid", ""))
        if not sid and self._state.dialect is Dialect.AUTH0 and client is not None:
            sid = logout_hint
        return Ending(self._target(client, url, state), sid)

    def _target(self, client: OpClient | None, url: str, state: str) -> str:
        """``url``, character for character as registered, with ``state`` (§3)."""
        if not url:
            return ""
        if client is None or url not in client.post_logout_redirect_uris:
            raise PageRefused(UNREGISTERED)
        return str(URL(url).update_query(state=state)) if state else url

    def _ask(self, request: web.Request, url: str) -> web.Response:
        """The page with the question."""
        browser = self._forms.browser(request)
        session = self._sign_in.session(request)
        account = self._state.accounts[session.sub] if session else None
        response = render(
            "op_logout.html",
            OP_POLICY,
            name=account.name if account else "",
            form=self._forms.seal("logout", browser, {"url": url}),
            action=f"{request.path}/confirm",
        )
        set_cookie(response, FORM_COOKIE, browser)
        return response

    async def _ended(self, request: web.Request, url: str) -> web.Response:
        """The session is over, here and in this browser, and its clients know before the browser goes on."""
        session = self._state.sessions.take(request.cookies.get(SESSION_COOKIE, ""), self._state.clock())
        if session is not None:
            await self._back_channel.tell(request.app[HTTP], session)
        response = self._leave(request, url)
        clear_cookie(response, SESSION_COOKIE)
        return response

    def _leave(self, request: web.Request, url: str) -> web.Response:
        """On to ``url``, or to a page here."""
        if url:
            return redirect(request, url)
        return render("op_message.html", OP_POLICY, title="Signed out", text="You can close this page.")


def _bare(url: str) -> str:
    """``url`` as Auth0 compares it: scheme and host in any case, the path exactly, query and fragment not at all."""
    parsed = URL(url)
    return f"{parsed.scheme.lower()}://{parsed.authority.lower()}{parsed.raw_path}"
