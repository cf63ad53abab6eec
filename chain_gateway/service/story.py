"""What lies ahead of a walk, in words for an operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chain_gateway.core.actions import SendAway, SendTicket, SendToOp, ShowPause
from chain_gateway.core.chain import Mode
from chain_gateway.core.forecast import Stretch
from chain_gateway.core.walk import Walk


def story(stretches: Iterable[Stretch], walk: Walk, names: Sequence[str]) -> list[str]:
    """One line a stretch that an operator asks about; ``names`` are those of the apps, in the order of the hops."""
    lines = []
    for stretch in stretches:
        match stretch.action:
            case SendToOp():
                lines.append(f"the provider's logout ({stretch.redirects} redirects in a row by then)")
            case ShowPause():
                lines.append("a page, so that the count begins anew")
            case SendTicket() if walk.hops[stretch.cursor].mode is Mode.FORM_POST:
                lines.append(f"{names[stretch.cursor]}: a page posts the ticket")
            case SendTicket() | SendAway():
                lines.append(f"{names[stretch.cursor]}: {stretch.redirects} redirects in a row once it is back")
            case _:
                pass
    return lines
