"""The URLs of a configuration, each judged by ``core.origins``: what is taken is written on the wire as it stands."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import quote, unquote

from pydantic import AfterValidator, ValidationInfo

from chain_gateway.config.fields import Shape, refuse
from chain_gateway.config.sources import sources
from chain_gateway.core.limits import URL_CHARS
from chain_gateway.core.origins import check_location, check_origin, check_path, origin_of
from chain_gateway.core.templates import PLACEHOLDERS, check_template
from chain_gateway.errors import TargetRefused

ORIGIN_HINT: Final = "write https://HOST or https://HOST:PORT; http is for localhost, *.localhost, 127.0.0.1 and [::1]"
STORE_HINT: Final = (
    'write "sqlite:///chain.db", "redis://HOST" for several gateways, or "memory://" to try something out'
)

_HOSTS = r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:]+\](?::[0-9]{1,5})?"
_OPTION = r"(?:(?:ca|cert|key)=/|sentinel_(?:user|password)=)[^\s#&]+"
_REDIS = re.compile(
    rf"(?:rediss?://(?:[^\s/@]*@)?(?:{_HOSTS})(?:/[0-9]{{1,3}})?"
    rf"|rediss?\+sentinel://(?:[^\s/@]*@)?(?:{_HOSTS})(?:,(?:{_HOSTS}))*/[A-Za-z0-9._-]+"
    rf"|rediss?\+cluster://(?:[^\s/@]*@)?(?:{_HOSTS})(?:,(?:{_HOSTS}))*)"
    rf"(?:\?{_OPTION}(?:&{_OPTION})*)?"
)
_FILE = re.compile(r"(?!:)[^\x00-\x1f#]*[^\x00-\x1f#/]")
_SQLITE_OPTIONS: Final = frozenset({"", "synchronous=normal", "synchronous=full"})
_USERINFO = re.compile(r"(?<=://)[^/@]*@")
_PASSWORD = re.compile(r"(?<=[?&]sentinel_password=)[^&#]*")


def read_origin(text: str) -> str:
    """``text`` if ``core.origins`` takes it for an origin."""
    try:
        return check_origin(text)
    except ValueError as error:
        raise refuse(str(error), ORIGIN_HINT) from None


def read_public_url(text: str) -> str:
    """The gateway's own origin; one trailing slash is taken off, as ``iss`` goes without it."""
    return read_origin(text.removesuffix("/"))


def read_url(text: str) -> str:
    """``text`` if it is an absolute URL of a judged origin, with a plain path and an optional query."""
    if len(text) > URL_CHARS:
        raise refuse(f"the URL is longer than {URL_CHARS} characters", "shorten it")
    try:
        origin = check_origin(origin_of(check_location(text)))
        path = text.removeprefix(origin).partition("?")[0]
        check_path(path or "/")
    except (TargetRefused, ValueError) as error:
        raise refuse(str(error), "write https://HOST/PATH; http is for loopback hosts alone") from None
    return text


def read_issuer(text: str) -> str:
    """``text`` if it is a URL without a query, as an issuer is (OpenID Connect Core 1.0, section 2)."""
    if "?" in text:
        raise refuse("an issuer has no query", "copy `issuer` from the provider's /.well-known/openid-configuration")
    return read_url(text)


def read_template(text: str) -> str:
    """``text`` if it is a URL template of ``core.templates``: placeholders stand in the query alone."""
    if len(text) > URL_CHARS:
        raise refuse(f"the template is longer than {URL_CHARS} characters", "shorten it")
    try:
        check_template(text)
    except ValueError as error:
        known = ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
        raise refuse(str(error), f"write https://HOST/PATH?PARAMETER={{return_to}}; known are {known}") from None
    return text


def read_prefix(text: str) -> str:
    """``text`` if it is a path that ``return_to`` may be under."""
    try:
        return check_path(text)
    except ValueError as error:
        raise refuse(str(error), 'write a path such as "/" or "/account"; what lies below it is included') from None


def read_store(text: str, info: ValidationInfo) -> str:
    """A store's URL with the path of an SQLite file made absolute. Refusals never repeat it: it may hold a password."""
    if text.startswith("sqlite:///"):
        name, mark, option = text.removeprefix("sqlite:///").partition("?")
        if _FILE.fullmatch(unquote(name)) is None:
            raise refuse("sqlite:/// is followed by the path of a file", STORE_HINT)
        if option not in _SQLITE_OPTIONS:
            raise refuse("this is no option of an SQLite store", "write ?synchronous=full, ?synchronous=normal or none")
        return f"sqlite:///{quote(str(sources(info).path(unquote(name))))}{mark}{option}"
    if text == "memory://" or _REDIS.fullmatch(text):
        return text
    known = "memory://, sqlite:///PATH, redis://HOST, rediss://HOST, redis+sentinel://HOSTS/NAME, redis+cluster://HOSTS"
    raise refuse(f"this is no store; known are {known}", STORE_HINT)


def without_password(url: str) -> str:
    """``url`` with what stands before an ``@`` hidden, and a password of sentinels."""
    return _PASSWORD.sub("***", _USERINFO.sub("***@", url))


def is_under(url: str, origin: str) -> bool:
    """Whether ``url``, which ``read_url`` has taken, is of ``origin``."""
    return origin_of(url) == origin


Origin = Annotated[str, AfterValidator(read_origin), Shape("origin: `https://HOST[:PORT]`")]
PublicUrl = Annotated[str, AfterValidator(read_public_url), Shape("origin: `https://HOST[:PORT]`")]
Url = Annotated[str, AfterValidator(read_url), Shape("URL")]
IssuerUrl = Annotated[str, AfterValidator(read_issuer), Shape("URL")]
Template = Annotated[str, AfterValidator(read_template), Shape("URL template")]
PathPrefix = Annotated[str, AfterValidator(read_prefix), Shape("path")]
StoreUrl = Annotated[str, AfterValidator(read_store), Shape("store URL")]
