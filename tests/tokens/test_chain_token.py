"""Chain tokens: sealed, flat in size, and checked in the order of the protocol (T18, T55)."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_builders import EPOCH, NONCE, NOW, a_keyring, a_walk, refusal

from chain_gateway.core import limits
from chain_gateway.core.chain import Mode, app_tag
from chain_gateway.core.packing import pack
from chain_gateway.core.walk import Hop, Hops, Kind, OpLogout, Outcome, Place, Walk
from chain_gateway.tokens.chain_token import open_walk, seal_walk
from chain_gateway.tokens.encoding import b64d, b64e
from chain_gateway.tokens.purposes import Purpose
from chain_gateway.tokens.refusals import Check

RING = a_keyring()
WALK = a_walk()
TEXT = seal_walk(WALK, RING, NONCE, NOW)
RETURN_60 = "https://shop.example/".ljust(60, "a")


def test_a_walk_comes_back() -> None:
    """All of it, at any time: that it is over is another check."""
    assert open_walk(TEXT, RING, NOW) == WALK
    assert open_walk(TEXT, RING, WALK.expires_at + 1) == WALK


def test_a_hundred_apps_fit_into_1024_characters() -> None:
    """With a chain's usual name and a return URL of 60 characters: URLs stay short enough for every proxy."""
    assert len(RETURN_60) == 60
    assert len(seal_walk(a_walk(100, return_to=RETURN_60), RING, NONCE, NOW)) <= 1024


def test_the_size_stays_from_the_first_step_to_the_last() -> None:
    """Whatever comes of the hops, a token that fitted once fits to the end."""
    walk = a_walk(100, return_to=RETURN_60)
    sizes = {len(seal_walk(walk, RING, NONCE, NOW))}
    for cursor in range(100):
        hops = walk.hops.settled(cursor, Outcome(cursor % len(Outcome))).with_mode(cursor, Mode.TWO_STEP)
        walk = walk._replace(hops=hops, cursor=cursor + 1, attempt=3, redirects=19, place=Place.VISITING)
        walk = walk.issued(hashlib.sha256(bytes([cursor])).digest()[:16], NOW + cursor)
        sizes.add(len(seal_walk(walk, RING, NONCE, NOW)))
    sizes.add(len(seal_walk(walk._replace(place=Place.DONE, op=OpLogout.FAILED, silent=True), RING, NONCE, NOW)))
    assert len(sizes) == 1


def test_nothing_of_the_walk_is_readable() -> None:
    """Neither the return URL nor the chain's name, nor the browser's id (T45)."""
    sealed = b64d(TEXT.partition(".")[2])
    for content in (WALK.return_to.encode(), WALK.chain.encode(), WALK.browser, WALK.id, pack(WALK)[:20]):
        assert content not in sealed


def test_each_flipped_byte_is_refused() -> None:
    """Of the kid, the nonce, the content, the tag (T18)."""
    kid, _, body = TEXT.partition(".")
    sealed = b64d(body)
    for index in range(len(sealed)):
        changed = sealed[:index] + bytes([sealed[index] ^ 0x80]) + sealed[index + 1 :]
        text = f"{kid}.{b64e(changed)}"
        refusal(Check.SEAL, lambda text=text: open_walk(text, RING, NOW))
    for index in range(len(kid)):
        text = f"{kid[:index]}{'A' if kid[index] != 'A' else 'B'}{kid[index + 1 :]}.{body}"
        refusal(Check.KEY, lambda text=text: open_walk(text, RING, NOW))


def test_the_checks_are_made_in_their_order() -> None:
    """A text that fails at several falls at the first: size, shape, key, seal."""
    kid, _, body = TEXT.partition(".")
    broken = body[:-2] + ("AA" if body[-2:] != "AA" else "BA")
    over = limits.CHAIN_TOKEN_BYTES + 1
    refusal(Check.SIZE, lambda: open_walk("=" * over, RING, NOW))
    refusal(Check.SIZE, lambda: open_walk(f"unknown.{broken}".ljust(over, "A"), RING, NOW))
    refusal(Check.SHAPE, lambda: open_walk(f"unknown.{broken}=", RING, NOW))
    refusal(Check.KEY, lambda: open_walk(f"unknown.{broken}", RING, NOW))
    refusal(Check.SEAL, lambda: open_walk(f"{kid}.{broken}", RING, NOW))


@pytest.mark.parametrize("purpose", [Purpose.OP_STATE, Purpose.CONFIRM, Purpose.OP_SESSION])
def test_a_walk_that_was_sealed_for_another_purpose_is_refused(purpose: Purpose) -> None:
    """Under the same key, with the very same content (T18)."""
    refusal(Check.SEAL, lambda: open_walk(RING.seal(purpose, pack(WALK), NONCE, NOW), RING, NOW))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x02" + pack(WALK)[1:], id="another version"),
        pytest.param(pack(WALK)[:-1], id="cut"),
        pytest.param(pack(WALK) + b"\0", id="a byte more"),
        pytest.param(pack(WALK)[:17] + b"\x09" + pack(WALK)[18:], id="another kind"),
        pytest.param(pack(WALK._replace(chain="\0\0"))[:-17].replace(b"\0\0https", b"\xff\xffhttps"), id="no UTF-8"),
    ],
)
def test_a_sealed_text_that_is_no_walk_is_refused(content: bytes) -> None:
    """As a later version of the gateway might have sealed it: refused, never an exception of another kind."""
    text = RING.seal(Purpose.CHAIN_TOKEN, content, NONCE, NOW)
    refusal(Check.SHAPE, lambda: open_walk(text, RING, NOW))


def test_a_walk_that_the_relay_would_not_take_is_not_sealed() -> None:
    """A long chain with a long return URL shows when the walk starts, not when the browser comes back."""
    longest = a_walk(limits.CHAIN_APPS, return_to="https://shop.example/".ljust(300, "a"))
    assert open_walk(seal_walk(longest, RING, NONCE, NOW), RING, NOW) == longest
    over = a_walk(limits.CHAIN_APPS, return_to="https://shop.example/".ljust(limits.URL_CHARS, "a"))
    refusal(Check.SIZE, lambda: seal_walk(over, RING, NONCE, NOW))


_HOPS = st.builds(
    Hop, st.integers(0, 300).map(lambda i: app_tag(str(i))), st.sampled_from(Mode), st.booleans(), st.integers(0, 3)
)


@settings(deadline=None, max_examples=60)
@given(
    st.builds(
        Walk,
        id=st.binary(min_size=16, max_size=16),
        kind=st.sampled_from(Kind),
        browser=st.binary(min_size=16, max_size=16),
        epoch=st.integers(0, 2**64 - 1),
        chain=st.text(max_size=20),
        hops=st.lists(_HOPS, max_size=30).map(lambda hops: Hops.of(tuple(hops))),
        nonce=st.binary(min_size=16, max_size=16),
        issued_at=st.integers(0, 2**32 - 1),
        expires_at=st.integers(0, 2**32 - 1),
        place=st.sampled_from(Place),
        cursor=st.just(0),
        attempt=st.integers(0, 255),
        redirects=st.integers(0, 255),
        budget=st.integers(0, 255),
        form_run=st.booleans(),
        op=st.sampled_from(OpLogout),
        silent=st.booleans(),
        app=st.just(app_tag("shop")),
        return_to=st.text(max_size=100),
    ),
    st.binary(min_size=12, max_size=12),
)
def test_any_walk_comes_back(walk: Walk, nonce: bytes) -> None:
    """Whatever the values."""
    assert open_walk(seal_walk(walk, RING, nonce, NOW), RING, NOW) == walk


def test_two_seals_of_one_walk_are_two_texts_of_one_walk() -> None:
    """What is spent is the walk's own nonce, never the text."""
    other = seal_walk(WALK, RING, bytes(12), NOW)
    assert other != TEXT
    assert open_walk(other, RING, NOW) == open_walk(TEXT, RING, NOW)
    assert WALK.epoch == EPOCH
