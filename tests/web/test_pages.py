"""The pages as text: well formed, escaped, honest, and each under the policy that belongs to it."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from dataclasses import replace
from html.parser import HTMLParser

import aiohttp_jinja2
import jinja2
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from support.gallery import GATEWAY, a_hop, a_view, states

from chain_gateway.core.walk import Kind, Outcome
from chain_gateway.service.views import AppLine, ConfirmPage, ErrorPage, HopPage, Link, PausePage, WalkPage
from chain_gateway.web.pages import Pages, as_json
from chain_gateway.web.verdict import verdict
from chain_gateway.web.words import OUTCOMES, listed, reason, word

O = Outcome  # noqa: E741 - outcomes are what these tests are about
VOID = {"meta", "link", "input", "br", "hr", "img"}
HOSTILE = """"'></title></style></script></b><x-evil onclick=alert(1)>{{ 7 * 7 }}&lt;{names}%s"""
STATES = states()


class Parsed(HTMLParser):
    """A page's elements and text; AssertionError where a tag is closed that is not open, or none at the end."""

    def __init__(self, html):
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inline: dict[str, list[str]] = {"style": [], "script": []}
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"an attribute twice in <{tag}>"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
            if tag in self.inline:
                self.inline[tag].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.inline:
            self.inline[self.open[-1]][-1] += data
        else:
            self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def seen(self):
        """Everything that a person or a form gets to see: the text and all values of attributes."""
        return self.text + "\n".join(value for _, attrs in self.elements for value in attrs.values())


@pytest.fixture(name="pages", scope="module")
def make_pages():
    return Pages("Example ID", GATEWAY, None, None)


def parsed(pages, page):
    return Parsed(pages.render(page, status=200).html)


def directives(rendered):
    """The policy as name → list of sources."""
    parts = (part.split() for part in rendered.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize("name", STATES)
def test_each_page_is_whole_and_says_its_state(name, pages):
    """Tags match, ids are unique, and there are the landmarks, the language, one heading and a title that says it."""
    page = parsed(pages, STATES[name])
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("header")) == 1
    state, _, gateway = page.text.strip().partition("\n")[0].rpartition(" \N{EN DASH} ")
    assert gateway == "Example ID"
    assert f"\n{state}\n" in page.text, "the heading says the same as the title"


@pytest.mark.parametrize("name", STATES)
def test_nothing_on_a_page_needs_more_than_its_policy(name, pages):
    """No inline handler, no style attribute, nothing that is loaded from anywhere."""
    for tag, attrs in parsed(pages, STATES[name]).elements:
        assert tag not in {"img", "iframe", "link", "object", "base", "embed"}
        assert not [key for key in attrs if key.startswith("on") or key in {"style", "src", "target"}]


@pytest.mark.parametrize("name", STATES)
def test_the_policy_names_exactly_the_inline_style_and_script_of_its_page(name, pages):
    """The hashes in the policy are those of what is in the page, and a page without script allows none."""
    rendered = pages.render(STATES[name], status=200)
    page, policy = Parsed(rendered.html), directives(rendered)
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        digests = [hashlib.sha256(text.encode()).digest() for text in page.inline[tag]]
        assert policy.get(directive, []) == [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


@pytest.mark.parametrize("name", STATES)
def test_no_policy_opens_more_than_it_must(name, pages):
    """Everything starts from nothing, no page can be framed, and nothing is allowed by a wildcard or a whole scheme."""
    rendered = pages.render(STATES[name], status=200)
    policy = directives(rendered)
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert "unsafe" not in rendered.headers["Content-Security-Policy"]
    sources = itertools.chain.from_iterable(policy.values())
    assert not [source for source in sources if "*" in source or source.endswith(":")]


def test_the_form_of_a_hop_may_lead_where_the_view_says_and_nowhere_else(pages):
    """T48: form-action names exactly the origins that the browser may pass through until the next page."""
    page = a_hop(form_origins=(GATEWAY, "https://mail.example", "https://photos.example:8443", GATEWAY))
    policy = directives(pages.render(page, status=200))
    assert policy["form-action"] == [GATEWAY, "https://mail.example", "https://photos.example:8443"]


def test_the_question_before_a_logout_may_lead_through_the_gateway_and_what_follows(pages):
    """T48: the gateway's own origin, and the origins of the redirects that a logout begins with."""
    page = STATES["confirm-all"]
    assert directives(pages.render(page, status=200))["form-action"] == [GATEWAY]
    further = replace(page, form_origins=("https://shop.example",))
    assert directives(pages.render(further, status=200))["form-action"] == [GATEWAY, "https://shop.example"]


@pytest.mark.parametrize("name", [name for name in STATES if name.startswith(("pause", "walk", "error"))])
def test_a_page_without_a_form_may_send_none(name, pages):
    """T48: no form can be slipped into a page that has none."""
    assert directives(pages.render(STATES[name], status=200))["form-action"] == ["'none'"]
    assert parsed(pages, STATES[name]).all("form") == []


def test_a_hop_may_ask_the_app_and_nobody_else(pages):
    """The page may connect to the origin of the ping alone, and to none where nothing is asked."""
    asks = directives(pages.render(a_hop(ping_url="https://mail.example:8443/chain/ping"), status=200))
    assert asks["connect-src"] == ["https://mail.example:8443"]
    assert "connect-src" not in directives(pages.render(a_hop(ping_url=""), status=200))


def test_only_a_hop_tells_where_it_comes_from(pages):
    """The POST of a hop must carry the gateway's Origin; every other page sends no referrer at all."""
    for page in STATES.values():
        expected = "strict-origin" if isinstance(page, HopPage) else "no-referrer"
        assert pages.render(page, status=200).headers["Referrer-Policy"] == expected


def hostile_pages():
    """Each kind of page with a hostile text in every field that holds text."""
    lines = tuple(AppLine(f"{HOSTILE}{n}", HOSTILE, outcome, reason=HOSTILE) for n, outcome in enumerate(Outcome))
    lines = (replace(lines[0], current=True), *lines[1:])
    view = replace(a_view(O.PENDING, kind=Kind.LOGOUT, op=O.ERROR), walk_id=HOSTILE, lines=lines)
    many = replace(view, lines=lines * 5)
    url = f"https://mail.example/{HOSTILE}"
    hop = HopPage(view, HOSTILE, url, HOSTILE, url, url, url, (GATEWAY,))
    return {
        "hop": hop,
        "hop of many": replace(hop, view=many),
        "pause": PausePage(view, url),
        "confirm one": ConfirmPage((HOSTILE,), ((HOSTILE, HOSTILE),), url, one_app=True),
        "confirm many": ConfirmPage((HOSTILE,) * 20, ((HOSTILE, HOSTILE),), url),
        "walk": WalkPage(replace(view, ended=True), url, url, url, HOSTILE),
        "walk of many": WalkPage(replace(many, ended=True), url, url, url, HOSTILE),
        "walk aborted": WalkPage(view, url, url, url, HOSTILE, aborted_by=HOSTILE),
        "error": ErrorPage(HOSTILE, 400, HOSTILE, HOSTILE, HOSTILE, (Link(url, HOSTILE),)),
    }


HOSTILE_PAGES = hostile_pages()


@pytest.mark.parametrize("name", HOSTILE_PAGES)
def test_hostile_text_stays_text(name, pages):
    """T46: names, reasons, URLs, fields and errors add no element and no attribute, and are shown as they are."""
    rendered = Pages(HOSTILE, GATEWAY, None, None).render(HOSTILE_PAGES[name], status=400)
    page = Parsed(rendered.html)
    assert "x-evil" not in {tag for tag, _ in page.elements}
    assert not [attrs for _, attrs in page.elements if "onclick" in attrs]
    assert len(page.inline["script"]) == (1 if name.startswith(("hop", "pause")) else 0)
    assert HOSTILE in page.seen
    assert "49" not in page.seen, "what is in a name is not evaluated"


def test_a_policy_vouches_for_the_sources_and_not_for_what_slipped_into_a_page(tmp_path):
    """T46: a script that an operator's template lets in gets no hash, so it does not run."""
    (tmp_path / "error.html").write_text("{{ page.text | safe }}<script>added()</script>")
    page = replace(STATES["error"], text="<script>injected()</script>")
    rendered = Pages("Example ID", GATEWAY, tmp_path, None).render(page, status=400)
    assert "<script>injected()</script>" in rendered.html
    assert "script-src" not in directives(rendered)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_has_its_word_and_only_a_receipt_confirms(outcome, kind):
    """Proven outcomes are "confirmed by" the app and carry the check mark; no other word says so."""
    text = word(outcome, kind).of("Shop")
    assert text
    assert (text.endswith("confirmed by Shop")) == outcome.proven
    assert (word(outcome, kind).icon == "ok") == outcome.proven
    assert set(OUTCOMES[kind]) == set(Outcome)


def test_the_words_for_what_is_easily_overstated():
    """A stale login and an unproven hop are called what they are."""
    assert word(O.STALE, Kind.LOGIN).text == "a newer sign-in or sign-out is in place"
    assert word(O.UNPROVEN, Kind.LOGOUT).text == "not confirmed"
    assert word(O.PENDING, Kind.LOGIN, current=True).text == "now"
    assert word(O.PENDING, Kind.LOGIN, current=True, ended=True).text == "not visited"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("other_browser", "it belongs to another browser"),
        ("clock-skew", "clock-skew"),
        ("", ""),
        ("Call 0800-123 now", ""),
        ("<b>", ""),
        ("x" * 33, ""),
        ("used\n", ""),
    ],
)
def test_an_app_cannot_speak_through_its_reason(given, shown):
    """A known reason is put into words, a short code is shown, a sentence of the app's own is not."""
    assert reason(given) == shown


def test_a_reason_stands_beside_its_word_unless_it_says_the_same(pages):
    """The walk's own page shows an app's reason once, in words where it is known."""
    lines = (
        AppLine("a", "A", O.REFUSED, reason="other_browser"),
        AppLine("b", "B", O.ERROR, reason="clock-skew"),
        AppLine("c", "C", O.TIMED_OUT, reason="timed_out"),
    )
    text = parsed(pages, WalkPage(replace(a_view(O.PENDING, ended=True), lines=lines))).text
    assert "refused by A (it belongs to another browser)" in text
    assert "failed at B (clock-skew)" in text
    assert "timed_out" not in text


def test_signed_out_is_said_only_when_everything_is_proven():
    """Over every combination of three apps and the provider: the whole claim stands exactly where all is proven."""
    claims = {Kind.LOGIN: "You are signed in", Kind.LOGOUT: "You are signed out"}
    for kind, *outcomes in itertools.product(Kind, Outcome, Outcome, Outcome):
        for op in (None, *Outcome) if kind is Kind.LOGOUT else (None,):
            said = verdict(WalkPage(a_view(*outcomes, kind=kind, op=op, ended=True)))
            proven = all(outcome.proven for outcome in outcomes) and (op is None or op.proven)
            assert (said.heading == claims[kind]) == proven
            assert (said.icon == "ok") == proven
            assert proven or said.paragraphs, "what is missing is named"


@pytest.mark.parametrize(
    ("name", "sentences"),
    [
        ("walk-signed-out", ["You are signed out", "Confirmed by all 4 sites."]),
        ("walk-signed-out-op", ["Confirmed by all 4 sites and the sign-in provider."]),
        (
            "walk-signed-out-partly",
            ["Signed out of 3 of 4", "Bank could not be reached. You may still be signed in there. We keep trying."],
        ),
        (
            "walk-signed-out-one-owed",
            ["You may still be signed in there. We keep trying at Bank. Try again, or sign out at Shop yourself."],
        ),
        (
            "walk-signed-out-none-owed",
            ["You may still be signed in there. Try again, or sign out at Shop and Bank yourself."],
        ),
        ("walk-signed-out-op-unproven", ["Signed out of 4 of 4", "Sign-in provider", "not confirmed"]),
        ("walk-aborted", ["Bank is required and could not be signed in."]),
        ("walk-superseded", ["Something newer happened in this browser, this one was stopped."]),
        ("walk-ongoing", ["Signing you in: 3 of 4"]),
        ("hop-login", ["Signing you in: 3 of 7", "Skip Bank"]),
        ("hop-logout", ["Signing you out: 2 of 4"]),
        ("pause", ["Signing you in: 9 of 12"]),
        ("confirm-all", ["Sign out of 4 sites?", "Stay signed in"]),
        ("confirm-one", ["Sign out of Shop?"]),
    ],
)
def test_the_pages_say(name, sentences, pages):
    """The sentences that people rely on."""
    text = parsed(pages, STATES[name]).text
    for sentence in sentences:
        assert sentence in text


def test_names_in_a_sentence():
    """One, two, some and many names."""
    assert listed(["A"]) == "A"
    assert listed(["A", "B"]) == "A and B"
    assert listed(["A", "B", "C"]) == "A, B and C"
    assert listed(["A", "B", "C", "D", "E"]) == "A, B and 3 more"


def test_the_form_of_a_hop_is_what_the_protocol_says(pages):
    """PROTOCOL 3: a POST of the one field ``ticket`` to the hop URL, by a button that needs no script."""
    page = parsed(pages, a_hop(hop_url="https://mail.example/chain/hop?a=1&b=2", ticket="t.i.c"))
    (form,) = page.all("form")
    assert (form["method"], form["action"]) == ("post", "https://mail.example/chain/hop?a=1&b=2")
    assert page.all("input") == [{"type": "hidden", "name": "ticket", "value": "t.i.c"}]
    assert {"class": "main"} in page.all("button")


def test_a_hop_that_cannot_be_skipped_offers_no_skip(pages):
    """An empty link is not shown."""
    assert "Skip" not in parsed(pages, a_hop(skip_url="")).text


def test_the_page_of_a_hop_is_small(pages):
    """Under 8 KiB for ten apps, with a ticket of usual length, and no larger for two hundred."""
    assert len(pages.render(STATES["hop-10"], status=200).html.encode()) < 8192
    assert len(pages.render(STATES["hop-200"], status=200).html.encode()) < 8192


def test_of_many_apps_a_hop_lists_the_ones_that_matter_and_counts_the_rest(pages):
    """The current app, its neighbours and the failed ones are listed; the full list is a link away."""
    page = parsed(pages, STATES["hop-200"])
    assert [attrs["class"] for attrs in page.all("li")] == ["bad", "ok", "ok", "now", "wait", "wait"]
    assert [attrs for attrs in page.all("li") if attrs.get("aria-current")] == [
        {"class": "now", "aria-current": "step"}
    ]
    assert "119 confirmed, 1 not confirmed, 80 to go." in page.text
    assert f"/walks/{STATES['hop-200'].view.walk_id}" in [attrs["href"] for attrs in page.all("a")]
    failed = replace(STATES["hop-200"], view=a_view(*[O.ERROR] * 199, O.PENDING, current=199))
    assert len(parsed(pages, failed).all("li")) == 6


def test_a_long_walk_folds_what_is_confirmed_away(pages):
    """Each app is on the walk's page once; the confirmed ones of a long list are folded."""
    html = pages.render(STATES["walk-200"], status=200).html
    open_part, _, folded = html.partition("<details>")
    assert open_part.count("<li") == 3
    assert folded.count("<li") == 197
    assert "197 of 200 confirmed" in folded
    assert "<details>" not in pages.render(STATES["walk-signed-out"], status=200).html


def test_what_is_offered_first(pages):
    """Looking or trying again comes first where a sign-out has gaps or a sign-in broke off; else going on does."""
    aborted = replace(STATES["walk-aborted"], continue_url="https://shop.example/")
    first = [
        next(attrs["href"] for attrs in parsed(pages, page).all("a"))
        for page in (
            STATES["walk-signed-out-partly"],
            STATES["walk-signed-out-none-owed"],
            STATES["walk-signed-in-partly"],
            aborted,
        )
    ]
    again = STATES["walk-signed-out-partly"].again_url
    assert first == [again, "/resume?retry=1", "https://shop.example/account", "/login"]


def test_an_error_for_programs():
    """The members of an OAuth error, with help and reference."""
    assert as_json(STATES["error-links"]) == {
        "error": "op_unavailable",
        "error_description": "The sign-in provider cannot be reached at the moment.",
        "help": "Please try again in a moment.",
        "reference": "7QK2M9",
        "links": [{"url": "/login", "text": "Try again"}, {"url": "https://shop.example/", "text": "Back to Shop"}],
    }


def test_a_walk_for_programs():
    """Id, kind, apps with their outcomes, the provider, counts and links."""
    page = STATES["walk-signed-out-partly"]
    shown = as_json(page)
    assert shown["apps"][2] == {"id": "bank", "name": "Bank", "outcome": "unreachable", "reason": ""}
    assert {key: shown[key] for key in ("id", "kind", "op", "done", "total", "ended", "links")} == {
        "id": page.view.walk_id,
        "kind": "logout",
        "op": "unproven",
        "done": 3,
        "total": 4,
        "ended": True,
        "links": {"again": page.again_url, "retry": "/resume?retry=1", "continue": "https://shop.example/account"},
    }
    assert as_json(STATES["walk-signed-in"])["op"] is None


@pytest.mark.parametrize("name", STATES)
def test_every_page_has_a_form_for_programs_without_its_secrets(name):
    """It is plain JSON, and neither a ticket nor a form's hidden value is in it."""
    text = json.dumps(as_json(STATES[name]))
    assert "eyJ" not in text
    assert "sealed" not in text


def test_an_operator_replaces_a_template_by_its_name(tmp_path):
    """The operator's file comes first, the package's own stays in reach, and the rest stays as it is."""
    block = "{% block main %}{{ super() }}<p>{{ status }} {{ title }}</p>{% endblock %}"
    own = '{% extends "chain_gateway/error.html" %}' + block
    (tmp_path / "error.html").write_text(own)
    pages = Pages("Example ID", GATEWAY, tmp_path, None)
    text = Parsed(pages.render(STATES["error-links"], status=502).html).text
    assert "Back to Shop" in text
    assert "502 Example ID" in text
    assert "502" not in parsed(pages, STATES["pause"]).text


def test_a_mistake_in_an_operator_s_template_is_an_error(tmp_path):
    """An unknown name is refused instead of being printed as nothing; a broken template stops the start."""
    (tmp_path / "error.html").write_text("{{ page.no_such_thing }}")
    with pytest.raises(jinja2.UndefinedError):
        Pages("Example ID", GATEWAY, tmp_path, None).render(STATES["error"], status=400)
    (tmp_path / "error.html").write_text("{% if %}")
    with pytest.raises(jinja2.TemplateSyntaxError):
        Pages("Example ID", GATEWAY, tmp_path, None)


def test_an_operator_s_style_sheet_is_linked_after_the_own_one(tmp_path):
    """It is allowed by 'self' and linked only where there is one."""
    assert "<link" not in Pages("Example ID", GATEWAY, None, tmp_path).render(STATES["error"], status=400).html
    (tmp_path / "style.css").write_text(":root { --accent: #060 }")
    rendered = Pages("Example ID", GATEWAY, None, tmp_path).render(STATES["error"], status=400)
    assert Parsed(rendered.html).all("link") == [{"rel": "stylesheet", "href": "/static/style.css"}]
    assert rendered.html.index("<style>") < rendered.html.index("<link")
    assert directives(rendered)["style-src"][1:] == ["'self'"]


def test_handlers_can_render_with_the_same_templates(pages):
    """``setup`` gives aiohttp-jinja2 the environment: escaping, strictness and overrides come with it."""
    app = web.Application()
    pages.setup(app)
    request = make_mocked_request("GET", "/", app=app)
    view = replace(STATES["error"], help="<b>")
    html = aiohttp_jinja2.render_string("error.html", request, {"page": view, "heading": "It failed"})
    assert "&lt;b&gt;" in html
