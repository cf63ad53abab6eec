"""Every page in every state, with sample data: for tests to check, and for eyes to look at.

``python tests/support/gallery.py [FOLDER]`` renders each state and photographs it in Chromium, light and dark, wide and
narrow. A page stands as it does before any script ran; states that only a script makes are made by it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from chain_gateway.core.walk import Kind, Outcome
from chain_gateway.errors import BodyLate, BrowserUnknown, ChainGatewayError, TooManyRequests
from chain_gateway.service.views import (
    AppLine,
    ConfirmPage,
    ErrorPage,
    HopPage,
    Link,
    Page,
    PausePage,
    WalkPage,
    WalkView,
)
from chain_gateway.web.pages import Pages

GATEWAY: Final = "https://login.example"
NAMES: Final = ("Shop", "News", "Bank", "Mail", "Photos", "Maps", "Forum", "Music", "Travel", "Learning")
TICKET: Final = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImNoYWluLXRpY2tldCtqd3QifQ." + "A" * 1180

O = Outcome  # noqa: E741 - the table of states below reads by it
CHROMIUM: Final = "/usr/bin/chromium"
CHROMIUM_ARGS: Final = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def a_view(
    *outcomes: Outcome,
    kind: Kind = Kind.LOGIN,
    current: int = -1,
    op: Outcome | None = None,
    ended: bool = False,
    owed: Container[str] = (),
) -> WalkView:
    """A walk with one app for each outcome; ``current`` is the index of the hop that is being made, ``owed`` names."""
    lines = tuple(
        AppLine(name.lower().replace(" ", "-"), name, outcome, current=i == current, owed=name in owed)
        for i, (name, outcome) in enumerate(zip(app_names(len(outcomes)), outcomes, strict=True))
    )
    return WalkView("b2K9rTq0Zs4vXw1cYd7eFg", kind, lines, op_outcome=op, ended=ended)


def app_names(count: int) -> list[str]:
    """Names for ``count`` apps."""
    return [NAMES[i % 10] + (f" {i // 10 + 1}" if i >= 10 else "") for i in range(count)]


def a_hop(apps: int = 10, at: int = 3, kind: Kind = Kind.LOGIN, **changes: object) -> HopPage:
    """The page of the hop at index ``at``, all before it confirmed."""
    outcomes = [O.APPLIED] * at + [O.PENDING] * (apps - at)
    if apps > 5 and at > 2:
        outcomes[1] = O.UNREACHABLE
    values: dict[str, object] = {
        "view": a_view(*outcomes, kind=kind, current=at),
        "app_name": app_names(apps)[at],
        "hop_url": "https://mail.example/chain/hop",
        "ticket": TICKET,
        "ping_url": "https://mail.example/chain/ping",
        "skip_url": "/resume?skip=3",
        "unreachable_url": "/resume?unreachable=3",
        "form_origins": (GATEWAY, "https://mail.example", "https://photos.example"),
    }
    return HopPage(**{**values, **changes})


def states() -> Mapping[str, Page]:
    """Each state that a person can meet, by name."""
    out = Kind.LOGOUT
    shop = {"continue_url": "https://shop.example/account", "continue_name": "Shop"}
    return {
        "hop-login": a_hop(apps=7, at=2),
        "hop-logout": a_hop(apps=4, at=1, kind=out),
        "hop-10": a_hop(),
        "hop-200": a_hop(apps=200, at=120),
        "hop-long-names": a_hop(apps=2, at=1, view=LONG, app_name=LONG.lines[1].name),
        "hop-lost": a_hop(apps=4, at=2),
        "hop-slow": a_hop(apps=4, at=2),
        "pause": PausePage(a_view(*[O.APPLIED] * 8, *[O.PENDING] * 4), "https://login.example/resume"),
        "confirm-all": ConfirmPage(NAMES[:4], (("confirm", "sealed"),), "https://shop.example/"),
        "confirm-one": ConfirmPage(("Shop",), (("confirm", "sealed"),), "https://shop.example/", one_app=True),
        "confirm-200": ConfirmPage(tuple(app_names(200)), (("confirm", "sealed"),), "https://shop.example/"),
        "walk-ongoing": WalkPage(a_view(O.APPLIED, O.TIMED_OUT, O.PENDING, O.PENDING, current=2), resume_url="/resume"),
        "walk-signed-in": WalkPage(a_view(*[O.APPLIED] * 4, ended=True), **shop),
        "walk-signed-in-partly": WalkPage(
            a_view(O.APPLIED, O.STALE, O.UNREACHABLE, O.UNPROVEN, ended=True), retry_url="/resume?retry=1", **shop
        ),
        "walk-signed-out": WalkPage(a_view(O.APPLIED, O.APPLIED, O.ABSENT, O.APPLIED, kind=out, ended=True), **shop),
        "walk-signed-out-op": WalkPage(a_view(*[O.APPLIED] * 4, kind=out, ended=True, op=O.APPLIED), **shop),
        "walk-signed-out-op-unproven": WalkPage(a_view(*[O.APPLIED] * 4, kind=out, ended=True, op=O.UNPROVEN), **shop),
        "walk-signed-out-partly": WalkPage(
            a_view(O.APPLIED, O.APPLIED, O.UNREACHABLE, O.APPLIED, kind=out, ended=True, op=O.UNPROVEN, owed={"Bank"}),
            retry_url="/resume?retry=1",
            again_url="/walks/b2K9rTq0Zs4vXw1cYd7eFg",
            **shop,
        ),
        "walk-signed-out-one-owed": WalkPage(
            a_view(O.TIMED_OUT, O.APPLIED, O.UNREACHABLE, O.APPLIED, kind=out, ended=True, owed={"Bank"}),
            retry_url="/resume?retry=1",
            again_url="/walks/b2K9rTq0Zs4vXw1cYd7eFg",
            **shop,
        ),
        "walk-signed-out-none-owed": WalkPage(
            a_view(O.TIMED_OUT, O.APPLIED, O.UNREACHABLE, O.APPLIED, kind=out, ended=True),
            retry_url="/resume?retry=1",
            **shop,
        ),
        "walk-signed-out-nothing": WalkPage(a_view(kind=out, ended=True), **shop),
        "walk-200": WalkPage(
            a_view(*[O.APPLIED] * 120, O.REFUSED, *[O.APPLIED] * 77, O.ERROR, O.SKIPPED, kind=out, ended=True),
            retry_url="/resume?retry=1",
        ),
        "walk-every-outcome": WalkPage(a_view(*O, kind=out, ended=True, op=O.ERROR), retry_url="/resume?retry=1"),
        "walk-long-names": WalkPage(replace(LONG, ended=True), retry_url="/", continue_url="/", continue_name="x" * 90),
        "walk-superseded": WalkPage(a_view(O.APPLIED, O.PENDING, ended=True), superseded=True, **shop),
        "walk-aborted": WalkPage(
            a_view(O.APPLIED, O.APPLIED, O.REFUSED, O.PENDING, ended=True), retry_url="/login", aborted_by="Bank"
        ),
        "error": ErrorPage(
            "target_refused",
            400,
            "This link wants to continue at an address that is not registered here.",
            "Go back to the site that you came from. If you run that site: register the address as its return_to.",
            "7QK2M9",
        ),
        "error-links": ErrorPage(
            "op_unavailable",
            502,
            "The sign-in provider cannot be reached at the moment.",
            "Please try again in a moment.",
            "7QK2M9",
            (Link("/login", "Try again"), Link("https://shop.example/", "Back to Shop")),
        ),
        **{f"error-{error.status}": a_refusal(error) for error in (BrowserUnknown(), BodyLate(), TooManyRequests())},
    }


def a_refusal(error: ChainGatewayError) -> ErrorPage:
    """The page of a refusal as ``web/errors.py`` has it, in a browser that is known."""
    links = (Link("/resume", "Continue where you left off"),)
    return ErrorPage(error.code, error.status, error.text, error.help, "9f3a1c2e", links)


LONG: Final = WalkView(
    "b2K9rTq0Zs4vXw1cYd7eFg",
    Kind.LOGOUT,
    (
        AppLine("words", "The Long and Winding Name of a Site That Somebody Had to Write " * 2, O.APPLIED),
        AppLine("letters", "Donaudampfschifffahrtsgesellschaftskapitaen" * 3, O.PENDING, current=True),
    ),
)

REVEAL: Final = {
    "hop-lost": "for (const id of ['going', 'acts']) document.getElementById(id).hidden = true; lost.hidden = false",
    "hop-slow": "slow.hidden = false",
}
"""What the script would do by then, for the states that it makes."""


def still(html: str) -> str:
    """The page without its script, which would leave it at once."""
    before, _, script = html.partition("<script>")
    return before + script.partition("</script>")[2]


def photograph(folder: Path) -> None:
    """Writes ``STATE.html`` and ``STATE-light-1280.png`` and so on into ``folder``."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - tests that only want the samples need no browser

    pages = Pages("Example ID", GATEWAY, None, None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        for scheme in ("light", "dark"):
            for width in (1280, 360):
                context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 760})
                shown = context.new_page()
                for name, page in states().items():
                    file = folder / f"{name}.html"
                    file.write_text(still(pages.render(page, status=200).html), "utf-8")
                    shown.goto(file.as_uri())
                    if name in REVEAL:
                        shown.evaluate(REVEAL[name])
                    shown.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=True)
                context.close()
        browser.close()


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="gallery-"))
    target.mkdir(parents=True, exist_ok=True)
    photograph(target)
    sys.stdout.write(f"{target}\n")
