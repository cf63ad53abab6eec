"""URL templates of apps without the SDK: where ``external_login`` and ``external_logout`` send the browser.

A template is the operator's text, but what fills it comes from elsewhere. So placeholders stand only in the values of
the query, where percent-encoding holds them: no value can reach scheme, host or path (OpenID Connect Core 1.0,
section 4, for the names of a login that a third party starts).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from chain_gateway.core.origins import check_origin, check_path

PLACEHOLDERS: Final = frozenset({"return_to", "iss", "target_link_uri", "state", "login_hint"})

_TEMPLATE = re.compile(r"(?P<origin>https?://[^/?]+)(?P<path>/[^?]*)?(?:\?(?P<query>.*))?", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLAIN = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*")


def check_template(template: str) -> None:
    """Raises ValueError with the reason unless ``template`` is a URL whose only open parts are values of its query."""
    match = _TEMPLATE.fullmatch(template)
    if match is None:
        raise ValueError("a template is an absolute https URL")
    if "{" in match["origin"] or "{" in (match["path"] or ""):
        raise ValueError("a placeholder stands only in the query, never in scheme, host or path")
    check_origin(match["origin"])
    check_path(match["path"] or "/")
    query = match["query"] or ""
    unknown = sorted(set(_PLACEHOLDER.findall(query)) - PLACEHOLDERS)
    if unknown:
        raise ValueError(f"unknown placeholder; known are {', '.join(sorted(PLACEHOLDERS))}")
    if any("{" in pair.partition("=")[0] for pair in query.split("&")):
        raise ValueError("a placeholder stands for the value of a parameter, not for its name")
    if _PLAIN.fullmatch(_PLACEHOLDER.sub("", query)) is None:
        raise ValueError("the query holds what RFC 3986 does not allow, or a fragment follows it")


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """The URL that ``template`` makes of ``values``, each percent-encoded; KeyError if it names one that is not there.

    One pass: a value that looks like a placeholder stays what it is.
    """
    return _PLACEHOLDER.sub(lambda match: quote(values[match[1]], safe="", errors="replace"), template)
