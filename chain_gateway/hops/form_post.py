"""``form_post``: a page of the gateway posts the ticket; the app checks that the post's ``Origin`` is the gateway's."""

from __future__ import annotations

from chain_gateway.core.chain import App
from chain_gateway.core.events import Event
from chain_gateway.core.walk import Walk
from chain_gateway.hops.base import Departure, Parcel, ReadReceipt, Returned
from chain_gateway.hops.returns import read_receipt


class FormPost:
    """The default for logins."""

    def depart(self, app: App, walk: Walk, parcel: Parcel) -> Departure:  # noqa: ARG002 - one signature for all modes
        """A page with a form for the app's hop URL."""
        return Departure(app.hop_url, parcel.ticket)

    def read(self, walk: Walk, returned: Returned, receipt: ReadReceipt) -> Event:  # noqa: ARG002
        """A receipt, or the page's word that the app was skipped or cannot be reached."""
        return read_receipt(returned, receipt)
