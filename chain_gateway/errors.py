"""Every refusal of the project, in one tree.

::

    ChainGatewayError
    ├── BadInput              a parameter is missing, doubled, too long or malformed
    │   ├── BodyTooLong       the same of a whole body
    │   └── BodyLate          a body that does not come
    ├── TooManyRequests       one client address asks too often
    ├── TargetRefused         a URL that is not in the registry
    ├── TokenRefused          a token that proves nothing here
    ├── BrowserUnknown        the request does not come from the browser that owns the walk
    ├── WalkGone              no such walk, or it has ended
    ├── SignInFailed          the OpenID Provider said no, or what it said does not hold
    ├── OpUnavailable         the OpenID Provider did not answer
    ├── StoreUnavailable      the store did not answer
    ├── NotFound              no such page
    └── ConfigError           the configuration has problems (all of them are inside)

Each has a stable ``code`` (what programs and support staff see), an HTTP ``status``, a ``detail`` for the log and a
``text`` for the person, which never repeats what came in.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Final

LASTING: Final = frozenset(
    {
        *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO, errno.ENODEV),
        *(errno.EACCES, errno.EPERM, errno.EROFS),
        0,
    }
)
"""What the system says of a file that is as it is until somebody changes that; 0 is our own word for it."""


class ChainGatewayError(Exception):
    """Base of every refusal; ``detail`` is for the log, ``text`` and ``help`` are what the person reads."""

    code = "internal"
    status = 500
    text = "Something went wrong on our side."
    help = "Please try again in a moment."

    def __init__(self, detail: str = "", *, code: str | None = None) -> None:
        """``detail`` says more to the log; ``code`` narrows the class's code, as ``bad_input.return_to`` does."""
        super().__init__(detail or self.text)
        self.detail = detail
        if code is not None:
            self.code = code


class BadInput(ChainGatewayError):
    """A parameter is missing, doubled, too long or malformed; nothing was changed."""

    code = "bad_input"
    status = 400
    text = "This link is not complete, or it was changed on the way."
    help = "Go back to the site that you came from and start again there."


class BodyTooLong(BadInput):
    """The body is longer than any form of ours."""

    code = "bad_input.length"
    status = 413


class BodyLate(BadInput):
    """The body did not come in time."""

    code = "bad_input.late"
    status = 408
    text = "What you sent did not arrive in time."
    help = "The connection may be slow: go back, and send it once more."


class TooManyRequests(ChainGatewayError):
    """One client address asks more often than people do."""

    code = "too_many_requests"
    status = 429
    text = "There were too many requests from your network just now."
    help = "Wait a few seconds, then load this page again."


class TargetRefused(ChainGatewayError):
    """A URL that names no registered place; the browser is not sent there."""

    code = "target_refused"
    status = 400
    text = "This link wants to continue at an address that is not registered here."
    help = "Go back to the site that you came from. If you run that site: register the address as its return_to."


class TokenRefused(ChainGatewayError):
    """A token that proves nothing here; ``code`` says at which check it fell, and no more is told to the outside."""

    code = "token_refused"
    status = 400
    text = "This step could not be verified."
    help = "Continue at the sign-in service, or start again at the site that you came from."


class BrowserUnknown(ChainGatewayError):
    """The request does not show the cookie of the browser that owns the walk."""

    code = "browser_unknown"
    status = 403
    text = "This browser cannot take this step."
    help = (
        "The step belongs to another browser, or this one's cookies were cleared or are blocked. "
        "Allow this site's cookies, and start again at the site that you came from."
    )


class WalkGone(ChainGatewayError):
    """No such walk, or it has ended."""

    code = "walk_gone"
    status = 410
    text = "There is nothing to continue: this sign-in or sign-out has ended."
    help = "Start again at the site that you came from."


class SignInFailed(ChainGatewayError):
    """The OpenID Provider refused, or its answer does not hold."""

    code = "sign_in_failed"
    status = 400
    text = "You were not signed in."
    help = "Try to sign in again."


class OpUnavailable(ChainGatewayError):
    """The OpenID Provider did not answer in time, or not as a provider should."""

    code = "op_unavailable"
    status = 502
    text = "The sign-in provider cannot be reached at the moment."
    help = "Please try again in a moment."


class StoreUnavailable(ChainGatewayError):
    """The store did not answer; a login is refused, as it could not be taken back later."""

    code = "store_unavailable"
    status = 503
    text = "Signing in is not possible at the moment."
    help = "Please try again in a moment."


class NotFound(ChainGatewayError):
    """No such page."""

    code = "not_found"
    status = 404
    text = "There is no such page."
    help = "Check the address, or go back to the site that you came from."


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration: where, why, and what to write instead.

    ``passing``: it may be over in a moment, and nothing that is written makes a difference.
    """

    path: str
    reason: str
    hint: str
    passing: bool = False


class ConfigError(ChainGatewayError):
    """A configuration was refused; ``problems`` holds all of them."""

    code = "config"
    text = "The configuration was refused."
    help = "Run `chain-gateway check --config FILE`."

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """``problems`` is not empty."""
        super().__init__("; ".join(f"{p.path}: {p.reason}" for p in problems))
        self.problems = problems

    @property
    def passing(self) -> bool:
        """Whether the same configuration may hold in a moment."""
        return all(problem.passing for problem in self.problems)


def passes(error: OSError) -> bool:
    """Whether ``error`` may be over in a moment: a disk that does not answer, or no descriptor that is free."""
    return (error.errno or 0) not in LASTING
