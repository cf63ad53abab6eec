"""The hop's page, which is made for each ``form_post`` hop: from the walk to the text, in this process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from bench.figures import Figure, MeasurementFailed, Size, Subject, Words, middle
from bench.sizes import chain_token
from chain_gateway.core.walk import Kind, Outcome
from chain_gateway.service.views import AppLine, HopPage, WalkView
from chain_gateway.web.pages import Pages

GATEWAY: Final = "https://login.example.com"
LENGTHS: Final = (10, 100)
MICRO: Final = 1e6
TICKET: Final = "x" * 1100


def page(apps: int) -> HopPage:
    """The page of a login in the middle of its chain."""
    here = apps // 2
    lines = tuple(
        AppLine(
            f"app{number}",
            f"Site number {number}",
            Outcome.APPLIED if number < here else Outcome.PENDING,
            current=number == here,
        )
        for number in range(apps)
    )
    relay = f"{GATEWAY}/relay?state={chain_token(apps)}"
    origin = f"https://app{here}.example"
    return HopPage(
        view=WalkView("AAECAwQFBgcICQoLDA0ODw", Kind.LOGIN, lines),
        app_name=lines[here].name,
        hop_url=f"{origin}/chain/hop",
        ticket=TICKET,
        ping_url=f"{origin}/chain/ping",
        skip_url=f"{relay}&error=skipped",
        unreachable_url=f"{relay}&error=unreachable",
        form_origins=(origin, GATEWAY),
    )


def _timed(pages: Pages, view: HopPage, count: int) -> float:
    """Processor time of one page in µs."""
    began = time.process_time()
    for _ in range(count):
        pages.render(view, status=200)
    return (time.process_time() - began) / count * MICRO


def _measure(size: Size) -> Mapping[str, Figure]:
    pages = Pages("Example ID", GATEWAY, None, None)
    views = {apps: page(apps) for apps in (1, *LENGTHS)}
    costs: dict[int, list[float]] = {apps: [] for apps in views}
    for view in views.values():
        if view.ticket not in pages.render(view, status=200).html:
            raise MeasurementFailed("a hop's page without its ticket")
    for _ in range(size.rounds):
        for apps, view in views.items():
            costs[apps].append(_timed(pages, view, size.renders))
    one = middle(costs[1])
    return {f"page.hop.{apps}": Figure(middle(costs[apps]), "µs", one) for apps in LENGTHS}


SUBJECTS: Final = (
    Subject(
        {
            f"page.hop.{apps}": Words(f"the page of a hop in a walk of {apps} apps, rendered", "of 1 app")
            for apps in LENGTHS
        },
        _measure,
    ),
)
