"""The audit log: one event a sign-in, a sign-out, an owed logout that is settled, and what operators did.

Names and fields are fixed, as programs read them for years. An event has ids of walks, chains and apps, outcomes,
counts and error codes: no secret, no token, no URL, and nobody's name. A keyed hash of a person would still tell people
apart for as long as a log is kept, and need a key that outlives every rotation; who has to know whose a walk was asks
the app, which knows the person, by the walk's id.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from typing import Final, Protocol

import structlog

from chain_gateway.core.chain import Registry
from chain_gateway.core.walk import Kind, Walk
from chain_gateway.tokens.encoding import b64e

REMEMBERED: Final = 4096
"""How many ended walks a process remembers, so that a page which is loaded again tells none of them twice."""
log = structlog.stdlib.get_logger("chain_gateway")


class AuditEvent(enum.StrEnum):
    """What is told; the names are part of what an operator's programs rely on."""

    SIGN_IN = "audit.sign_in"
    """A login has ended: where, and what came of each hop."""
    SIGN_IN_FAILED = "audit.sign_in_failed"
    """The provider said no, or what it said does not hold, so that there was no walk."""
    SIGN_OUT = "audit.sign_out"
    """A logout has ended, in the same words."""
    PROVIDER_SIGN_OUT = "audit.provider_sign_out"
    """The provider said that a session of its own has ended."""
    OWED_SETTLED = "audit.owed_settled"
    """An app confirmed over the back channel what it was owed."""
    OWED_LAPSED = "audit.owed_lapsed"
    """An app never confirmed, and no session can live any more that the logout was meant for."""
    OWED_RETRIED = "audit.owed_retried"
    """An operator made owed logouts due at once."""
    OWED_DROPPED = "audit.owed_dropped"
    """An operator took an owed logout for lost."""
    WALK_DROPPED = "audit.walk_dropped"
    """An operator stopped a walk where it stood."""
    DASHBOARD_OPENED = "audit.dashboard_opened"
    """Somebody signed in to the dashboard."""
    DASHBOARD_REFUSED = "audit.dashboard_refused"
    """Somebody showed the dashboard a wrong token, or asked it for a change from another place."""
    CONFIGURATION_TAKEN = "audit.configuration_taken"
    """A process has begun to serve a configuration, with these keys."""
    CONFIGURATION_REFUSED = "audit.configuration_refused"
    """A configuration does not hold, and the old one stays."""


class Sink(Protocol):
    """Where events go."""

    def __call__(self, event: str, **fields: object) -> None:
        """Writes one down; raises nothing, as nobody's sign-in waits for a log."""


def into_log(event: str, **fields: object) -> None:
    """The sink that is the process's own log."""
    log.info(event, **fields)


class Audit:
    """Tells a sink; and each walk's end once."""

    def __init__(self, sink: Sink = into_log) -> None:
        """``sink`` writes down."""
        self._sink = sink
        self._told: OrderedDict[bytes, None] = OrderedDict()

    def __call__(self, event: AuditEvent, **fields: object) -> None:
        """Tells one event."""
        self._sink(event.value, **fields)

    def walk_ended(self, walk: Walk, apps: Registry) -> bool:
        """Tells that ``walk`` has ended: by app, what came of its hop; and of a logout what became at the provider.

        False if this process has told it before, and then nothing is told.
        """
        if walk.id in self._told:
            return False
        self._told[walk.id] = None
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        found: dict[str, list[str]] = {}
        for index, hop in enumerate(walk.hops):
            app = apps.by_tag.get(hop.tag)
            found.setdefault(walk.hops.outcome(index).word, []).append(app.id if app else "gone")
        asked = apps.by_tag.get(walk.app)
        login = walk.kind is Kind.LOGIN
        self(
            AuditEvent.SIGN_IN if login else AuditEvent.SIGN_OUT,
            walk=b64e(walk.id),
            chain=walk.chain,
            asked_by=asked.id if asked else "",
            place=walk.place.name.lower(),
            outcomes={outcome: len(ids) for outcome, ids in found.items()},
            apps=found,
            **({} if login else {"provider": walk.op.name.lower()}),
        )
        return True
