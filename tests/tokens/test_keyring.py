"""The gateway's keys through their life: new, active, overlapping, taken back; every time is passed in (T55, F19)."""

from __future__ import annotations

import pytest
from token_builders import GATEWAY, LOGIN, NONCE, NOW, ORIGIN, a_keyring, a_walk, drawn, header_of, public_keys, refusal

from chain_gateway.core import limits
from chain_gateway.errors import ConfigError
from chain_gateway.tokens.chain_token import open_walk, seal_walk
from chain_gateway.tokens.keyring import JWKS_SECONDS, LEAD, OVERLAP, Keyring, KeyRow, State
from chain_gateway.tokens.purposes import LIFE, USE, Purpose, Use
from chain_gateway.tokens.refusals import Check
from chain_gateway.tokens.sealer import MARGIN_SECONDS
from chain_gateway.tokens.ticket import sign_ticket, verify_ticket

EVERY_USE = pytest.mark.parametrize("use", Use)
SEALING = pytest.mark.parametrize("purpose", sorted(USE))
MOST = 4096


def states(ring: Keyring, use: Use, now: int) -> list[State]:
    """The states of the keys of one use, oldest first."""
    return [row.state for row in ring.rows(now) if row.use is use]


def key(ring: Keyring, use: Use, state: State, now: int) -> KeyRow:
    """The one key of that use and state."""
    (row,) = [row for row in ring.rows(now) if row.use is use and row.state is state]
    return row


def test_a_new_ring_is_ready() -> None:
    """One key of each use, active at once, with no end."""
    ring = a_keyring()
    rows = ring.rows(NOW)
    assert [(row.use, row.alg, row.state, row.created, row.accept_until) for row in rows] == [
        (Use.SEAL, "A256GCM", State.ACTIVE, NOW, None),
        (Use.COOKIE, "A256GCM", State.ACTIVE, NOW, None),
        (Use.SIGN, "ES256", State.ACTIVE, NOW, None),
    ]
    assert len({row.kid for row in rows}) == 3


def test_a_ring_is_as_good_after_it_was_written_and_read() -> None:
    """Texts of the one open under the other, with every date kept."""
    ring = a_keyring().rotated(Use.SEAL, NOW + 5, drawn("more")).rotated(Use.SIGN, NOW + 6, drawn("most"))
    ring = ring.retired(key(ring, Use.SEAL, State.NEXT, NOW + 7).kid, NOW + 7)
    read = Keyring.load(ring.dump())
    assert read.dump() == ring.dump()
    assert read.rows(NOW + 8) == ring.rows(NOW + 8)
    assert open_walk(seal_walk(a_walk(), ring, NONCE, NOW + 8), read, NOW + 8) == a_walk()
    assert public_keys(read).find(header_of(ring.sign("JWT", {}, NOW + 8))["kid"]) is not None


@SEALING
def test_a_text_opens_for_its_purpose_alone(purpose: Purpose) -> None:
    """Of all purposes of the gateway, under one ring (T14, T18)."""
    ring = a_keyring()
    text = ring.seal(purpose, b"content", NONCE, NOW)
    assert ring.open(purpose, text, MOST, NOW) == b"content"
    for other in set(USE) - {purpose}:
        check = Check.SEAL if USE[other] is USE[purpose] else Check.KEY
        refusal(check, lambda other=other: ring.open(other, text, MOST, NOW))


def test_the_active_keys_are_one_of_each_use() -> None:
    """The newest whose time has come; before that of the first there is none."""
    ring = a_keyring().rotated(Use.SEAL, NOW, drawn("more"))
    assert {use: row.kid for use, row in ring.active(NOW).items()} == {
        use: key(ring, use, State.ACTIVE, NOW).kid for use in Use
    }
    later = NOW + LEAD[Use.SEAL]
    assert ring.active(later)[Use.SEAL].kid == key(ring, Use.SEAL, State.ACTIVE, later).kid
    assert ring.active(later)[Use.SEAL].kid != ring.active(NOW)[Use.SEAL].kid
    assert ring.active(NOW - 1) == {}


@EVERY_USE
def test_a_key_passes_through_its_states(use: Use) -> None:
    """Next until its lead is over, then active; the old one overlaps until its last text is over."""
    ring = a_keyring().rotated(use, NOW, drawn("next"))
    active = NOW + LEAD[use]
    over = active + OVERLAP[use]
    assert states(ring, use, NOW) == [State.ACTIVE, State.NEXT]
    assert states(ring, use, active - 1) == [State.ACTIVE, State.NEXT]
    assert states(ring, use, active) == [State.OVERLAP, State.ACTIVE]
    assert states(ring, use, over - 1) == [State.OVERLAP, State.ACTIVE]
    assert states(ring, use, over) == [State.RETIRED, State.ACTIVE]
    assert key(ring, use, State.ACTIVE, NOW).accept_until == over
    assert key(ring, use, State.NEXT, NOW).accept_until is None


@EVERY_USE
def test_rotation_of_one_use_leaves_the_others(use: Use) -> None:
    """Neither their keys nor their states change."""
    ring = a_keyring()
    rotated = ring.rotated(use, NOW, drawn("next"))
    assert [row for row in rotated.rows(NOW) if row.use is not use] == [
        row for row in ring.rows(NOW) if row.use is not use
    ]


@SEALING
def test_a_rotation_drops_no_text_before_its_time(purpose: Purpose) -> None:
    """Whenever it was sealed, before, while and after the new key becomes active, a text lives out its life (F19)."""
    ring = a_keyring().rotated(USE[purpose], NOW, drawn("next"))
    active = NOW + LEAD[USE[purpose]]
    for sealed_at in (NOW - 1, NOW, active - 1, active, active + 1):
        text = ring.seal(purpose, b"content", NONCE, sealed_at)
        for shown_at in (sealed_at, sealed_at + LIFE[purpose] // 2, sealed_at + LIFE[purpose]):
            assert ring.open(purpose, text, MOST, shown_at) == b"content"


@SEALING
def test_an_old_key_does_not_live_for_ever(purpose: Purpose) -> None:
    """A life and a margin after it was superseded, it opens nothing of that purpose (T55)."""
    ring = a_keyring().rotated(USE[purpose], NOW, drawn("next"))
    text = ring.seal(purpose, b"content", NONCE, NOW)
    over = NOW + LEAD[USE[purpose]] + LIFE[purpose] + MARGIN_SECONDS
    assert ring.open(purpose, text, MOST, over - 1) == b"content"
    refusal(Check.KEY, lambda: ring.open(purpose, text, MOST, over))


@SEALING
def test_a_process_that_reloads_late_is_understood_and_understands(purpose: Purpose) -> None:
    """Until the new key is active both processes seal with the old one; a margin later the old one is still taken."""
    before = a_keyring(now=NOW - 1000)
    after = before.rotated(USE[purpose], NOW, drawn("next"))
    active = NOW + LEAD[USE[purpose]]
    for sealed_at in (NOW, active - 1):
        for sealer, opener in ((before, after), (after, before)):
            text = sealer.seal(purpose, b"content", NONCE, sealed_at)
            assert opener.open(purpose, text, MOST, sealed_at) == b"content"
    late = before.seal(purpose, b"content", NONCE, active + MARGIN_SECONDS - 1)
    assert after.open(purpose, late, MOST, active + MARGIN_SECONDS - 1 + LIFE[purpose]) == b"content"


def test_each_ticket_verifies_with_the_key_set_of_its_time_and_of_an_hour_ago() -> None:
    """Whenever an app fetched the keys within the time that it may keep them, also across a rotation (T44, T55)."""
    ring = a_keyring().rotated(Use.SIGN, NOW, drawn("next"))
    active = NOW + LEAD[Use.SIGN]
    for signed_at in (NOW, active - 1, active, active + 1, active + JWKS_SECONDS):
        text = sign_ticket(LOGIN, ring, signed_at)
        for fetched_at in (max(signed_at - JWKS_SECONDS, NOW), signed_at, signed_at + limits.TICKET_SECONDS):
            keys = public_keys(ring, fetched_at)
            assert verify_ticket(text, keys, gateway=GATEWAY, origin=ORIGIN, now=NOW) == LOGIN


def test_the_key_set_shows_next_active_and_overlapping_keys() -> None:
    """The next one before it signs, the old one while it is accepted; no private number, ever."""
    ring = a_keyring().rotated(Use.SIGN, NOW, drawn("next"))
    active = NOW + LEAD[Use.SIGN]
    for now, count in ((NOW, 2), (active, 2), (active + OVERLAP[Use.SIGN] - 1, 2), (active + OVERLAP[Use.SIGN], 1)):
        keys = ring.jwks(now)["keys"]
        assert len(keys) == count
        for jwk in keys:
            assert jwk.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
            assert (jwk["kty"], jwk["crv"], jwk["use"], jwk["alg"]) == ("EC", "P-256", "sig", "ES256")


def test_a_second_rotation_waits_for_the_first() -> None:
    """Two keys cannot both be next; once the first is active, the next may come."""
    ring = a_keyring().rotated(Use.SEAL, NOW, drawn("a"))
    with pytest.raises(ConfigError, match="waiting already"):
        ring.rotated(Use.SEAL, NOW + 1, drawn("b"))
    later = NOW + LEAD[Use.SEAL]
    assert states(ring.rotated(Use.SEAL, later, drawn("b")), Use.SEAL, later) == [
        State.OVERLAP,
        State.ACTIVE,
        State.NEXT,
    ]


def test_each_of_many_keys_is_superseded_by_the_one_after_it() -> None:
    """Not by the newest."""
    ring, now = a_keyring(), NOW
    for step in range(3):
        ring = ring.rotated(Use.SEAL, now, drawn(str(step)))
        now += LEAD[Use.SEAL]
    ends = [row.accept_until for row in ring.rows(now) if row.use is Use.SEAL]
    assert ends == [NOW + LEAD[Use.SEAL] * n + OVERLAP[Use.SEAL] for n in (1, 2, 3)] + [None]


def test_rotation_leaves_out_what_is_accepted_no_more() -> None:
    """A key file does not grow, and old secrets do not lie about (T55)."""
    ring = a_keyring().rotated(Use.SIGN, NOW, drawn("a"))
    old = key(ring, Use.SIGN, State.ACTIVE, NOW).kid
    over = NOW + LEAD[Use.SIGN] + OVERLAP[Use.SIGN]
    assert old in ring.rotated(Use.SIGN, over - 1, drawn("b")).dump()
    assert old not in ring.rotated(Use.SIGN, over, drawn("b")).dump()


@EVERY_USE
def test_a_key_that_is_taken_back_is_accepted_no_more(use: Use) -> None:
    """At once, and the one that waited is active at once: nobody waits for a lead when a key has leaked (T55)."""
    ring = a_keyring().rotated(use, NOW, drawn("next"))
    leaked = key(ring, use, State.ACTIVE, NOW).kid
    after = ring.retired(leaked, NOW)
    assert states(after, use, NOW) == [State.RETIRED, State.ACTIVE]
    assert leaked not in {jwk["kid"] for jwk in after.jwks(NOW)["keys"]}
    assert header_of(after.sign("JWT", {}, NOW))["kid"] != leaked
    for purpose in (purpose for purpose in USE if USE[purpose] is use):
        text = ring.seal(purpose, b"content", NONCE, NOW)
        assert text.startswith(f"{leaked}.")
        refusal(Check.KEY, lambda purpose=purpose, text=text: after.open(purpose, text, MOST, NOW))
        assert not after.seal(purpose, b"content", NONCE, NOW).startswith(f"{leaked}.")


@EVERY_USE
def test_a_key_that_overlaps_can_be_taken_back(use: Use) -> None:
    """The active one goes on."""
    active = NOW + LEAD[use]
    ring = a_keyring().rotated(use, NOW, drawn("next"))
    after = ring.retired(key(ring, use, State.OVERLAP, active).kid, active)
    assert states(after, use, active) == [State.RETIRED, State.ACTIVE]


@EVERY_USE
def test_a_key_that_waits_can_be_taken_back(use: Use) -> None:
    """It never becomes active, whatever its date said, and the one that it should have replaced goes on for good."""
    ring = a_keyring().rotated(use, NOW, drawn("next"))
    waits = key(ring, use, State.NEXT, NOW).kid
    after, later = ring.retired(waits, NOW + 1), NOW + LEAD[use] + OVERLAP[use]
    assert states(after, use, later) == [State.ACTIVE, State.RETIRED]
    assert key(after, use, State.ACTIVE, later).accept_until is None
    assert header_of(after.sign("JWT", {}, later))["kid"] != waits
    assert len(after.jwks(later)["keys"]) == 1
    for purpose in (purpose for purpose in USE if USE[purpose] is use):
        assert not after.seal(purpose, b"", NONCE, later).startswith(f"{waits}.")


@EVERY_USE
def test_the_only_key_cannot_be_taken_back(use: Use) -> None:
    """A gateway without a key is out of order: first a new one, then the old one goes."""
    ring = a_keyring()
    with pytest.raises(ConfigError, match="the only") as caught:
        ring.retired(key(ring, use, State.ACTIVE, NOW).kid, NOW)
    assert f"keys rotate {use}" in caught.value.problems[0].hint


def test_a_key_that_is_not_there_cannot_be_taken_back() -> None:
    """Neither an unknown one, nor one that was taken back before."""
    ring = a_keyring().rotated(Use.SEAL, NOW, drawn("next"))
    gone = key(ring, Use.SEAL, State.ACTIVE, NOW).kid
    ring = ring.retired(gone, NOW)
    for kid in ("unknown", "", gone):
        with pytest.raises(ConfigError, match="no key"):
            ring.retired(kid, NOW + 1)


def test_a_process_whose_clock_is_behind_works() -> None:
    """A ring that was made a minute in its future: it seals, signs and opens all the same (F21)."""
    ring = a_keyring(now=NOW + 60)
    assert open_walk(seal_walk(a_walk(), ring, NONCE, NOW), ring, NOW) == a_walk()
    assert verify_ticket(sign_ticket(LOGIN, ring, NOW), public_keys(ring), gateway=GATEWAY, origin=ORIGIN, now=NOW)


def test_two_rings_share_nothing() -> None:
    """Each is drawn anew."""
    one, two = a_keyring("one"), a_keyring("two")
    refusal(Check.KEY, lambda: open_walk(seal_walk(a_walk(), one, NONCE, NOW), two, NOW))


@pytest.mark.parametrize("byte", [0, 0xFF])
def test_every_draw_makes_a_signing_key(byte: int) -> None:
    """Also one beyond the order of the curve, and zero."""
    ring = Keyring.generate(NOW, lambda count: bytes([byte]) * count)
    assert header_of(ring.sign("JWT", {}, NOW))["alg"] == "ES256"


def test_an_overlap_covers_the_longest_life_of_its_use() -> None:
    """What ``keys list`` shows as the end is when the last text of any purpose is over."""
    assert OVERLAP[Use.SEAL] == LIFE[Purpose.OP_SESSION] + MARGIN_SECONDS
    assert OVERLAP[Use.COOKIE] == LIFE[Purpose.BROWSER] + MARGIN_SECONDS
    assert OVERLAP[Use.SIGN] >= limits.TICKET_SECONDS + limits.SKEW_SECONDS + JWKS_SECONDS


def test_no_secret_is_printed() -> None:
    """A ring in a log or a traceback shows nothing (T45)."""
    ring = a_keyring()
    secrets = [line.split('"')[3] for line in ring.dump().splitlines() if '"secret"' in line]
    assert len(secrets) == 3
    for shown in (repr(ring), str(ring.rows(NOW)), repr(vars(ring)), str(ring.jwks(NOW))):
        assert not any(secret in shown for secret in secrets)
