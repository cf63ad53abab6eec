"""The receipt: what an app tells the gateway, by the browser, that one hop really did (docs/protocol.md, "A hop")."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from chain_gateway.core.limits import CHAIN_APPS, ERROR_CHARS, RECEIPT_BYTES
from chain_gateway.tokens.app_key import AppKey
from chain_gateway.tokens.claims import Claims, Rule
from chain_gateway.tokens.jws import open_jws
from chain_gateway.tokens.purposes import RECEIPT_TYP
from chain_gateway.tokens.refusals import Check, refused

__all__ = ["CLAIMS", "AppKey", "Receipt", "ReceiptOutcome", "sign_receipt", "verify_receipt"]

RECEIPT_SECONDS: Final = 300
"""How old a receipt may be when the browser brings it: it travels with one redirect, but a laptop's lid can close."""

CLAIMS: Final = Rule(
    must=frozenset({"iss", "aud", "jti", "rid", "walk", "hop", "epoch", "outcome", "iat"}),
    may=frozenset({"reason"}),
)
"""Which claims a receipt must and may carry."""


class ReceiptOutcome(enum.StrEnum):
    """What a hop really did at the app."""

    APPLIED = "applied"
    """The session was set, or cleared."""
    ABSENT = "absent"
    """There was no session to clear."""
    STALE = "stale"
    """Something newer was there; nothing was done."""
    REFUSED = "refused"
    ERROR = "error"


_OUTCOMES: Final = {str(outcome): outcome for outcome in ReceiptOutcome}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt's claims. ``jti`` is the ticket's, ``rid`` the receipt's own; ``reason`` may be empty."""

    iss: str
    aud: str
    jti: str
    rid: str
    walk: str
    hop: int
    epoch: int
    outcome: ReceiptOutcome
    iat: int
    reason: str = ""


def sign_receipt(receipt: Receipt, key: AppKey) -> str:
    """The receipt's text, signed by the app's secret or private key."""
    claims: dict[str, object] = {
        "iss": receipt.iss,
        "aud": receipt.aud,
        "jti": receipt.jti,
        "rid": receipt.rid,
        "walk": receipt.walk,
        "hop": receipt.hop,
        "epoch": receipt.epoch,
        "outcome": receipt.outcome,
        "iat": receipt.iat,
    }
    if receipt.reason:
        claims["reason"] = receipt.reason
    return key.sign(RECEIPT_TYP, claims)


def verify_receipt(
    text: str, key: AppKey, *, app_id: str, gateway: str, jti: str, walk: str, hop: int, epoch: int, now: int
) -> Receipt:
    """The receipt in ``text`` for exactly that hop: app, ticket, walk, place in it and epoch are all compared.

    TokenRefused at the first check that fails.
    """
    read = Claims(RECEIPT_TYP, open_jws(text, RECEIPT_TYP, RECEIPT_BYTES, key.find))
    read.obey(CLAIMS)
    receipt = Receipt(
        iss=read.party("iss", app_id, Check.ISSUER),
        aud=read.party("aud", gateway, Check.AUDIENCE),
        jti=read.ident("jti"),
        rid=read.ident("rid"),
        walk=read.ident("walk"),
        hop=read.integer("hop", CHAIN_APPS - 1),
        epoch=read.integer("epoch"),
        outcome=_outcome(read),
        iat=read.issued(now),
        reason=read.words("reason", ERROR_CHARS),
    )
    if (receipt.jti, receipt.walk, receipt.hop, receipt.epoch) != (jti, walk, hop, epoch):
        raise refused(Check.HOP, "a receipt of another hop")
    if receipt.iat < now - RECEIPT_SECONDS:
        raise refused(Check.EXPIRED, "a receipt past its time")
    return receipt


def _outcome(read: Claims) -> ReceiptOutcome:
    outcome = _OUTCOMES.get(read.text("outcome"))
    if outcome is None:
        raise refused(Check.CLAIMS, "a receipt with an outcome that is not known")
    return outcome
