"""Which sessions a browser has, as the ledger and the provider's record know: what a logout's tickets name."""

from __future__ import annotations

from chain_gateway.core.ledger import Browser, app_of
from chain_gateway.service.identity import Identity
from chain_gateway.service.op_session import OpSessions


def sessions_of(op_sessions: OpSessions, known: Browser | None) -> Identity:
    """One session id for all apps, and those of apps that differ from it; empty where nothing is known."""
    if known is None:
        return Identity()
    session = op_sessions.read(known)
    common = session.sid if session else ""
    entries = [entry for entry in known.ledger.values() if entry.app == app_of(entry.app)]
    return Identity(
        sub=session.sub if session else "",
        sid=common,
        auth_time=session.auth_time if session else 0,
        sids={entry.app: entry.sid for entry in entries if entry.sid != common},
    )
