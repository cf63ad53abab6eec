"""The two ``.well-known`` documents: the public keys, and what this gateway is and can."""

from __future__ import annotations

from chain_gateway import __version__
from chain_gateway.core.chain import Mode

JWKS_PATH = "/.well-known/jwks.json"
ENDPOINTS = {
    "login_endpoint": "/login",
    "logout_endpoint": "/logout",
    "callback_endpoint": "/callback",
    "logged_out_endpoint": "/logged-out",
    "relay_endpoint": "/relay",
    "resume_endpoint": "/resume",
    "backchannel_logout_endpoint": "/backchannel-logout",
    "jwks_uri": JWKS_PATH,
}


def metadata(public_url: str) -> dict[str, object]:
    """The metadata document; every URL in it is made of the configured ``public_url``."""
    return {
        "issuer": public_url,
        "version": __version__,
        "protocol_version": 1,
        **{name: public_url + path for name, path in ENDPOINTS.items()},
        "hop_modes_supported": [mode.word for mode in (Mode.FORM_POST, Mode.TWO_STEP, Mode.REDIRECT, Mode.EXTERNAL)],
        "ticket_signing_alg_values_supported": ["ES256"],
        "receipt_signing_alg_values_supported": ["HS256", "ES256"],
        "logout_request_signing_alg_values_supported": ["HS256", "ES256"],
    }
