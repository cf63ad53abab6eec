"""Chain, app and return URL of a request, judged against the registry before anything else is done with them."""

from __future__ import annotations

from dataclasses import dataclass

from chain_gateway.core.chain import App, Chain, Registry
from chain_gateway.core.origins import judge_return
from chain_gateway.errors import BadInput


@dataclass(frozen=True, slots=True)
class Target:
    """Where a walk leads: its chain, the app that asked (None if none did), and the judged return URL or none."""

    chain: Chain
    app: App | None
    return_to: str

    @property
    def app_id(self) -> str:
        """The asking app's id, or empty."""
        return self.app.id if self.app else ""


def judge_target(registry: Registry, chain_id: str, app_id: str, return_to: str) -> Target:
    """The target that a request names; BadInput or TargetRefused if it names anything that is not registered.

    Without ``return_to`` the asking app's own first place is meant.
    """
    app = registry.apps.get(app_id) if app_id else None
    if app_id and app is None:
        raise BadInput("no such app", code="bad_input.app")
    chain = registry.chain_for(chain_id, app_id)
    if chain is None:
        raise BadInput("no such chain", code="bad_input.chain")
    if app is not None and app not in chain.apps:
        raise BadInput("the app is not in the chain", code="bad_input.app")
    if return_to:
        judge_return(return_to, registry)
    elif app is not None:
        return_to = app.origin + app.return_to[0]
    return Target(chain, app, return_to)
