"""What a browser did and complained of while a check went on."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request

from chain_gateway.demo.settings import Stage


class Watch:
    """Listens to every page of a browser context."""

    def __init__(self, context: BrowserContext) -> None:
        """Begins at once."""
        self._origins: set[str] = set()
        self._blocked: list[str] = []
        context.on("request", self._request)
        context.on("console", self._console)

    def faults(self, ready: Stage) -> list[str]:
        """What should not have happened: a request that left the demo, a page that its own policy stopped."""
        known = {ready.gateway, ready.provider, *(chain.origin for chain in ready.chains)}
        strangers = sorted(self._origins - known)
        return [f"a request went to {origin}" for origin in strangers] + [
            f"a page was stopped by its own policy: {text}" for text in self._blocked
        ]

    def _request(self, request: Request) -> None:
        """Notes where a request went; the rest of its URL may hold a ticket."""
        parts = urlsplit(request.url)
        self._origins.add(f"{parts.scheme}://{parts.netloc}")

    def _console(self, message: ConsoleMessage) -> None:
        """Notes what a policy stopped."""
        if "Content Security Policy" in message.text:
            self._blocked.append(message.text)
