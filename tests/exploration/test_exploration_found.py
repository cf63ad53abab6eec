"""Single schedules: what the exploration found, and small worlds that show what each rule of the protocol is for."""

from __future__ import annotations

from exploration_claims import Claims
from exploration_rest import alone, later
from exploration_search import played
from exploration_settings import Settings
from exploration_table import APP_OUT, LOGIN, ONE_APP, OUT, SHOP, SILENT, TWO_STEP, Row
from exploration_values import ANSWERS, TABS
from exploration_world import a_world

from chain_gateway.core.limits import HOP_SECONDS

BACK_FROM_PROVIDER = ("0 begins", "0 is served", "0 arrives", "0 is served from its session", "0 arrives")
BY_HAND = ("0 begins", "0 is served", "0 arrives", "0 is served by hand", "0 arrives")


class BrokenInvariantError(Exception):
    """What a schedule breaks, in words."""


def broken(*rows):
    """What is broken in any order of these small worlds."""
    return [words for row in rows for words in row.run()[1]]


def play(row, *schedule):
    """What each tab shows at the end of one schedule; BrokenInvariantError if it breaks anything by then."""
    with a_world(row.settings) as world:
        claims = Claims(world)
        states = list(played(world, row.first(world), row.wanted, schedule))
        found = [words for state in states for words in claims.broken(state)]
        if next(world.following(states[-1], row.wanted), None) is None:
            found += claims.broken_at_end(states[-1])
        if found:
            raise BrokenInvariantError(*found)
        return [ANSWERS.values[TABS.values[tab].answer].page for tab in states[-1].tabs]


def test_a_sign_in_that_comes_back_from_the_provider_after_a_logout_is_stopped():
    """T62: the provider's own session lets nobody in again behind the back of somebody who has just signed out."""
    pages = play(
        Row("signed in", (LOGIN, OUT)), *BACK_FROM_PROVIDER, "1 begins", "1 is served", "0 is served", "0 arrives"
    )
    assert pages[0] == "signed_out_meanwhile"


def test_a_sign_in_by_hand_after_a_logout_counts():
    """The other order: whoever signs in by hand at the provider, after the logout began, wants to be signed in."""
    play(
        Row("signed in", (LOGIN, OUT), 0, "", ONE_APP),
        *("0 begins", "0 is served", "0 arrives", "1 begins", "1 is served", "0 is served by hand", "0 arrives"),
        *("0 is served", "0 arrives") * 3,
    )


def test_a_sign_in_that_comes_back_after_a_sign_out_of_one_app_leaves_that_app_out():
    """I1 at one app: the person signed out of shop after this sign-in had left, so it does not sign them in there."""
    play(
        Row("known", (LOGIN, APP_OUT)),
        *BY_HAND,
        *("1 begins", "1 is served", "0 is served", "0 arrives", "1 arrives"),
    )


def test_a_first_visit_by_two_tabs_at_once_is_one_browser():
    """I2: both tabs leave without a cookie, and the page that asks comes last; it takes nothing from the sign-in."""
    play(
        Row("unknown", (LOGIN, OUT), 0, "", Settings(apps=SHOP, confirm="unsigned")),
        *("0 begins", "0 is served", "1 begins", "0 arrives", "0 is served by hand", "0 arrives"),
        *("0 is served", "0 arrives", "0 is served"),
        *("1 is served", "1 arrives") * 3,
        *("1 is served ends its session", "1 arrives", "1 is served", "1 arrives", "0 arrives", "0 is served"),
        *("0 arrives", "1 is served", "1 arrives", "1 is served", "1 arrives"),
    )


def test_a_sign_out_everywhere_does_not_only_go_on_with_one_that_is_stuck_at_its_one_app():
    """I2: shop never answered a sign-out of shop alone; a sign-out of everything afterwards ends news too."""
    with a_world() as world:
        row = Row("signed in", (APP_OUT,))
        *_, stuck = played(world, row.first(world), row.wanted, ("0 begins", "0 is served", "0 arrives"))
        out = alone(world, later(stuck, HOP_SECONDS + 1), OUT.request())
        assert Claims(world).live(out) == {}


def test_the_newest_of_two_sign_ins_lives():
    """I1: a posted ticket's answer leaves the older session's cookie beside the new one."""
    assert broken(Row("signed in", (LOGIN,), 0, "", ONE_APP), Row("known", (LOGIN, LOGIN), 0, "", ONE_APP)) == []


def test_a_session_that_arrives_after_the_logout_is_dead():
    """I1, I2: in every order of a login and a logout; the tombstone is enough, whatever the app has forgotten."""
    assert broken(Row("known", (LOGIN, OUT), 0, "", Settings(apps=SHOP, forgetful=True))) == []


def test_what_is_behind_a_tombstone_or_a_newer_session_is_refused():
    """I4: an app that sees its cookies calls no login applied that they overrule."""
    assert broken(Row("known", (LOGIN, OUT), 0, "", Settings(apps=SHOP, login=TWO_STEP))) == []


def test_whatever_happens_once_to_a_sign_in_leaves_the_truth():
    """I3, I4: each message lost, repeated or reloaded, the app failing in each way; nothing moves twice, no lie."""
    assert broken(Row("known", (LOGIN,), 1, "", ONE_APP)) == []


def test_whatever_happens_once_to_a_sign_out_leaves_nobody_signed_in():
    """I2: what the browser does not bring about is owed, and the back channel does it."""
    assert broken(Row("signed in", (OUT,), 1, "", ONE_APP)) == []


def test_whatever_happens_once_to_a_sign_out_of_one_app_leaves_nobody_signed_in_there():
    """I2 for scope=app; and no silent sign-in beats a sign-out."""
    assert broken(Row("signed in", (APP_OUT,), 1), Row("signed in", (SILENT, OUT), 0, "", ONE_APP)) == []
