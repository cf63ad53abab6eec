"""``/authorize`` and the login page behind it."""

from __future__ import annotations

from aiohttp import web
from multidict import MultiDict, MultiMapping
from yarl import URL

from chain_gateway.demo.op.authorize import known_client, must_ask, read_request, single
from chain_gateway.demo.op.forms import FORM_COOKIE, Forms, request_fields, request_of
from chain_gateway.demo.op.model import AuthRequest, Dialect, Grant, Session
from chain_gateway.demo.op.refusals import OAuthRefused, PageRefused
from chain_gateway.demo.op.state import OpState
from chain_gateway.demo.pages import OP_POLICY, render, set_cookie

SESSION_COOKIE = "__Host-op-session"


class SignIn:
    """Signs a person in, or finds that this browser already is, and sends a code back to the client."""

    def __init__(self, state: OpState, forms: Forms) -> None:
        """``forms`` seals what the login page carries."""
        self._state = state
        self._forms = forms

    def session(self, request: web.Request) -> Session | None:
        """The session that this browser shows."""
        return self._state.sessions.get(request.cookies.get(SESSION_COOKIE, ""), self._state.clock())

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """``GET`` and ``POST /authorize`` (OIDC Core §3.1.2.1)."""
        form: MultiMapping[str] = await posted(request) if request.method == "POST" else request.query
        client, redirect_uri = known_client(form, self._state.clients)
        try:
            wanted = read_request(form, client, redirect_uri)
        except OAuthRefused as refused:
            return self._refuse(request, redirect_uri, state_of(form), refused)
        session = self.session(request)
        if not must_ask(wanted, session, self._state.clock()) and session is not None:
            return self._answer(request, wanted, session)
        if "none" in wanted.prompt:
            nobody = OAuthRefused("login_required", "nobody is signed in here")
            return self._refuse(request, redirect_uri, wanted.state, nobody)
        return self._ask(request, wanted)

    async def login(self, request: web.Request) -> web.StreamResponse:
        """``POST /login``: the button of an account, or Cancel."""
        form = await posted(request)
        wanted = request_of(self._forms.open("login", request, form.get("form", "")))
        if form.get("cancel"):
            refused = OAuthRefused("access_denied", "the person chose not to sign in")
            return self._refuse(request, wanted.redirect_uri, wanted.state, refused)
        account = self._state.account(form.get("account", ""))
        if account is None:
            raise PageRefused("There is no such account here.")
        session = self._state.sign_in(account, request.cookies.get(SESSION_COOKIE, ""))
        response = self._answer(request, wanted, session)
        set_cookie(response, SESSION_COOKIE, session.id)
        return response

    def _ask(self, request: web.Request, wanted: AuthRequest) -> web.Response:
        """The login page; the account that ``login_hint`` names comes first."""
        browser = self._forms.browser(request)
        hinted = self._state.account(wanted.login_hint) if wanted.login_hint else None
        accounts = sorted(self._state.accounts.values(), key=lambda account: account != hinted)
        client = self._state.clients[wanted.client_id]
        response = render(
            "op_login.html",
            OP_POLICY,
            accounts=accounts,
            client=client.name or client.client_id,
            form=self._forms.seal("login", browser, request_fields(wanted)),
        )
        set_cookie(response, FORM_COOKIE, browser)
        return response

    def _answer(self, request: web.Request, wanted: AuthRequest, session: Session) -> web.Response:
        """Back to the client with a code (RFC 6749 §4.1.2)."""
        code = self._state.name()
        self._state.grants.put(code, Grant(wanted, session), self._state.clock())
        self._state.used(session, wanted.client_id)
        return self._back(request, wanted.redirect_uri, {"code": code, "state": wanted.state})

    def _refuse(self, request: web.Request, redirect_uri: str, state: str, refused: OAuthRefused) -> web.Response:
        """Back to the client with an error (RFC 6749 §4.1.2.1)."""
        answer = {"error": refused.error, "error_description": refused.description, "state": state}
        return self._back(request, redirect_uri, answer)

    def _back(self, request: web.Request, redirect_uri: str, answer: dict[str, str]) -> web.Response:
        """The redirect, with ``iss`` (RFC 9207 §2) unless the dialect leaves it out as Auth0 does by default."""
        if self._state.dialect is Dialect.OIDC:
            answer = {**answer, "iss": self._state.issuer}
        url = URL(redirect_uri).update_query({name: value for name, value in answer.items() if value})
        return redirect(request, str(url))


def redirect(request: web.Request, url: str) -> web.Response:
    """302 from GET, 303 from POST."""
    status = 303 if request.method == "POST" else 302
    return web.Response(status=status, headers={"Location": url})


def state_of(form: MultiMapping[str]) -> str:
    """The ``state`` for an error answer; a doubled one is not repeated."""
    try:
        return single(form, "state")
    except OAuthRefused:
        return ""


async def posted(request: web.Request) -> MultiMapping[str]:
    """The text fields of a posted form; PageRefused if it cannot be read."""
    try:
        fields = await request.post()
    except (ValueError, LookupError) as error:  # not UTF-8, too many fields, no such charset
        raise PageRefused("This form cannot be read.") from error
    return MultiDict((name, value) for name, value in fields.items() if isinstance(value, str))
