"""The tombstone rule, as a table."""

import pytest
from support.sdk_builders import NOW, a_session, a_tombstone

from chain_gateway.sdk.session import EVERYBODY, Shown, live, named, outlived

s, t = a_session, a_tombstone

LIVE = [
    ("no cookie", Shown(), None),
    ("one session", Shown((s(5),)), 5),
    ("the higher of two, in whichever order they stand", Shown((s(7), s(5))), 7),
    ("a tombstone below it", Shown((s(5),), (t(4),)), 5),
    ("a tombstone of its own epoch", Shown((s(5),), (t(5),)), None),
    ("a tombstone above it", Shown((s(5),), (t(6),)), None),
    ("a tombstone that counts against everybody", Shown((s(5),), (t(6, EVERYBODY),)), None),
    ("a tombstone of another browser", Shown((s(5),), (t(6, "them"),)), 5),
    ("the top is buried: no falling back to the one below", Shown((s(5, "them"), s(7)), (t(8),)), None),
    ("the top has run out: no falling back either", Shown((s(5), s(7, exp=NOW))), None),
    ("a doubled name", Shown((s(5),), doubled=True), None),
]


@pytest.mark.parametrize(("why", "shown", "epoch"), LIVE, ids=[row[0] for row in LIVE])
def test_the_live_session_is_the_highest_unless_a_tombstone_buried_it(why, shown, epoch):
    """Each row: what a request shows, and the epoch of the session that lives."""
    session = live(shown, NOW)
    assert (session.epoch if session else None) == epoch


OUTLIVED = [
    ("the only session stays", Shown((s(5),)), ()),
    ("lower ones go", Shown((s(5), s(7), s(6, "them"))), ("__Host-chain-s-5", "__Host-chain-s-6")),
    ("a buried one goes, its tombstone stays", Shown((s(5),), (t(6),)), ("__Host-chain-s-5",)),
    ("a tombstone of another browser buries nothing", Shown((s(5),), (t(6, "them"),)), ()),
    ("nothing is touched where a name is doubled", Shown((s(5), s(7)), doubled=True), ()),
]


@pytest.mark.parametrize(("why", "shown", "names"), OUTLIVED, ids=[row[0] for row in OUTLIVED])
def test_only_sessions_that_can_never_live_again_are_tidied_up(why, shown, names):
    """Each row: what a request shows, and the names that its answer may delete."""
    assert outlived(shown) == names


@pytest.mark.parametrize(
    "name",
    [
        "__Host-chain-s-",
        "__Host-chain-s-01",
        "__Host-chain-s-+1",
        "__Host-chain-s-1 ",
        "__Host-chain-s-\u0661",
        "__Host-chain-s-12345678901234567",
        "__Host-chain-x-1",
        "__host-chain-s-1",
        "chain-s-1",
        "__Host-chain-bind",
    ],
)
def test_a_name_in_any_other_spelling_is_none_of_ours(name):
    """An epoch has one spelling, so that one session can not stand under two names."""
    assert named(name) is None


def test_names_carry_the_epoch():
    """A cookie's name is read back as what wrote it."""
    assert named(s(1_763_967_600_000).cookie) == ("s", 1_763_967_600_000)
    assert named(t(0).cookie) == ("t", 0)
