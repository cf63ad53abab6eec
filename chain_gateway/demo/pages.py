"""Pages of the demo's provider and apps: templates, headers and cookies in one place."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

STATIC = Path(__file__).parent / "static"

_BASE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
OP_POLICY = _BASE_POLICY
"""No ``form-action``: browsers hold it against every redirect that follows, and a provider does not know where the
sites that it serves send a person on to."""

REFERRER_POLICY = "same-origin"
"""Not ``no-referrer``: with that a browser sends ``Origin: null`` even with a site's own forms (Fetch §3.2)."""

_TEMPLATES = Environment(loader=PackageLoader("chain_gateway.demo"), autoescape=True, undefined=StrictUndefined)


def app_policy(form_targets: str) -> str:
    """The policy of an app's page, whose forms may lead on through ``form_targets`` (CSP source expressions)."""
    return f"{_BASE_POLICY}; form-action 'self' {form_targets}"


def render(template: str, policy: str, status: int = 200, /, **values: object) -> web.Response:
    """An HTML answer from ``template`` with ``policy`` as its CSP."""
    text = _TEMPLATES.get_template(template).render(**values)
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": REFERRER_POLICY}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


def asset(template: str, content_type: str, **values: object) -> web.Response:
    """A style sheet or a picture from ``template``."""
    return web.Response(text=_TEMPLATES.get_template(template).render(**values), content_type=content_type)


async def secure(_request: web.Request, response: web.StreamResponse) -> None:
    """The headers that every answer has; a signal for ``on_response_prepare``."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")


def set_cookie(response: web.StreamResponse, name: str, value: str) -> None:
    """Sets a ``__Host-`` cookie that lasts as long as the browser runs."""
    response.set_cookie(name, value, path="/", secure=True, httponly=True, samesite="Lax")


def clear_cookie(response: web.StreamResponse, name: str) -> None:
    """Takes the cookie of ``set_cookie`` back, with the attributes that it was set with."""
    response.set_cookie(name, "", max_age=0, path="/", secure=True, httponly=True, samesite="Lax")
