"""The one place that connects to the provider: every answer bounded in time and size, no redirect ever followed.

The addresses come from the configuration and from the provider's metadata. A redirect would add addresses that
nobody checked, so it is a failure like any other (OpenID Connect Discovery section 4.2 knows 200 alone).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

import aiohttp
import stamina

from chain_gateway.core.limits import OP_BYTES, OP_SECONDS
from chain_gateway.errors import OpUnavailable
from chain_gateway.tokens.encoding import strict_json

_ATTEMPTS: Final = 3
_TOO_MANY: Final = 429
_OK: Final = 200
_REDIRECT: Final = range(300, 400)
_SERVER_ERROR: Final = 500
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_UNTIMED: Final = aiohttp.ClientTimeout()
"""A call is timed as a whole, by whoever makes it here."""


class _MayPass(OpUnavailable):
    """A failure that the next attempt may not meet."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that came in time and was not too long."""

    what: str
    status: int
    body: bytes = field(repr=False)

    def json(self) -> dict[str, object]:
        """The one JSON object in the body; OpUnavailable if it is anything else."""
        try:
            return strict_json(self.body)
        except ValueError as error:
            raise OpUnavailable(
                f"{self.what}: the answer is not one JSON object", code="op_unavailable.body"
            ) from error


class Wire:
    """Calls to one provider over a session that is the caller's to close."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        seconds: float = OP_SECONDS,
        observe: Callable[[str, float], None] | None = None,
    ) -> None:
        """``seconds`` bound each call as a whole, attempts and all.

        ``observe`` is told the name of each attempt and how many seconds it took.
        """
        self._session = session
        self._observe = observe
        self._seconds = seconds

    async def get(self, what: str, url: str, *, bearer: str = "") -> dict[str, object]:
        """The JSON object at ``url``; tried again while the failure may pass. ``what`` names it to the log."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        retries = stamina.retry_context(on=_MayPass, attempts=_ATTEMPTS, timeout=None, wait_max=1, wait_jitter=0.1)
        try:
            async with asyncio.timeout(self._seconds):
                async for attempt in retries:
                    with attempt:
                        answer = await self._call("GET", what, url, headers, None)
        except TimeoutError as error:
            raise _late(what) from error
        if answer.status != _OK:
            raise OpUnavailable(f"{what}: status {answer.status}", code="op_unavailable.status")
        return answer.json()

    async def post(self, what: str, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
        """What ``url`` answers to ``form``; asked once, as a code is good for one request."""
        headers, body = {**headers, **_FORM}, urlencode(form).encode()
        try:
            async with asyncio.timeout(self._seconds):
                return await self._call("POST", what, url, headers, body)
        except TimeoutError as error:
            raise _late(what) from error

    async def _call(self, method: str, what: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One attempt; OpUnavailable for everything that is no answer of the provider's own."""
        began = time.perf_counter()
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers={**_HEADERS, **headers},
                allow_redirects=False,
                auto_decompress=False,
                timeout=_UNTIMED,
                trace_request_ctx=what,
            ) as response:
                _check_status(what, response.status)
                return Answer(what, response.status, await _bounded(what, response))
        except aiohttp.ClientError as error:
            raise _MayPass(f"{what}: {type(error).__name__}", code="op_unavailable.connection") from error
        finally:
            if self._observe is not None:
                self._observe(what, time.perf_counter() - began)


def _check_status(what: str, status: int) -> None:
    """OpUnavailable for a redirect, and for what says that the provider cannot answer at the moment."""
    if status in _REDIRECT:
        raise OpUnavailable(f"{what}: a redirect, which is not followed", code="op_unavailable.redirect")
    if status >= _SERVER_ERROR or status == _TOO_MANY:
        raise _MayPass(f"{what}: status {status}", code="op_unavailable.status")


async def _bounded(what: str, response: aiohttp.ClientResponse) -> bytes:
    """The body, as long as it is within bounds; OpUnavailable as soon as it is not."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > OP_BYTES:
            raise OpUnavailable(f"{what}: longer than {OP_BYTES} bytes", code="op_unavailable.size")
    return bytes(body)


def _late(what: str) -> OpUnavailable:
    return OpUnavailable(f"{what}: no answer in time", code="op_unavailable.timeout")
