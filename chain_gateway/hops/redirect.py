"""``redirect``: the ticket travels in the URL; for logouts alone, where ``bid`` keeps it from harming others."""

from __future__ import annotations

from chain_gateway.core.chain import App
from chain_gateway.core.events import Event
from chain_gateway.core.origins import with_query
from chain_gateway.core.walk import Walk
from chain_gateway.hops.base import Departure, Parcel, ReadReceipt, Returned
from chain_gateway.hops.returns import read_receipt


class Redirect:
    """The default for logouts."""

    def depart(self, app: App, walk: Walk, parcel: Parcel) -> Departure:  # noqa: ARG002 - one signature for all modes
        """A redirect to the app's hop URL with the ticket in its query."""
        return Departure(with_query(app.hop_url, ticket=parcel.ticket))

    def read(self, walk: Walk, returned: Returned, receipt: ReadReceipt) -> Event:  # noqa: ARG002
        """A receipt."""
        return read_receipt(returned, receipt)
