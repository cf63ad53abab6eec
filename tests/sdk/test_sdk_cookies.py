"""The cookies as text: one spelling, sealed, and believed only under their own names."""

from dataclasses import replace

import pytest
from support.sdk_builders import NOW, a_session, a_tombstone

from chain_gateway.sdk.cookies import CookieJar, DoubledCookie, delete_cookie, of_header, set_bind
from chain_gateway.sdk.session import Shown
from chain_gateway.tokens.purposes import Purpose
from chain_gateway.tokens.sealer import Sealer

NONCE = b"n" * 12
JAR = CookieJar(Sealer.from_secrets([b"k" * 32]))
SESSION = a_session(7, auth_time=NOW, acr="mfa", claims={"email": "alice@example.com", "name": "Алиса"})
STONE = a_tombstone(8, "")


def pair(set_cookie):
    """Name and value of a ``Set-Cookie``."""
    name, _, value = set_cookie.partition(";")[0].partition("=")
    return name, value


def sealed(purpose, text):
    """``text`` sealed by the app's own key."""
    return JAR.sealer.seal(purpose, text, NONCE, NOW)


def test_what_is_set_is_shown_again():
    """A session and a tombstone come back from their cookies as they were."""
    cookies = dict([pair(JAR.set_session(SESSION, NONCE, NOW)), pair(JAR.set_tombstone(STONE, NONCE, NOW))])
    assert set(cookies) == {"__Host-chain-s-7", "__Host-chain-t-8"}
    assert JAR.shown(cookies, NOW) == Shown((SESSION,), (STONE,))


@pytest.mark.parametrize(
    "text",
    [
        JAR.set_session(SESSION, NONCE, NOW),
        JAR.set_tombstone(STONE, NONCE, NOW),
        set_bind("b" * 43),
        delete_cookie("__Host-chain-s-7"),
    ],
)
def test_every_cookie_has_the_attributes_that_its_name_promises(text):
    """T10: ``__Host-`` holds in a browser only with Secure, Path=/ and no Domain; a deletion carries the same."""
    assert [part for part in text.split("; ")[1:] if not part.startswith("Max-Age=")] == [
        "Path=/",
        "Secure",
        "HttpOnly",
        "SameSite=Lax",
    ]
    assert text.startswith("__Host-chain-")


def test_a_cookie_lasts_as_long_as_what_is_in_it():
    """Max-Age runs from now to ``exp``; a deletion has none left."""
    assert JAR.set_session(SESSION, NONCE, NOW).endswith(f"Max-Age={SESSION.exp - NOW}")
    assert JAR.set_tombstone(STONE, NONCE, NOW).endswith(f"Max-Age={STONE.exp - NOW}")
    assert delete_cookie("__Host-chain-t-8").endswith("Max-Age=0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("__Host-chain-s-8", pair(JAR.set_session(SESSION, NONCE, NOW))[1]),
        ("__Host-chain-s-8", pair(JAR.set_tombstone(STONE, NONCE, NOW))[1]),
        ("__Host-chain-t-7", pair(JAR.set_session(SESSION, NONCE, NOW))[1]),
        ("__Host-chain-t-9", pair(JAR.set_tombstone(STONE, NONCE, NOW))[1]),
        ("__Host-chain-s-7", pair(CookieJar(Sealer.from_secrets([b"o" * 32])).set_session(SESSION, NONCE, NOW))[1]),
        ("__Host-chain-s-7", pair(JAR.set_session(SESSION, NONCE, NOW))[1] + "A"),
        ("__Host-chain-s-7", ""),
        ("__Host-chain-s-7", "x" * 5000),
        ("__Host-chain-s-7", sealed(Purpose.APP_SESSION, b"not json")),
        ("__Host-chain-s-7", sealed(Purpose.APP_SESSION, b'{"epoch":7}')),
        ("__Host-chain-t-8", sealed(Purpose.APP_TOMBSTONE, b'{"epoch":8,"epoch":8,"jti":"j","iat":1,"exp":9}')),
        ("__Host-chain-bind", "too short"),
        ("__Host-chain-bind", "ü" * 43),
    ],
)
def test_what_does_not_open_under_its_name_is_not_there(name, value):
    """T10, T14: planted, moved, changed, cut or foreign cookies are no sessions and no tombstones."""
    assert JAR.shown({name: value}, NOW) == Shown()


def test_a_tombstone_goes_by_its_age_and_a_session_past_its_time_is_still_seen():
    """A dead session tells that a newer login was here; a tombstone outlives everything that it could hit."""
    cookies = dict([pair(JAR.set_session(SESSION, NONCE, NOW)), pair(JAR.set_tombstone(STONE, NONCE, NOW))])
    assert JAR.shown(cookies, STONE.exp) == Shown((SESSION,), ())


def test_a_changed_key_opens_what_the_old_one_sealed():
    """With several keys the first seals and all open."""
    rotated = CookieJar(Sealer.from_secrets([b"o" * 32, b"k" * 32]))
    assert rotated.shown(dict([pair(JAR.set_session(SESSION, NONCE, NOW))]), NOW).sessions == (SESSION,)
    assert JAR.shown(dict([pair(rotated.set_session(SESSION, NONCE, NOW))]), NOW).sessions == ()


def test_a_header_gives_our_cookies_alone():
    """Other cookies of the app are nobody's business here; spaces and empty pairs are borne."""
    assert of_header(" a=1;__Host-chain-t-8=x=y ; ;b;__Host-chain-bind=z") == {
        "__Host-chain-t-8": "x=y",
        "__Host-chain-bind": "z",
    }


@pytest.mark.parametrize("second", ["other", "same"])
def test_one_name_twice_makes_none_believed(second):
    """T11: a sibling's cookie of the same name cannot be told from ours, so that nothing is live."""
    name, value = pair(JAR.set_session(SESSION, NONCE, NOW))
    header = f"{name}={value}; {name}={value if second == 'same' else 'x'}"
    with pytest.raises(DoubledCookie):
        of_header(header)
    assert JAR.shown_by(header, NOW) == Shown(doubled=True)


def test_a_full_session_fits_into_a_cookie():
    """The biggest claims that a login takes, with the longest names around them, stay below what browsers keep."""
    big = replace(SESSION, bid="b" * 255, sub="s" * 255, sid="s" * 255, acr="a" * 255, claims={"c": "x" * 1528})
    assert len("=".join(pair(JAR.set_session(big, NONCE, NOW)))) <= 4096
