"""Keeps what walks leave in a browser small: every cookie is sent with every request, and a header has its limit.

A page of somebody else can begin walk after walk that nobody finishes. The newest ones keep their cookies, and the
rest are ended in the answer that begins another.
"""

from __future__ import annotations

from collections.abc import Callable

from chain_gateway.service.realm import Visitor
from chain_gateway.service.views import Cookie


def surplus(visitor: Visitor, prefix: str, room: int, begun: Callable[[str], int]) -> tuple[Cookie, ...]:
    """Ends the cookies under ``prefix`` that have no ``room``, in characters, the oldest first.

    ``begun`` tells from a cookie's value when it was set, in seconds, and 0 where the value says nothing.
    """
    found = [(name, text) for name, text in visitor.cookies.items() if name.startswith(prefix)]
    left = room - sum(len(name) + len(text) for name, text in found)
    if left >= 0:
        return ()
    ended = []
    for name, text in sorted(found, key=lambda each: begun(each[1])):
        if left >= 0:
            break
        left += len(name) + len(text)
        ended.append(Cookie(name, ""))
    return tuple(ended)
