"""The claims of a signed text: which must and may be there, and each of its strict type.

JSON's types are taken as they are: ``true`` is no integer, ``"5"`` and ``5.0`` neither. Integers stay within what
every JSON library represents exactly (RFC 7493 section 2.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from chain_gateway.core.limits import ID_CHARS, SKEW_SECONDS
from chain_gateway.tokens.refusals import Check, refused

TEXT_CHARS: Final = 255
"""How long a name that somebody else chose may be: ``sub`` (OIDC Core section 2), ``sid``, ``acr``, an app's id."""

_MOST = 2**53 - 1
_IDENT = re.compile(rf"[A-Za-z0-9_-]{{1,{ID_CHARS}}}")


@dataclass(frozen=True, slots=True)
class Rule:
    """The names of the claims that must be there and of those that may; any other is one too many."""

    must: frozenset[str]
    may: frozenset[str] = frozenset()
    known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """All names, put together once."""
        object.__setattr__(self, "known", self.must | self.may)

    def broken_by(self, names: Mapping[str, object]) -> str:
        """What is wrong with the names of these claims, in words for a log; empty if nothing is."""
        present = names.keys()
        if not self.must <= present:
            return f"without {', '.join(sorted(self.must - present))}"
        if present <= self.known:
            return ""
        return f"with {len(present - self.known)} claims too many"


class Claims:
    """Reads claims one by one; each method raises TokenRefused unless the claim is of its type and within bounds.

    Text that is absent reads as empty: whether it may be absent is the rule's matter (``obey``).
    """

    def __init__(self, kind: str, members: Mapping[str, object]) -> None:
        """``kind`` is the ``typ``, for the log."""
        self._kind = kind
        self._members = members

    def __contains__(self, name: str) -> bool:
        """Whether the claim is there."""
        return name in self._members

    def obey(self, rule: Rule) -> None:
        """Returns if the claims that are there are those of ``rule``."""
        if wrong := rule.broken_by(self._members):
            raise refused(Check.CLAIMS, f"a {self._kind} {wrong}")

    def text(self, name: str, most: int = TEXT_CHARS) -> str:
        """A text of one to ``most`` characters, without control characters."""
        value = self._members.get(name)
        if isinstance(value, str) and 0 < len(value) <= most and value.isprintable():
            return value
        return self._absent(name)

    def ident(self, name: str) -> str:
        """An opaque name of ours: base64url, at most 32 characters."""
        value = self._members.get(name)
        if isinstance(value, str) and _IDENT.fullmatch(value):
            return value
        return self._absent(name)

    def words(self, name: str, most: int) -> str:
        """A text of printable ASCII."""
        value = self.text(name, most)
        if not value.isascii():
            raise self._wrong(name)
        return value

    def url(self, name: str, most: int) -> str:
        """A text of visible ASCII."""
        value = self.words(name, most)
        if " " in value:
            raise self._wrong(name)
        return value

    def integer(self, name: str, most: int = _MOST) -> int:
        """An integer from 0 to ``most``."""
        value = self._members.get(name)
        if type(value) is not int or not 0 <= value <= most:
            raise self._wrong(name)
        return value

    def members(self, name: str) -> dict[str, object]:
        """An object; an absent one reads as empty."""
        value = self._members.get(name, {})
        if not isinstance(value, dict):
            raise self._wrong(name)
        return value

    def party(self, name: str, expected: str, check: Check) -> str:
        """``iss`` or ``aud``, which must be exactly ``expected``."""
        if self._members.get(name) != expected:
            raise refused(check, f"a {self._kind} whose {name} is somebody else")
        return expected

    def life(self, most: int, now: int) -> tuple[int, int]:
        """``iat`` and ``exp``, at most ``most`` seconds apart, around ``now`` with the skew that is borne."""
        issued, expires = self.integer("iat"), self.integer("exp")
        if not 0 < expires - issued <= most:
            raise self._wrong("exp")
        self._begun(issued, now)
        if now >= expires + SKEW_SECONDS:
            raise refused(Check.EXPIRED, f"a {self._kind} past its time")
        return issued, expires

    def issued(self, now: int) -> int:
        """``iat``, not in the future but for the skew that is borne."""
        issued = self.integer("iat")
        self._begun(issued, now)
        return issued

    def _begun(self, issued: int, now: int) -> None:
        if issued > now + SKEW_SECONDS:
            raise refused(Check.EARLY, f"a {self._kind} issued in the future")

    def _absent(self, name: str) -> str:
        """How a text reads that is not there; TokenRefused if it is there all the same, and no such text."""
        if name in self._members:
            raise self._wrong(name)
        return ""

    def _wrong(self, name: str) -> Exception:
        return refused(Check.CLAIMS, f"a {self._kind} with a {name} of the wrong type or size")
