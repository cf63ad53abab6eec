r"""Where a browser really goes: a second, independent reading of redirect targets, to hold the first one against.

This is the URL parser of the WHATWG URL Standard (section 4.4) for http and https, as browsers run it on a Location:
generous, where ``chain_gateway.core.origins`` is strict. It drops tabs and newlines, takes a backslash for a slash,
maps and lowers hosts, reads addresses in every base, resolves dot segments. It shares no line, no regular expression
and no library with the judge under test; ``tests/core/test_second_judge.py`` holds it against Node's own parser.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import idna

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
SLASHES = "/\\"
FORBIDDEN_IN_HOST = set("\x00\t\n\r #/:<>?@[\\]^|%\x7f") | {chr(code) for code in range(0x20)}


@dataclass(frozen=True)
class Landing:
    """Where a browser arrives: the origin that it asks, and the path that it asks for."""

    origin: str
    path: str


class Nowhere(Exception):
    """The text is no URL to a browser, or one of a scheme that asks no web server: it stays where it is."""


def landing(text: str, base: str = "https://login.example/login") -> Landing:
    """Where a browser on the page ``base`` goes for ``text``; Nowhere if it does not go to a web server."""
    here = _absolute(base, None)
    return _absolute(text, here)


def lands_in(text: str, places: Mapping[str, Iterable[str]], base: str = "https://login.example/login") -> bool:
    """Whether a browser on ``base`` ends in one of ``places`` (origin → path prefixes), however the server reads paths.

    A text that leads nowhere counts as one that leads astray: whoever was sent there does not arrive.
    """
    try:
        there = landing(text, base)
    except Nowhere:
        return False
    prefixes = [prefix.rstrip("/") for prefix in places.get(there.origin, ())]
    readings = (there.path, *served(there.path))
    return any(all(path == prefix or path.startswith(prefix + "/") for path in readings) for prefix in prefixes)


def served(path: str) -> list[str]:
    """The paths that lenient servers behind one another make of ``path``, one for each time that it is decoded."""
    readings = []
    data = path.encode()
    for _ in range(8):
        data = _percent_decoded(data)
        data = data.replace(b"\xc0\xae", b".").replace(b"\xc0\xaf", b"/").replace(b"\xe0\x80\xae", b".")
        text = data.decode("utf-8", "replace").split("\x00")[0].replace("\\", "/")
        pieces = [piece.split(";")[0] for piece in text.split("/")[1:]]
        readings.append(_resolved([piece for index, piece in enumerate(pieces) if piece or index == len(pieces) - 1]))
    return readings


def _absolute(text: str, base: Landing | None) -> Landing:
    text = text.strip("".join(map(chr, range(0x21))))
    text = "".join(char for char in text if char not in "\t\n\r")
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    scheme, rest = _scheme(text)
    base_scheme = base.origin.partition(":")[0] if base else ""
    if scheme:
        if scheme not in ("http", "https"):
            raise Nowhere(scheme)
        if base is None or scheme != base_scheme or rest[:2] == "//":
            return _authority(scheme, rest.lstrip(SLASHES))
    if base is None:
        raise Nowhere("relative")
    if len(rest) >= 2 and rest[0] in SLASHES and rest[1] in SLASHES:
        return _authority(base_scheme, rest.lstrip(SLASHES))
    return Landing(base.origin, _relative(rest, base.path))


def _scheme(text: str) -> tuple[str, str]:
    name, colon, rest = text.partition(":")
    plain = all(char.isascii() and (char.isalnum() or char in "+-.") for char in name)
    if colon and plain and name[:1].isalpha():
        return name.lower(), rest
    return "", text


def _relative(rest: str, base_path: str) -> str:
    path = _until(rest, "?#")
    if not path:
        return base_path
    if path[0] in SLASHES:
        return _resolved_text(path[1:])
    return _resolved_text(base_path.rpartition("/")[0][1:] + "/" + path if base_path.count("/") > 1 else path)


def _authority(scheme: str, rest: str) -> Landing:
    authority = _until(rest, "/\\?#")
    path = _until(rest[len(authority) :], "?#")
    host_port = authority.rpartition("@")[2]
    closing = host_port.rfind("]")
    colon = host_port.find(":", closing + 1 if closing >= 0 and host_port.startswith("[") else 0)
    host, port = (host_port, "") if colon < 0 else (host_port[:colon], host_port[colon + 1 :])
    if not host:
        raise Nowhere("no host")
    return Landing(f"{scheme}://{_host(host)}{_port(scheme, port)}", _resolved_text(path[1:]))


def _port(scheme: str, port: str) -> str:
    if not port:
        return ""
    if any(char not in "0123456789" for char in port) or int(port) > 0xFFFF:
        raise Nowhere("port")
    return "" if int(port) == PORTS[scheme] else f":{int(port)}"


def _host(host: str) -> str:
    if host.startswith("["):
        return _ipv6(host)
    text = _percent_decoded(host.encode("utf-8", "replace")).decode("utf-8", "replace")
    name = _to_ascii(text)
    if not name or any(char in FORBIDDEN_IN_HOST for char in name):
        raise Nowhere("host")
    labels = name.split(".")
    last = labels[-2] if labels[-1] == "" and len(labels) > 1 else labels[-1]
    return _ipv4(labels) if _is_number(last) else name


def _to_ascii(text: str) -> str:
    if text.isascii() and "xn--" not in text.lower():
        return text.lower()
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        return ".".join(_label(label) for label in mapped.split("."))
    except (idna.IDNAError, UnicodeError) as error:
        raise Nowhere("idna") from error


def _label(label: str) -> str:
    """UTS 46 as browsers run it: more letters pass than IDNA 2008 allows."""
    if label.isascii() and not label.startswith("xn--"):
        return label
    text = label[4:].encode().decode("punycode") if label.isascii() else label
    if text and text.isascii() and label == f"xn--{text}-":  # refused by newer revisions alone
        return label
    if text.isascii() or idna.uts46_remap(text, std3_rules=False, transitional=False) != text:
        raise Nowhere("xn--")
    if any(char in "\u200c\u200d" and not idna.valid_contextj(text, place) for place, char in enumerate(text)):
        raise Nowhere("joiner")
    name = "xn--" + text.encode("punycode").decode()
    if label.isascii() and name != label:
        raise Nowhere("xn--")
    return name


def _is_number(label: str) -> bool:
    return (label != "" and set(label) <= set("0123456789")) or _number(label) is not None


def _number(label: str) -> int | None:
    """A part of an address, in base 8, 10 or 16; None if it is none."""
    digits, base = label, 10
    if label[:2] == "0x":
        digits, base = label[2:] or "0", 16
    elif len(label) > 1 and label[0] == "0":
        digits, base = label[1:], 8
    if not digits or not set(digits) <= set("0123456789abcdef"[:base]):
        return None
    return int(digits, base)


def _ipv4(labels: list[str]) -> str:
    if labels[-1] == "":
        labels = labels[:-1]
    numbers = [_number(label) for label in labels]
    if len(numbers) > 4 or any(number is None for number in numbers):
        raise Nowhere("ipv4")
    known = [number for number in numbers if number is not None]
    if any(number > 255 for number in known[:-1]) or known[-1] >= 256 ** (5 - len(known)):
        raise Nowhere("ipv4")
    value = known[-1] + sum(number << (8 * (3 - index)) for index, number in enumerate(known[:-1]))
    return str(ipaddress.IPv4Address(value))


def _ipv6(host: str) -> str:
    if not host.endswith("]") or "%" in host:
        raise Nowhere("ipv6")
    try:
        address = ipaddress.IPv6Address(host[1:-1])
    except ValueError as error:
        raise Nowhere("ipv6") from error
    pieces = [f"{int.from_bytes(address.packed[index : index + 2]):x}" for index in range(0, 16, 2)]
    for length in range(8, 1, -1):  # the longest run of zeros gives way to two colons, the first of equals
        for start in range(9 - length):
            if pieces[start : start + length] == ["0"] * length:
                return f"[{':'.join(pieces[:start])}::{':'.join(pieces[start + length :])}]"
    return f"[{':'.join(pieces)}]"


def _resolved_text(path: str) -> str:
    """``path`` without its first slash, as it goes on the wire."""
    return _resolved(path.replace("\\", "/").split("/"))


def _resolved(pieces: list[str]) -> str:
    done: list[str] = []
    for index, piece in enumerate(pieces):
        word = piece.lower().replace("%2e", ".")
        last = index == len(pieces) - 1
        if word == "..":
            del done[-1:]
        elif word != ".":
            done.append(_encoded(piece))
        if last and word in (".", ".."):
            done.append("")
    return "/" + "/".join(done)


def _encoded(piece: str) -> str:
    keep = {chr(code) for code in range(0x21, 0x7F)} - set('"#<>?`{}')
    return "".join(
        char if char in keep else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace")) for char in piece
    )


def _until(text: str, ends: str) -> str:
    places = [index for index in map(text.find, ends) if index >= 0]
    return text[: min(places)] if places else text


def _percent_decoded(data: bytes) -> bytes:
    first, *pieces = data.split(b"%")
    done = first
    for piece in pieces:
        code = piece[:2].decode("latin-1")
        coded = len(code) == 2 and set(code) <= set("0123456789abcdefABCDEF")
        done += bytes([int(code, 16)]) + piece[2:] if coded else b"%" + piece
    return done
