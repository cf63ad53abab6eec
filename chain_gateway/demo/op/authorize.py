"""The authorization request: read, refused or understood (OIDC Core §3.1.2, RFC 6749 §4.1, RFC 7636).

The order counts: until client and redirect URI are known to belong together, the browser is sent nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from multidict import MultiMapping

from chain_gateway.demo.op.model import AuthRequest, OpClient, Session
from chain_gateway.demo.op.refusals import OAuthRefused, PageRefused

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
VALUE_CHARS = 2048
UNSUPPORTED = {"request": "request_not_supported", "request_uri": "request_uri_not_supported"}


def single(form: MultiMapping[str], name: str) -> str:
    """The one value of ``name``, empty if there is none; a doubled parameter refuses (RFC 6749 §3.1)."""
    values = form.getall(name, [])
    if len(values) > 1:
        raise OAuthRefused("invalid_request", f"{name} is given more than once")
    if values and len(values[0]) > VALUE_CHARS:
        raise OAuthRefused("invalid_request", f"{name} is too long")
    return str(values[0]) if values else ""


def known_client(form: MultiMapping[str], clients: Mapping[str, OpClient]) -> tuple[OpClient, str]:
    """The client and its redirect URI, character for character as registered; raises PageRefused."""
    try:
        client = clients.get(single(form, "client_id"))
        redirect_uri = single(form, "redirect_uri")
    except OAuthRefused as refused:
        raise PageRefused("A parameter is given more than once.") from refused
    if client is None:
        raise PageRefused("This provider does not know the site that sent you here.")
    if redirect_uri not in client.redirect_uris:
        raise PageRefused("The site that sent you here asks to come back at an address that it has not registered.")
    return client, redirect_uri


def read_request(form: MultiMapping[str], client: OpClient, redirect_uri: str) -> AuthRequest:
    """The request of a known client; raises OAuthRefused with the error that the client is told."""
    for name, error in UNSUPPORTED.items():
        if name in form:
            raise OAuthRefused(error, f"{name} is not supported")
    if single(form, "response_type") != "code":
        raise OAuthRefused("unsupported_response_type", "response_type must be code")
    if single(form, "response_mode") not in {"", "query"}:
        raise OAuthRefused("invalid_request", "response_mode must be query")
    scope = single(form, "scope")
    if "openid" not in scope.split():
        raise OAuthRefused("invalid_scope", "scope must contain openid")
    return AuthRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        state=single(form, "state"),
        nonce=single(form, "nonce"),
        challenge=_challenge(form),
        scope=scope,
        prompt=_prompt(form),
        max_age=_max_age(form),
        login_hint=single(form, "login_hint"),
    )


def _challenge(form: MultiMapping[str]) -> str:
    """PKCE is demanded, and S256 of it (RFC 7636 §4.3, RFC 9700 §2.1.1)."""
    challenge = single(form, "code_challenge")
    if single(form, "code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
        raise OAuthRefused("invalid_request", "code_challenge with code_challenge_method=S256 is required")
    return challenge


def _prompt(form: MultiMapping[str]) -> tuple[str, ...]:
    """The values of ``prompt``; ``none`` stands alone (OIDC Core §3.1.2.1)."""
    prompt = tuple(single(form, "prompt").split())
    if not PROMPTS.issuperset(prompt) or ("none" in prompt and len(prompt) > 1):
        raise OAuthRefused("invalid_request", "prompt is one of none, or of login, consent, select_account")
    return prompt


def _max_age(form: MultiMapping[str]) -> int | None:
    """``max_age`` in seconds."""
    text = single(form, "max_age")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise OAuthRefused("invalid_request", "max_age must be a number of seconds")
    return int(text)


def must_ask(request: AuthRequest, session: Session | None, now: float) -> bool:
    """Whether a person has to sign in by hand, since no session answers this request."""
    if session is None or {"login", "select_account"}.intersection(request.prompt):
        return True
    if request.max_age is None:
        return False
    return request.max_age == 0 or now - session.auth_time > request.max_age
