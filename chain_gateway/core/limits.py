"""The numbers that bound everything, in one table; bytes, seconds or counts, as the name says."""

from typing import Final

TICKET_BYTES: Final = 4096
RECEIPT_BYTES: Final = 2048
CHAIN_TOKEN_BYTES: Final = 2048
LOGOUT_REQUEST_BYTES: Final = 2048
URL_CHARS: Final = 512
RETURN_TO_CHARS: Final = 384
"""The longest return URL: with a chain of 200 apps it still fits into a chain token."""
ID_CHARS: Final = 32
ERROR_CHARS: Final = 256

REQUEST_LINE_BYTES: Final = 8190
HEADER_FIELD_BYTES: Final = 8190
HEADERS_BYTES: Final = 16 * 1024
BODY_BYTES: Final = 64 * 1024
REQUEST_SECONDS: Final = 10

TICKET_SECONDS: Final = 60
SKEW_SECONDS: Final = 60
LOGOUT_REQUEST_SECONDS: Final = 60
EPOCH_AHEAD_MS: Final = 5 * 60 * 1000

WALK_SECONDS: Final = 15 * 60
HOP_SECONDS: Final = 30
BIND_SECONDS: Final = 120

TRANSACTIONS: Final = 5
TRANSACTION_SECONDS: Final = 10 * 60
CONFIRM_SECONDS: Final = 10 * 60
OPEN_WALKS: Final = 8
CHAIN_APPS: Final = 200
RETRIES: Final = 3

OP_SECONDS: Final = 10
OP_BYTES: Final = 256 * 1024
OP_REDIRECTS: Final = 4
"""Redirects of its own that a provider makes between its last page and our callback, as the budget counts them."""
EXTERNAL_REDIRECTS: Final = 6
"""Redirects that an app without the SDK makes, its own provider included, until it comes back to `/resume`."""
PING_SECONDS: Final = 2
DELIVERY_SECONDS: Final = 5
"""How long an app may take to answer a logout token."""
OWED_SECONDS: Final = 60
"""How long a logout waits for the browser's own visit before the back channel takes over."""
BROWSER_SECONDS: Final = 400 * 24 * 3600
"""How long the browser's cookie lasts: the most that browsers allow."""
NOBODY_SECONDS: Final = 2 * WALK_SECONDS
"""How long a browser is kept that nobody has ever signed in with: as long as a record of its last walk is."""
IDENTITY_BYTES: Final = 3072
"""The sealed identity of one login walk; what exceeds it does not fit into a cookie."""
