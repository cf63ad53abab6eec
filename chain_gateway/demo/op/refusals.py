"""How the embedded provider says no: on a page, back at the client, or in JSON."""

from __future__ import annotations


class PageRefused(Exception):
    """Shown to the person; the browser is sent nowhere, as nothing in the request can be trusted with it."""

    def __init__(self, text: str) -> None:
        """``text`` is shown as it is and repeats nothing of the request."""
        super().__init__(text)
        self.text = text


class OAuthRefused(Exception):
    """An error of RFC 6749 §4.1.2.1 or §5.2: ``error`` is its code, ``description`` a sentence for developers."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        """``status`` counts where the answer is JSON."""
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
