"""What the machine asks for; the services perform it, and the core never knows how."""

from __future__ import annotations

from dataclasses import dataclass

from chain_gateway.core.walk import Outcome


@dataclass(frozen=True, slots=True)
class SendTicket:
    """Send the browser to the app at the cursor with a ticket; ``cnf`` is the bind hash or empty."""

    cnf: str = ""


@dataclass(frozen=True, slots=True)
class SendBegin:
    """Send the browser to the app at the cursor with a begin ticket."""


@dataclass(frozen=True, slots=True)
class SendAway:
    """Send the browser to the app at the cursor by its URL template."""


@dataclass(frozen=True, slots=True)
class SendToOp:
    """Send the browser to the provider's logout."""


@dataclass(frozen=True, slots=True)
class ShowPause:
    """Show a page, so that the run of redirects begins anew."""


@dataclass(frozen=True, slots=True)
class Settle:
    """The hop at ``index`` ended with ``outcome``: the ledger is to know."""

    index: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Finish:
    """The walk has ended; tell its person how."""


@dataclass(frozen=True, slots=True)
class Present:
    """Nothing has changed; show where the walk stands."""


Action = SendTicket | SendBegin | SendAway | SendToOp | ShowPause | Settle | Finish | Present
