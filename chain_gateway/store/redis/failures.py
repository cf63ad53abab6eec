"""What redis-py raises, told apart: what may pass by itself, and what will not."""

from __future__ import annotations

import ssl
from typing import Final

from chain_gateway.errors import StoreUnavailable

PASSING: Final = ("READONLY", "BUSY ", "NOREPLICAS")
"""Words in answers of a server that is stepping down or at work, for which redis-py has no exception of their own."""


def is_unknown_script(error: BaseException) -> bool:
    """Whether the server does not know the script's digest yet, or any more."""
    from redis.exceptions import NoScriptError  # noqa: PLC0415 - see ``links``

    return isinstance(error, NoScriptError)


def may_pass(error: BaseException) -> bool:
    """Whether the same call may succeed a moment later."""
    from redis import exceptions  # noqa: PLC0415

    if isinstance(error, exceptions.AuthenticationError | exceptions.AuthorizationError) or _is_strange(error):
        return False
    passing = exceptions.ConnectionError | exceptions.TimeoutError | exceptions.RedisClusterException
    moving = exceptions.ClusterError | exceptions.AskError | exceptions.TryAgainError | exceptions.ReadOnlyError
    if isinstance(error, passing | moving | OSError):
        return True
    return isinstance(error, exceptions.ResponseError) and any(word in str(error) for word in PASSING)


def _is_strange(error: BaseException) -> bool:
    """Whether the server's certificate is not one to be trusted."""
    return isinstance(error.__cause__ or error.__context__, ssl.SSLCertVerificationError)


def refusal(where: str, error: BaseException) -> StoreUnavailable:
    """The one exception that leaves a store, with the cause inside."""
    reason = error.detail if isinstance(error, StoreUnavailable) else f"{type(error).__name__}: {error}"
    refused = StoreUnavailable(f"{where}: {reason}")
    refused.__cause__ = error
    return refused
