"""``two_step``: the app sets a cookie and tells its hash; the ticket then carries the hash (``cnf``), for this browser.

It needs no script and no page. It is the login of browsers without script, the silent login, and the second try of a
logout that met a session of another browser id.
"""

from __future__ import annotations

from chain_gateway.core.chain import App
from chain_gateway.core.events import Event
from chain_gateway.core.origins import with_query
from chain_gateway.core.walk import Place, Walk
from chain_gateway.hops.base import Departure, Parcel, ReadReceipt, Returned
from chain_gateway.hops.returns import read_bind, read_receipt


class TwoStep:
    """Two redirects to the app and back, twice."""

    def depart(self, app: App, walk: Walk, parcel: Parcel) -> Departure:  # noqa: ARG002 - one signature for all modes
        """A redirect with the begin ticket, later one with the ticket."""
        if parcel.begin:
            return Departure(with_query(app.hop_url, begin=parcel.ticket))
        return Departure(with_query(app.hop_url, ticket=parcel.ticket))

    def read(self, walk: Walk, returned: Returned, receipt: ReadReceipt) -> Event:
        """The bind hash in the first step, a receipt in the second; an app may refuse the first by a receipt too."""
        if walk.place is Place.BINDING and not returned.receipt and (bound := read_bind(returned)) is not None:
            return bound
        return read_receipt(returned, receipt)
