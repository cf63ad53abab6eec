"""Tokens that an earlier version made, with its keys: they must open for ever, as they did on the day.

Each released version leaves a file in ``fixtures/``. A file is never made anew: where a test here goes red, tokens that
are out in the world, and key files of operators, would no longer be read.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from chain_gateway.core.packing import pack
from chain_gateway.tokens.chain_token import open_walk
from chain_gateway.tokens.keyring import Keyring
from chain_gateway.tokens.logout_request import LogoutRequest, sign_logout_request, verify_logout_request
from chain_gateway.tokens.purposes import USE, Purpose
from chain_gateway.tokens.receipt import AppKey, Receipt, ReceiptOutcome, sign_receipt, verify_receipt
from chain_gateway.tokens.sealer import Sealer
from chain_gateway.tokens.ticket import Act, GatewayKeys, Ticket, sign_ticket, verify_ticket

V1 = json.loads((Path(__file__).parent / "fixtures" / "v1.json").read_text("utf-8"))
NOW = V1["now"]
RING = Keyring.load(json.dumps(V1["key_file"]))
APP_KEYS = {"secret": AppKey.secret(V1["app_secret"].encode()), "jwk": AppKey.private(V1["app_jwk"])}


def by_name(entry: dict[str, object]) -> str:
    """What a report calls a case."""
    return str(entry.get("key") or entry["ticket"]["act"])


def test_the_key_file_is_read_and_publishes_the_same_keys() -> None:
    """And is written as it was."""
    assert RING.jwks(NOW) == V1["jwks"]
    assert json.loads(RING.dump()) == V1["key_file"]


def test_the_chain_token_opens() -> None:
    """With the very walk inside, hop by hop."""
    walk = open_walk(V1["chain_token"]["text"], RING, NOW)
    assert pack(walk).hex() == V1["chain_token"]["packed"]
    assert (walk.chain, walk.cursor, len(walk.hops), walk.silent) == ("main", 2, 5, True)


def test_each_purpose_has_its_text() -> None:
    """A purpose that version 1 had is in its file."""
    assert V1["sealed"].keys() | {"chain-token"} <= {purpose.value for purpose in Purpose}
    assert len(V1["sealed"]) == 9


@pytest.mark.parametrize("label", V1["sealed"])
def test_each_sealed_text_opens(label: str) -> None:
    """By the gateway's keys, or by an app's session secret."""
    purpose = Purpose(label)
    opener = RING if purpose in USE else Sealer.from_secrets([V1["session_secret"].encode()])
    assert opener.open(purpose, V1["sealed"][label], 4096, NOW) == f"content for {label}".encode()


@pytest.mark.parametrize("entry", V1["tickets"], ids=by_name)
def test_each_ticket_opens(entry: dict[str, object]) -> None:
    """And is signed again to the very same text, as signatures are deterministic."""
    keys = GatewayKeys.from_jwks(V1["jwks"])
    ticket = Ticket(**entry["ticket"] | {"act": Act(entry["ticket"]["act"])})
    assert verify_ticket(entry["text"], keys, gateway=V1["gateway"], origin=V1["origin"], now=NOW) == ticket
    assert sign_ticket(ticket, RING, NOW) == entry["text"]


@pytest.mark.parametrize("entry", V1["receipts"], ids=by_name)
def test_each_receipt_opens(entry: dict[str, object]) -> None:
    """By secret and by key."""
    key, claims = APP_KEYS[entry["key"]], entry["receipt"]
    hop = {name: claims[name] for name in ("jti", "walk", "hop", "epoch")}
    read = verify_receipt(entry["text"], key, app_id=V1["app"], gateway=V1["gateway"], **hop, now=NOW)
    assert read == Receipt(**claims | {"outcome": ReceiptOutcome(claims["outcome"])})
    assert sign_receipt(read, key) == entry["text"]


@pytest.mark.parametrize("entry", V1["logout_requests"], ids=by_name)
def test_each_logout_request_opens(entry: dict[str, object]) -> None:
    """By secret and by key."""
    key = APP_KEYS[entry["key"]]
    read = verify_logout_request(entry["text"], key, app_id=V1["app"], gateway=V1["gateway"], now=NOW)
    assert asdict(read) == entry["request"]
    assert sign_logout_request(LogoutRequest(**entry["request"]), key) == entry["text"]
