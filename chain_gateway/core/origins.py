r"""Where a browser may be sent: the one judge of origins, of ``return_to``, and of what is written into ``Location``.

URL libraries repair what they read, and no two of them alike: one drops a tab, one takes ``\`` for ``/``, one lowers
the host. A repaired URL is another URL than the one that was judged. So nothing is parsed and put together again here:
a text is taken letter by letter as it stands, or refused. The grammar is RFC 3986's, cut down to what has one reading
in every browser (WHATWG URL Standard, section 4.4): absolute, visible ASCII, an origin that *is* a registered one as
text, a path without empty or dot segments in any encoding, an optional query, no fragment.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

from chain_gateway.core.chain import App, Registry
from chain_gateway.core.limits import RETURN_TO_CHARS
from chain_gateway.errors import TargetRefused

HOST_CHARS: Final = 253
LAST_PORT: Final = 65535
DEFAULT_PORTS: Final = {"https": "443", "http": "80"}

_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>[1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_AUTHORITY = re.compile(r"(https?://[^/?#]*)(.*)", re.DOTALL)
_VISIBLE = bytes(range(0x21, 0x7F))
_PATH = re.compile(r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*")
_UNRESERVED = (string.ascii_letters + string.digits + "._~-").encode()
_HIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")


def is_loopback(host: str) -> bool:
    """Whether ``host``, as a URL spells it, never leaves this machine: the only hosts that may do without TLS."""
    return host in {"localhost", "127.0.0.1", "[::1]"} or host.endswith(".localhost")


def check_origin(text: str, *, allow_loopback_http: bool = True) -> str:
    """``text`` if it is an origin in its only spelling, e.g. ``https://shop.example`` or ``http://a.localhost:8000``.

    Raises ValueError with the reason. ``http`` passes for loopback hosts alone, and not even there when
    ``allow_loopback_http`` is off. A host is lower-case ASCII (an international name in its ``xn--`` form).
    """
    match = _ORIGIN.fullmatch(text)
    if match is None:
        raise ValueError("an origin is https://host or https://host:port in lower-case ASCII, with nothing after it")
    scheme, host, port = match["scheme"], match["host"], match["port"]
    _check_host(host)
    if port is not None and (port == DEFAULT_PORTS[scheme] or int(port) > LAST_PORT):
        raise ValueError("the port is the scheme's default and must be left out, or it is above 65535")
    if scheme == "http" and not (allow_loopback_http and is_loopback(host)):
        raise ValueError("the scheme is https, except on a loopback host while developing")
    return text


def host_of(origin: str) -> str:
    """The host of an origin that ``check_origin`` takes, as ``is_loopback`` knows it; ValueError if it is none.

    An IPv6 address keeps its brackets, which it loses in ``urllib``.
    """
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise ValueError("not an origin")
    return match["host"]


def is_origin(text: str) -> bool:
    """Whether ``check_origin`` takes ``text``."""
    try:
        check_origin(text)
    except ValueError:
        return False
    return True


def check_path(text: str) -> str:
    """``text`` if it is a path that every server reads alike, as a registered prefix must be; ValueError if not.

    Percent-encoding is taken off layer by layer, as proxies and applications behind one another do, and each layer
    is held to the same rules: what is harmless now and a dot segment after the second decoding is refused.
    """
    if _PATH.fullmatch(text) is None:
        raise ValueError("a path begins with a slash and holds only the characters of RFC 3986")
    if "//" in text:
        raise ValueError("the path has an empty segment")
    outer, layer = "", text
    while layer != outer:
        if layer.count("/") != text.count("/") or _HIDDEN.search(layer):
            raise ValueError("the path hides a slash, a backslash or a control character behind an encoding")
        for segment in layer.split("/"):
            if segment.split(";")[0] in {".", ".."} or segment.startswith(";"):
                raise ValueError("the path has a dot segment, or one that some servers take for it")
        try:
            outer, layer = layer, unquote_to_bytes(layer).decode()
        except UnicodeDecodeError as error:
            raise ValueError("the path encodes what is not UTF-8") from error
    return text


def judge_return(url: str, registry: Registry) -> App:
    """The registered app that ``url`` leads to, under one of the path prefixes that it allows; else TargetRefused.

    The only judge of ``return_to``. What it takes is written on the wire as it stands; ``detail`` names the check.
    """
    if len(url) > RETURN_TO_CHARS:
        raise TargetRefused(f"longer than {RETURN_TO_CHARS} characters")
    if not _is_of(_VISIBLE, url) or "\\" in url or "#" in url:
        raise TargetRefused("a fragment, or a character that is not visible ASCII, or a backslash")
    origin, rest = _split(url)
    app = registry.by_origin.get(origin)
    if app is None:
        raise TargetRefused("no registered origin")
    path, _, query = rest.partition("?")
    if _QUERY.fullmatch(query) is None:
        raise TargetRefused("the query holds what RFC 3986 does not allow")
    try:
        check_path(path or "/")
    except ValueError as error:
        raise TargetRefused(str(error)) from error
    if not any(_is_under(path or "/", prefix) for prefix in app.return_to):
        raise TargetRefused("under none of the app's return_to prefixes")
    return app


def check_location(url: str) -> str:
    """``url`` if the bytes that go on the wire lead to the very origin that they spell; else TargetRefused.

    The last look before ``Location`` is written, at every redirect: absolute, http or https, visible ASCII, no
    userinfo, and a second, independent reading (``urllib``) finds the same origin.
    """
    if not _is_of(_VISIBLE, url) or "\\" in url or "#" in url:
        raise TargetRefused("a Location with a fragment, a backslash or a character that is not visible ASCII")
    _check_address(url.partition("?")[0])
    return url


@lru_cache(maxsize=1024)
def _check_address(address: str) -> None:
    """Returns if two readers find the same origin in ``address``, an URL up to its query; what holds is remembered."""
    origin, _ = _split(address)
    match = _ORIGIN.fullmatch(origin)
    if match is None:
        raise TargetRefused("a Location without a plain http or https origin")
    try:
        _check_host(match["host"])
        again = urlsplit(address)
    except ValueError as error:
        raise TargetRefused("a Location whose host has more than one reading") from error
    if f"{again.scheme}://{again.netloc}" != origin:
        raise TargetRefused("a Location that two readers take for two origins")


def origin_of(url: str) -> str:
    """The origin of an absolute URL that ``check_location`` takes; TargetRefused if it does not."""
    return _split(check_location(url))[0]


def _quoted(value: str) -> str:
    """``value`` for a query; a token, which is all that a hop adds, is taken as it is."""
    return value if _is_of(_UNRESERVED, value) else quote(value, safe="", errors="replace")


def with_query(url: str, /, **params: str) -> str:
    """``url`` (judged, so without a fragment) with ``params`` appended to its query, percent-encoded."""
    added = "&".join(f"{name}={_quoted(value)}" for name, value in params.items())
    if not added:
        return url
    joint = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{joint}{added}"


def _is_of(letters: bytes, text: str) -> bool:
    """Whether ``text`` has none but these letters of ASCII: looked at by one call, as a hop's URLs are long."""
    return text.isascii() and not text.encode().translate(None, letters)


def _split(url: str) -> tuple[str, str]:
    """The text up to the end of the authority, and the rest; TargetRefused without scheme and authority."""
    match = _AUTHORITY.fullmatch(url)
    if match is None:
        raise TargetRefused("not an absolute http or https URL in lower case")
    return match[1], match[2]


def _is_under(path: str, prefix: str) -> bool:
    """Whether ``path`` is ``prefix`` or lies below it, at a segment's boundary."""
    return path == prefix or path.startswith(prefix if prefix.endswith("/") else prefix + "/")


def _check_host(host: str) -> None:
    """ValueError unless ``host`` is a DNS name or an address in the one spelling that every parser leaves as it is."""
    if host.startswith("["):
        try:
            address = IPv6Address(host[1:-1])
        except AddressValueError as error:
            raise ValueError("not an IPv6 address") from error
        if str(address) != host[1:-1] or address.ipv4_mapped is not None:
            raise ValueError("an IPv6 address is written in its shortest form, and never maps an IPv4 one")
        return
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # browsers take such a host for an IPv4 address, in many spellings
        try:
            IPv4Address(host)
        except AddressValueError as error:
            raise ValueError("an IPv4 address is written as four decimal numbers") from error
    elif len(host) > HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("a host is made of labels of letters, digits and inner hyphens, without a trailing dot")
