"""The Content-Security-Policy of a page, and the style and scripts that it allows by their SHA-256.

A page may run and show exactly what the project's own files say: the hashes are taken from the sources when the
process starts, never from a page that was made, so that nothing which slipped into a page gets a hash (CSP level 3,
sections 6.1, 8.3). Everything else starts from ``'none'``.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_AROUND: Final = re.compile(r"\s*([{};,])\s*|(?<=:)\s+")
_SPACE: Final = re.compile(r"\s+")


class Inline:
    """The text between ``<style>`` or ``<script>`` and its end tag, and the policy's word for exactly that text.

    Templates print it as it is (``__html__``); it comes from the package's own files alone.
    """

    __slots__ = ("source", "text")

    def __init__(self, text: str) -> None:
        """Raises ValueError where ``text`` would end its own element, or where a page would change its bytes."""
        if "</" in text or "<!--" in text or "\r" in text:
            raise ValueError("an inline style or script must not hold '</', '<!--' or a carriage return")
        self.text = text
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        self.source = f"'sha256-{digest}'"

    def __html__(self) -> str:
        """The text, which a template must not escape."""
        return self.text


def style(*paths: Path) -> Inline:
    """The style sheets at ``paths`` as one, without comments and the white space that only people need."""
    text = _COMMENT.sub("", "".join(path.read_text("utf-8") for path in paths))
    text = _AROUND.sub(lambda found: found[1] or "", _SPACE.sub(" ", text))
    return Inline(text.replace(";}", "}").strip())


def script(path: Path) -> Inline:
    """The script at ``path`` without its comment lines and indentation; its lines stay lines."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return Inline("\n".join(line for line in lines if line and not line.startswith("//")))


def origin_of(url: str) -> str:
    """Scheme, host and port of an absolute ``url`` that was judged before, as a policy names them; empty for empty."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if url else ""


def policy(style_src: Iterable[str], script_src: str = "", form: Iterable[str] = (), connect: str = "") -> str:
    """The header's value. Each argument holds ready source expressions; an empty one allows nothing of its kind.

    ``form`` are all origins that the browser may pass through after the page's form was sent: Chromium holds
    ``form-action`` against every redirect that follows.
    """
    targets = " ".join(dict.fromkeys(form)) or "'none'"
    text = (
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}; style-src {' '.join(style_src)}"
    )
    if script_src:
        text += f"; script-src {script_src}"
    if connect:
        text += f"; connect-src {connect}"
    return text
