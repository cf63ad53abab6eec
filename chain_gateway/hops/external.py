"""``external``: an app without the SDK is visited by a URL template, and comes back by an address that says nothing.

The template is OpenID Connect's third-party-initiated login (OIDC Core 4), or a logout URL with its return parameter.
What such an app did is never proven.
"""

from __future__ import annotations

from chain_gateway.core.chain import App
from chain_gateway.core.events import CameBack, Event
from chain_gateway.core.templates import fill_template
from chain_gateway.core.walk import Kind, Walk
from chain_gateway.hops.base import Departure, Parcel, ReadReceipt, Returned
from chain_gateway.hops.returns import read_error


class External:
    """A visit of an app that knows nothing of this protocol."""

    def depart(self, app: App, walk: Walk, parcel: Parcel) -> Departure:
        """A redirect to the filled template; every value is percent-encoded."""
        template = app.external_login if walk.kind is Kind.LOGIN else app.external_logout
        values = {
            "iss": parcel.issuer,
            "target_link_uri": parcel.resume_url,
            "return_to": parcel.resume_url,
            "state": parcel.state,
            "login_hint": "",
        }
        return Departure(fill_template(template, values))

    def read(self, walk: Walk, returned: Returned, receipt: ReadReceipt) -> Event:  # noqa: ARG002
        """That the browser is back; an error word counts as a failed visit."""
        return read_error(returned) if returned.error else CameBack()
