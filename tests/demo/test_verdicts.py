"""The headless check: what counts as a fault, and how it is told."""

import pytest

from chain_gateway.demo.report import AppReport, Report
from chain_gateway.demo.verdicts import Expected, Seen, faults_after, faults_before, faults_signed_in

ALICE = Expected("alice")
FRESH = Seen(signed_in=False, sub="", session=-1, tombstone=-1)
INSIDE = Seen(signed_in=True, sub="alice", session=7, tombstone=-1)
BURIED = Seen(signed_in=False, sub="", session=7, tombstone=9)
CLEARED = Seen(signed_in=False, sub="", session=-1, tombstone=9)


@pytest.mark.parametrize("seen", [INSIDE, BURIED, CLEARED])
def test_before_the_sign_in_there_is_nothing(seen):
    """A session or a cookie of a walk is a fault then."""
    assert faults_before(FRESH, ALICE) == []
    assert faults_before(seen, ALICE)


@pytest.mark.parametrize(
    "seen",
    [
        FRESH,
        CLEARED,
        Seen(signed_in=True, sub="bob", session=7, tombstone=-1),
        Seen(signed_in=True, sub="alice", session=-1, tombstone=-1),
        Seen(signed_in=True, sub="alice", session=7, tombstone=7),
    ],
)
def test_after_the_sign_in_page_and_cookies_agree(seen):
    """The right person, with a session cookie above every tombstone."""
    assert faults_signed_in(INSIDE, ALICE) == []
    assert faults_signed_in(Seen(signed_in=True, sub="alice", session=9, tombstone=7), ALICE) == []
    assert faults_signed_in(seen, ALICE)


@pytest.mark.parametrize(
    "seen",
    [
        FRESH,
        INSIDE,
        Seen(signed_in=True, sub="alice", session=7, tombstone=9),
        Seen(signed_in=False, sub="", session=9, tombstone=7),
        Seen(signed_in=False, sub="", session=9, tombstone=-1),
    ],
)
def test_after_the_sign_out_a_tombstone_stands_above_everything(seen):
    """A page that says signed out over a live cookie is a fault too."""
    assert faults_after(BURIED, ALICE) == faults_after(CLEARED, ALICE) == []
    assert faults_after(seen, ALICE)


def test_what_is_expected_follows_the_configuration():
    """An app that no login visits is never signed in; one that is told by the back channel keeps its cookie."""
    nobody = Expected("")
    assert faults_signed_in(FRESH, nobody) == faults_after(FRESH, nobody) == []
    assert faults_signed_in(INSIDE, nobody)
    told = Expected("alice", buries=False)
    assert faults_after(Seen(signed_in=False, sub="", session=7, tombstone=-1), told) == []
    assert faults_after(INSIDE, told)
    assert faults_after(INSIDE, Expected("alice", signs_out=False, buries=False)) == []


def a_report(**app: object) -> Report:
    return Report([AppReport("shop", "Shop", "http://shop.localhost", looks=3), AppReport("news", "News", "x", **app)])


def test_a_report_holds_only_if_every_look_was_taken_and_was_good():
    """A fault, or a check that ended early, is no good news for any app."""
    assert a_report(looks=3).ok
    assert not a_report(looks=2).ok
    assert not a_report(looks=3, faults=["has no tombstone"]).ok
    stuck = a_report(looks=3)
    stuck.faults.append("the browser got stuck")
    assert not stuck.ok


def test_a_report_is_one_line_an_app_and_the_result():
    """Each line says whether it held, and the last line says how it went."""
    lines = a_report(looks=1).as_lines()
    assert [line[:4] for line in lines] == ["ok  ", "FAIL", "did "]
    assert "1 of 2" in lines[-1]
    assert "ended early" in lines[1]
    assert a_report(looks=3).as_lines()[-1].startswith("held: signed in and out at 2 of 2")
    told = a_report(looks=3, faults=["has no tombstone"]).as_json()
    assert (told["ok"], told["apps"][1]) == (
        False,
        {"id": "news", "ok": False, "faults": ["has no tombstone"], "broken": "", "told": {}},
    )


def test_of_a_site_that_fails_on_purpose_the_line_says_what_was_told():
    """When it was told what, and what is true in the end; the result counts it apart."""
    report = a_report(looks=3, broken="hang", words={"sign-in": "skipped", "later": "confirmed"})
    lines = report.as_lines()
    assert (
        "fails on purpose (hang); told as it is: sign-in: skipped; later: confirmed; signed out in the end" in lines[1]
    )
    assert lines[-1].startswith("held: signed in and out at 1 of 2, and the truth told of 1")
    away = a_report(looks=3, broken="down", reached=False).as_lines()
    assert away[1].endswith("cannot be reached")
