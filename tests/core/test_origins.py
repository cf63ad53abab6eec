"""The judge of redirect targets, against written attacks, mutated ones, and a second judge that reads like browsers."""

from __future__ import annotations

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from support.payloads import numbered, payloads
from support.second_judge import Nowhere, landing, lands_in

from chain_gateway.core.chain import App, AppId, Registry
from chain_gateway.core.origins import (
    check_location,
    check_origin,
    check_path,
    host_of,
    is_loopback,
    is_origin,
    judge_return,
    origin_of,
    with_query,
)
from chain_gateway.errors import TargetRefused

PLACES = {
    "https://shop.example": ("/account", "/orders/"),
    "https://news.example:8443": ("/",),
    "http://bank.localhost:8000": ("/",),
    "https://192.0.2.7": ("/",),
    "https://[2001:db8::7]": ("/",),
    "https://xn--mnchen-3ya.example": ("/",),
}
ATTACKS = numbered("return_to")
LEGITIMATE = numbered("accepted_return_to")


def registered(places: dict[str, tuple[str, ...]]) -> Registry:
    return Registry(
        (
            App(AppId(f"app{number}"), "App", origin, "", "", "", return_to=prefixes)
            for number, (origin, prefixes) in enumerate(places.items())
        ),
        (),
    )


REGISTRY = registered(PLACES)


def refusal(url: str) -> str:
    """The reason that the judge gives, or nothing where it takes the URL."""
    try:
        judge_return(url, REGISTRY)
    except TargetRefused as refused:
        return refused.detail
    return ""


@pytest.mark.parametrize("url", ATTACKS.values(), ids=ATTACKS.keys())
def test_an_attack_is_refused(url):
    """No line of the attack file is taken for a place that is registered."""
    with pytest.raises(TargetRefused):
        judge_return(url, REGISTRY)


@pytest.mark.parametrize("url", LEGITIMATE.values(), ids=LEGITIMATE.keys())
def test_a_legitimate_target_is_taken(url):
    """What real sites use is taken, names the app it belongs to, and a browser arrives there."""
    assert url.startswith(judge_return(url, REGISTRY).origin)
    assert check_location(url) == url
    assert lands_in(url, PLACES)


def test_there_are_many_attacks():
    """The attack file has not been emptied by accident, and no attack is written twice."""
    assert len(ATTACKS) >= 600
    assert len(set(ATTACKS.values())) == len(ATTACKS)
    assert not set(ATTACKS.values()) & set(LEGITIMATE.values())


BITS = (
    *"/\\.:@?#;%&=[]!$'()*+,|^~_- \t\r\n\x00\x0b\x7f0a2e",
    *("//", "/./", "/../", "..", "..;", "%2e", "%2E%2e", "%2f", "%5c", "%00", "%0a", "%09", "%25", "%3b", "%c0%ae"),
    *("https:", "http://", "@evil.example", ".evil.example", "evil.example", ":443", ":8443", "xn--", "0x", "::"),
    *("\u3002", "\uff0e", "\uff0f", "\u2044", "\xad", "\u200b", "\u017f", "\xe9", "\ud800"),
    *("/account", "/orders/", *PLACES),
)
GENTLE = (*"/.;%?=&@:a2", "/.", "..", "%2", "%25", "%2e", "%3b", "%35", "%63", "%61", "%c3%a9", "%c0", "/account", "")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A payload or a legitimate target with up to four cuts, insertions or replacements, some joined to another one."""
    corpus = st.sampled_from([*LEGITIMATE.values(), *ATTACKS.values()])
    text = draw(st.one_of(st.sampled_from(list(LEGITIMATE.values())), corpus))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 0, 1, 2, 8])))
        piece = draw(st.one_of(st.sampled_from(BITS), st.just(""), corpus, st.characters()))
        text = text[:start] + piece + text[end:]
    return text


@st.composite
def gentle(draw: st.DrawFn) -> str:
    """A legitimate target whose path or query was changed in letters that a URL may have: often taken, often not."""
    text = draw(st.sampled_from(list(LEGITIMATE.values())))
    first = text.find("/", 8) if "/" in text[8:] else len(text)
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(first, len(text)))
        end = min(len(text), start + draw(st.integers(0, 2)))
        text = text[:start] + draw(st.sampled_from(GENTLE)) + text[end:]
    return text


@settings(max_examples=1000, deadline=None)
@given(st.one_of(mutated(), gentle()))
@example("https://shop.example/account/..%25%33%62/admin")
@example("https://news.example:8443/%25%32%65%2e/")
def test_whatever_is_taken_arrives_at_home(url):
    """Of any mutation: what the judge takes leads a browser to the registered origin, under a registered prefix."""
    taken = not refusal(url)
    event(f"taken: {taken}")
    assert not taken or (lands_in(url, PLACES) and check_location(url) == url)


@settings(max_examples=300, deadline=None)
@given(mutated(), st.sampled_from(["http://login.localhost:8000/login", "https://shop.example/account"]))
def test_a_taken_target_does_not_depend_on_the_page(url, base):
    """What the judge takes leads to the same place from any page that the browser may be on."""
    assert refusal(url) or lands_in(url, PLACES, base)


def test_strange_characters_are_refused_before_anything_is_read():
    """A control character, a space, a backslash or a letter beyond ASCII stops the judge at the text, not at a part."""
    for char in "\t\r\n\x00\x1f\x7f \\\xe9\u3002#":
        for url in (f"https://shop.example/account{char}", f"https://shop.example{char}/account", f"{char}https://x"):
            assert "not visible ASCII" in refusal(url), ascii(url)


def test_a_refusal_repeats_nothing_of_the_url():
    """The reason that goes into the log holds no part of what came in."""
    assert all("canary" not in refusal(url + "canary") for url in ATTACKS.values())


@pytest.mark.parametrize(
    "origin",
    [
        *("https://shop.example", "https://a-b.c-d.example:8443", "https://intranet", "https://xn--mnchen-3ya.example"),
        *("http://localhost", "http://shop.localhost:8000", "http://127.0.0.1:1", "http://[::1]:65535"),
        *(
            "https://192.0.2.7",
            "https://[2001:db8::7]",
            "https://1password.example",
            "https://3.example",
            "http://localhost:443",
        ),
    ],
)
def test_an_origin_in_its_only_spelling_is_taken(origin):
    """Names, addresses and loopback hosts with or without a port."""
    assert check_origin(origin) == origin
    assert is_origin(origin)
    assert origin_of(origin + "/x?y=1") == origin


@pytest.mark.parametrize(
    "text",
    [
        *("", "shop.example", "//shop.example", "https:", "https://", "ftp://shop.example", "https://shop.example/"),
        *("https://shop.example?", "https://shop.example#", "https://a@shop.example", "https://shop.example\n"),
        *("HTTPS://shop.example", "https://Shop.example", "https://m\xfcnchen.example", "https://shop.example."),
        *("https://.example", "https://a..b", "https://-a.example", "https://a-.example", "https://a_b.example"),
        *("https://" + "a" * 64 + ".example", "https://" + "a." * 127 + "example", "https://sh%6fp.example"),
        *("https://shop.example:", "https://shop.example:443", "https://shop.example:0", "https://shop.example:08443"),
        *("https://shop.example:65536", "https://shop.example:x", "http://localhost:80", "http://[::1]:80"),
        *("https://192.0.2", "https://192.0.2.07", "https://192.0.2.256", "https://3221225991", "https://0xc0000207"),
        *("https://a.0x1", "https://a.1", "https://0x", "https://[::ffff:192.0.2.7]", "https://[::ffff:c000:207]"),
        *(
            "https://[2001:db8::0]",
            "https://[2001:0db8::1]",
            "https://[2001:DB8::1]",
            "https://[::1%25eth0]",
            "https://[]",
        ),
        *(
            "http://shop.example",
            "http://192.0.2.7",
            "http://localhost.example",
            "http://xlocalhost",
            "http://127.0.0.2",
        ),
    ],
)
def test_an_origin_in_another_spelling_is_refused(text):
    """One host has one spelling, and http is for loopback alone."""
    with pytest.raises(ValueError, match=r"\w"):
        check_origin(text)
    assert not is_origin(text)


def test_loopback_without_tls_can_be_switched_off():
    """Where production is asked for, not even localhost is taken over http."""
    with pytest.raises(ValueError, match="scheme is https"):
        check_origin("http://localhost:8000", allow_loopback_http=False)
    assert check_origin("https://localhost:8000", allow_loopback_http=False)


def test_loopback_is_known_by_name():
    """Names that RFC 6761 keeps on this machine, and the two addresses; nothing that only looks like them."""
    assert all(map(is_loopback, ("localhost", "shop.localhost", "127.0.0.1", "[::1]")))
    assert not any(map(is_loopback, ("localhost.example", "xlocalhost", "127.0.0.1.example", "[::2]", "", "example")))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://shop.example", "shop.example"),
        ("https://shop.example:8443", "shop.example"),
        ("http://[::1]:8000", "[::1]"),
        ("https://[2001:db8::7]", "[2001:db8::7]"),
        ("http://127.0.0.1:8000", "127.0.0.1"),
    ],
)
def test_the_host_of_an_origin_is_as_a_url_spells_it(origin, host):
    """Without the port, and an address of IPv6 in its brackets, by which loopback is known."""
    assert host_of(check_origin(origin)) == host


def test_what_is_no_origin_has_no_host():
    """Nothing is guessed of an address that was not judged."""
    with pytest.raises(ValueError, match="not an origin"):
        host_of("https://shop.example@evil.example")


def test_a_prefix_is_a_path():
    """A configured prefix is held to the grammar of the paths that it is compared with."""
    assert all(check_path(path) == path for path in ("/", "/account", "/orders/", "/a;b/c%20d"))
    for path in ("", "account", "//", "/a//b", "/a/../b", "/a?b", "/a#b", "/a b", "/%2e%2e", "/a\\b", "/a%"):
        with pytest.raises(ValueError, match="path"):
            check_path(path)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "/account",
            "//evil.example",
            "/\t/evil.example",
            "https:evil.example",
            "https:///evil.example",
            "",
            "about:blank",
        ),
        *(
            "javascript:alert(1)",
            "HTTPS://shop.example/",
            "https://shop.example/\r\nSet-Cookie: x=1",
            "https://shop.example/\t",
        ),
        *(
            "https://shop.example/\\",
            "https://shop.example\\@evil.example/",
            "https://a@shop.example/",
            "https://shop.example/#x",
        ),
        *(
            "https://Shop.example/",
            "https://shop.example./",
            "https://0x7f.1/",
            "https://[::1",
            "https://sh\xf6p.example/",
            "\n",
        ),
        *(
            "https://shop.example/\x00",
            "https://shop.example/ x",
            "https://shop.example/\x7f",
            "https://:443/",
            "https://a:b/",
        ),
    ],
)
def test_a_location_that_reads_otherwise_is_refused(url):
    """What goes on the wire is looked at again: nothing that a browser or a proxy could take for something else."""
    with pytest.raises(TargetRefused):
        check_location(url)


def test_a_location_with_what_browsers_strip_is_refused():
    """Tab, CR and LF never reach the header, not even where the host is a registered one."""
    for char in "\t\r\n":
        with pytest.raises(TargetRefused, match="not visible ASCII"):
            check_location(f"https://shop.example/account?x={char}")


@settings(max_examples=500, deadline=None)
@given(mutated())
def test_a_location_leads_where_it_says(url):
    """Whatever is written on the wire, a browser arrives at the origin that the text spells, or does not leave."""
    try:
        origin = origin_of(url)
        there = landing(url).origin
    except (TargetRefused, Nowhere):
        return
    assert url.startswith(origin)
    assert there == origin.removesuffix(":443" if origin.startswith("https") else ":80")


def test_a_query_is_appended_and_encoded():
    """Parameters join what is there, and no value breaks out of its place."""
    assert with_query("https://a.example") == "https://a.example"
    assert with_query("https://a.example", x="1") == "https://a.example?x=1"
    assert with_query("https://a.example/?b=2", x="1", y="2") == "https://a.example/?b=2&x=1&y=2"
    assert with_query("https://a.example/?", x="1") == "https://a.example/?x=1"
    assert with_query("https://a.example/?b&", x="1") == "https://a.example/?b&x=1"
    assert with_query("https://a.example/", url="a&b=c#d/ \r\n\xe9\ud800") == (
        "https://a.example/?url=a%26b%3Dc%23d%2F%20%0D%0A%C3%A9%3F"
    )


def test_every_attack_has_an_escape_that_reads_back():
    """The file reader knows tabs, code points and the empty line, so that no attack is weaker than it was written."""
    texts = payloads("return_to")
    assert {"", "/\t/evil.example", "/\\evil.example", "https://shop.example/account#"} <= set(texts)
    assert any("\ud800" in text for text in texts)
    assert any("\U0001d4c8" in text for text in texts)
