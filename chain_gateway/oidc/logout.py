"""Where a browser is sent to end the provider's own session.

OpenID Connect RP-Initiated Logout 1.0 where the provider announces an endpoint for it; at Auth0 otherwise
``/v2/logout``, which older tenants know alone and which needs no hint. Both return to one registered URL; only the
former hands ``state`` back.
"""

from __future__ import annotations

from typing import Final

from chain_gateway.core.origins import with_query
from chain_gateway.oidc.metadata import Metadata
from chain_gateway.oidc.settings import Client

HINT_CHARS: Final = 4096
"""An ID token longer than this would break the URL limits of common servers; the session's id stands in for it."""


def logout_url(client: Client, metadata: Metadata, *, id_token: str, sid: str, state: str) -> str | None:
    """The URL, or None if the provider has no logout. ``id_token`` and ``sid`` are the last sign-in's, or empty.

    One hint at most is sent, as hints that contradict each other are an error: the ID token, or else the ``sid``.
    """
    hint = id_token if len(id_token) <= HINT_CHARS else ""
    announced = metadata.end_session_endpoint
    if client.kind == "auth0" and (announced is None or not (hint or sid)):
        return _auth0_logout(client)  # without a hint the announced endpoint would stop and ask
    if announced is None:
        return None
    params = {
        "client_id": client.client_id,
        "post_logout_redirect_uri": client.post_logout_redirect_uri,
        "state": state,
    }
    if hint:
        params["id_token_hint"] = hint
    elif sid:
        params["logout_hint"] = sid
    return _federated(client, with_query(announced, **params))


def _auth0_logout(client: Client) -> str:
    """Auth0's own endpoint; ``client_id`` makes the application's list of return URLs count, not the tenant's."""
    endpoint = client.issuer.removesuffix("/") + "/v2/logout"
    return _federated(
        client, with_query(endpoint, client_id=client.client_id, returnTo=client.post_logout_redirect_uri)
    )


def _federated(client: Client, url: str) -> str:
    """Auth0 ends the upstream provider's session as well if ``federated`` is there, without a value."""
    return f"{url}&federated" if client.kind == "auth0" and client.federated else url
