"""The browser's jars: what an answer leaves in one, and what a request shows of it."""

from __future__ import annotations

from functools import cache

from exploration_gateway import AWAY, BROWSER
from exploration_values import ANSWERS, GATEWAY, JARS, REQUESTS, Answer


@cache
def kept(jar: int, answer: int) -> int:
    """The jar after an answer's cookies."""
    cookies = ANSWERS.values[answer].cookies
    if not cookies:
        return jar
    names = {name for name, _, _ in cookies}
    others = {cookie for cookie in JARS.values[jar] if cookie[0] not in names}
    return JARS.number(frozenset(others | {cookie for cookie in cookies if cookie[1]}))


@cache
def with_cookies(request: int, jar: int, now: int, names: frozenset[str] | None) -> int:
    """The request with the cookies of a jar that are not past their time, or those of them that have these names."""
    cookies = [cookie for cookie in JARS.values[jar] if names is None or cookie[0] in names]
    shown = sorted((name, value) for name, value, until in cookies if until > now)
    return REQUESTS.number(REQUESTS.values[request]._replace(shown=tuple(shown)))


@cache
def has_browser(jar: int) -> bool:
    """Whether the gateway's jar has the browser's own cookie, which then does not change any more."""
    return any(name == BROWSER for name, _, _ in JARS.values[jar])


def is_public(answer: Answer) -> bool:
    """Whether an answer brings a cookie that requests of other tabs may show."""
    return any(answer.by != GATEWAY or name == BROWSER or name.startswith(AWAY) for name, _, _ in answer.cookies)
