"""Sealed texts: what opens, and at which check everything else falls (T17, T18, T55)."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from token_builders import NONCE, NOW, refusal

from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.purposes import LIFE, Purpose
from chain_gateway.tokens.refusals import Check
from chain_gateway.tokens.sealer import MARGIN_SECONDS, Sealer, SealKey

KEY = SealKey("kid-1", hashlib.sha256(b"one").digest())
OTHER = SealKey("kid-2", hashlib.sha256(b"two").digest())
SEALER = Sealer([KEY])
PURPOSE = Purpose.CONFIRM
TEXT = SEALER.seal(PURPOSE, b"content", NONCE, NOW)
MOST = 1000
SECRET = b"an app's own secret, of 35 bytes...."


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(min_size=12, max_size=12), st.sampled_from(Purpose))
def test_what_was_sealed_opens(plaintext: bytes, nonce: bytes, purpose: Purpose) -> None:
    """Any content, nonce and purpose come back, and the text is of characters that any URL and cookie takes."""
    text = SEALER.seal(purpose, plaintext, nonce, NOW)
    assert SEALER.open(purpose, text, MOST, NOW) == plaintext
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


def test_the_form_is_the_one_that_is_written_down() -> None:
    """The kid, a dot, base64url of nonce, ciphertext and tag; version, purpose and kid are authenticated with it."""
    bound = b"chain-gateway sealed 1\0confirm\0kid-1"
    assert f"kid-1.{b64e(NONCE + AESGCM(KEY.secret).encrypt(NONCE, b'content', bound))}" == TEXT


def test_content_is_hidden() -> None:
    """Neither the text nor its bytes show what is inside."""
    assert b"content" not in b64d(TEXT.partition(".")[2])


def test_each_flipped_bit_is_refused() -> None:
    """Whichever bit of nonce, ciphertext and tag is changed, the seal is broken (T18)."""
    kid, _, body = TEXT.partition(".")
    sealed = b64d(body)
    for index in range(len(sealed)):
        for bit in range(8):
            changed = sealed[:index] + bytes([sealed[index] ^ 1 << bit]) + sealed[index + 1 :]
            text = f"{kid}.{b64e(changed)}"
            refusal(Check.SEAL, lambda text=text: SEALER.open(PURPOSE, text, MOST, NOW))


def test_each_cut_is_refused() -> None:
    """No beginning and no end of a text opens, and nothing that has the text inside (T18)."""
    for cut in range(len(TEXT)):
        with pytest.raises(Exception, match="confirm") as caught:
            SEALER.open(PURPOSE, TEXT[:cut], MOST, NOW)
        assert caught.value.code.startswith("token_refused.")
    for longer in (TEXT + "A", TEXT + "AAAA", TEXT + ".", TEXT + "." + TEXT):
        with pytest.raises(Exception, match="confirm") as caught:
            SEALER.open(PURPOSE, longer, MOST, NOW)
        assert caught.value.code in {"token_refused.shape", "token_refused.seal"}


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not PURPOSE])
def test_a_text_of_another_purpose_is_refused(purpose: Purpose) -> None:
    """Under the very same key, a purpose's text opens at no other purpose's door (T14, T18)."""
    refusal(Check.SEAL, lambda: SEALER.open(purpose, TEXT, MOST, NOW))


def test_a_text_is_bound_to_its_kid() -> None:
    """The same key under two kids: a text that is relabelled from one to the other does not open."""
    twins = Sealer([KEY, SealKey("twin", KEY.secret)])
    assert twins.open(PURPOSE, TEXT, MOST, NOW) == b"content"
    refusal(Check.SEAL, lambda: twins.open(PURPOSE, "twin." + TEXT.partition(".")[2], MOST, NOW))


def test_size_is_checked_before_anything_is_read() -> None:
    """A text that would open is refused if it is too long, and a long one that is nothing at all likewise."""
    assert SEALER.open(PURPOSE, TEXT, len(TEXT), NOW) == b"content"
    refusal(Check.SIZE, lambda: SEALER.open(PURPOSE, TEXT, len(TEXT) - 1, NOW))
    refusal(Check.SIZE, lambda: SEALER.open(PURPOSE, "\0" * (MOST + 1), MOST, NOW))


@pytest.mark.parametrize(
    "text",
    ["", ".", "kid-1", "kid-1.", ".AAAA", f"kid-1.{b64e(bytes(27))}", TEXT.replace(".", ":"), TEXT.replace(".", "..")],
)
def test_a_text_without_its_parts_is_refused(text: str) -> None:
    """Shape comes before the key is looked for."""
    refusal(Check.SHAPE, lambda: SEALER.open(PURPOSE, text, MOST, NOW))


@pytest.mark.parametrize("respelt", [TEXT + "=", TEXT + "\n", " " + TEXT + " ", TEXT + "%3D", TEXT + "ü"])
def test_a_respelt_text_is_refused(respelt: str) -> None:
    """One text has one spelling (T17)."""
    refusal(Check.SHAPE, lambda: SEALER.open(PURPOSE, respelt, MOST, NOW))


@pytest.mark.parametrize("kid", ["", "kid-2", "KID-1", "kid-1 ", "/etc/kid-1", "kid-1'--", "ki\u0501-1", "kid-1\0"])
def test_a_kid_is_looked_up_and_nothing_else(kid: str) -> None:
    """A kid that is not exactly that of a key is no key (T16)."""
    refusal(Check.KEY, lambda: SEALER.open(PURPOSE, kid + "." + TEXT.partition(".")[2], MOST, NOW))


def test_another_key_of_the_same_kid_does_not_open() -> None:
    """The kid names a key, it does not prove it."""
    refusal(Check.SEAL, lambda: Sealer([SealKey("kid-1", OTHER.secret)]).open(PURPOSE, TEXT, MOST, NOW))


def test_the_newest_key_whose_time_has_come_seals() -> None:
    """A key seals from its date on, to the second; before every date the oldest does, as clocks differ."""
    early, late = SealKey("early", KEY.secret, NOW), SealKey("late", OTHER.secret, NOW + 100)
    sealer = Sealer([late, early])
    sealed_by = {now: sealer.seal(PURPOSE, b"", NONCE, now).partition(".")[0] for now in (NOW - 9, NOW + 99, NOW + 100)}
    assert sealed_by == {NOW - 9: "early", NOW + 99: "early", NOW + 100: "late"}


def test_a_text_opens_under_a_key_that_is_not_active_yet() -> None:
    """Another process's clock may be ahead: what it sealed with the new key opens here already."""
    ahead = Sealer([KEY, SealKey("kid-2", OTHER.secret, NOW + 100)])
    text = ahead.seal(PURPOSE, b"content", NONCE, NOW + 100)
    assert ahead.open(PURPOSE, text, MOST, NOW) == b"content"


@pytest.mark.parametrize("purpose", sorted(LIFE))
def test_an_old_key_opens_as_long_as_its_texts_may_be_about(purpose: Purpose) -> None:
    """What was sealed in the last second before a key was superseded lives out its life, not a second more (T55)."""
    sealer = Sealer([SealKey("old", KEY.secret, 0, superseded_at=NOW), SealKey("new", OTHER.secret, NOW)])
    text = sealer.seal(purpose, b"content", NONCE, NOW - 1)
    last = NOW + LIFE[purpose] + MARGIN_SECONDS - 1
    assert text.startswith("old.")
    assert sealer.open(purpose, text, MOST, last) == b"content"
    refusal(Check.KEY, lambda: sealer.open(purpose, text, MOST, last + 1))


def test_a_key_that_was_taken_back_opens_nothing() -> None:
    """From that second on, whatever the life of its texts (T55)."""
    sealer = Sealer(
        [SealKey("old", KEY.secret, 0, superseded_at=NOW, retired_at=NOW + 5), SealKey("new", OTHER.secret)]
    )
    text = Sealer([SealKey("old", KEY.secret)]).seal(PURPOSE, b"content", NONCE, NOW)
    assert sealer.open(PURPOSE, text, MOST, NOW + 4) == b"content"
    refusal(Check.KEY, lambda: sealer.open(PURPOSE, text, MOST, NOW + 5))


def test_a_key_that_was_taken_back_seals_nothing() -> None:
    """Not even when its date comes later: it was retired while it waited."""
    sealer = Sealer([SealKey("new", KEY.secret, NOW + 100, retired_at=NOW), SealKey("old", OTHER.secret)])
    assert sealer.seal(PURPOSE, b"", NONCE, NOW + 200).startswith("old.")


def test_an_app_seals_with_its_first_secret_and_opens_with_each() -> None:
    """An app rotates by putting a new secret in front, and drops the old one when its sessions are over."""
    before, after = Sealer.from_secrets([SECRET]), Sealer.from_secrets([SECRET + b"new", SECRET])
    old, new = (sealer.seal(Purpose.APP_SESSION, b"content", NONCE, NOW) for sealer in (before, after))
    assert after.open(Purpose.APP_SESSION, old, MOST, NOW + 10**9) == b"content"
    assert after.open(Purpose.APP_SESSION, new, MOST, NOW + 10**9) == b"content"
    refusal(Check.KEY, lambda: before.open(Purpose.APP_SESSION, new, MOST, NOW))
    refusal(Check.KEY, lambda: Sealer.from_secrets([SECRET + b"new"]).open(Purpose.APP_SESSION, old, MOST, NOW))


def test_the_kid_of_a_secret_is_the_same_in_each_process() -> None:
    """It is derived from the secret and tells nothing of it."""
    kids = {Sealer.from_secrets([SECRET]).seal(PURPOSE, b"", NONCE, NOW).partition(".")[0] for _ in range(2)}
    assert len(kids) == 1
    assert Sealer.from_secrets([SECRET + b"!"]).seal(PURPOSE, b"", NONCE, NOW).partition(".")[0] not in kids


@pytest.mark.parametrize(
    "secrets",
    [[], [b"short"], [bytes(31)], [SECRET, b""], [SECRET, SECRET]],
    ids=["none", "short", "31", "empty", "twice"],
)
def test_secrets_that_protect_nothing_are_refused(secrets: list[bytes]) -> None:
    """A ValueError when the app starts, not a surprise later."""
    with pytest.raises(ValueError, match=r"secret|key"):
        Sealer.from_secrets(secrets)


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [KEY, SealKey("kid-1", OTHER.secret)],
        [SealKey("kid-1", bytes(16))],
        [SealKey("kid-1", bytes(33))],
        [SealKey("kid-1", KEY.secret, retired_at=NOW)],
    ],
    ids=["none", "one kid twice", "AES-128", "too long", "only one that was taken back"],
)
def test_keys_that_do_not_make_a_sealer_are_refused(keys: list[SealKey]) -> None:
    """A ValueError when the sealer is made."""
    with pytest.raises(ValueError, match="key"):
        Sealer(keys)


@pytest.mark.parametrize("size", [0, 11, 13, 16])
def test_a_nonce_of_another_size_is_refused(size: int) -> None:
    """AES-GCM takes other sizes and becomes weaker; the form has no place for them."""
    with pytest.raises(ValueError, match="12 bytes"):
        SEALER.seal(PURPOSE, b"", bytes(size), NOW)


def test_no_secret_is_printed() -> None:
    """Neither a key nor a sealer shows its bytes in a log or a traceback (T45)."""
    assert repr(KEY.secret)[2:-1] not in repr(KEY)
    assert "secret" not in repr(KEY)
