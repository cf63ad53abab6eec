"""Why a token was refused: one list, from which every ``token_refused.*`` code of the project comes.

The code tells the log and the operator at which check a token fell. To the outside all of them look the same.
"""

from __future__ import annotations

import enum

from chain_gateway.errors import TokenRefused


class Check(enum.StrEnum):
    """The checks of a token, in the order in which they are made."""

    SIZE = "size"
    """Longer than its kind may be; nothing of it was parsed."""
    SHAPE = "shape"
    """Not of the form: parts, base64url, JSON, or the fields inside a sealed one."""
    HEADER = "header"
    """A signed token's header names another type or algorithm, or has more or less than alg, typ and kid."""
    KEY = "key"
    """No key of that kid is accepted at this time."""
    SEAL = "seal"
    """Changed on the way, sealed for another purpose, or under another key of the same kid."""
    SIGNATURE = "signature"
    """The signature is not that of the key."""
    CLAIMS = "claims"
    """A claim is missing, too many, or of the wrong type or size."""
    ISSUER = "issuer"
    """``iss`` is somebody else."""
    AUDIENCE = "audience"
    """``aud`` is somebody else."""
    EXPIRED = "expired"
    """Past its time."""
    EARLY = "early"
    """Issued in the future, by more than the skew that is borne."""
    HOP = "hop"
    """A receipt of another ticket, walk, hop or epoch."""

    @property
    def code(self) -> str:
        """The code as errors and logs carry it, e.g. ``token_refused.size``."""
        return f"{TokenRefused.code}.{self}"


def refused(check: Check, detail: str) -> TokenRefused:
    """The refusal to raise; ``detail`` is for the log and repeats nothing of the token's content."""
    return TokenRefused(detail, code=check.code)
