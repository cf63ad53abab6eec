"""What a key of the file is called, looks like and means, said once: for messages, for the generated pages, for people.

``Shape`` belongs to a type ("a duration"), ``Told`` to a key ("how long a session of this app may last"). Both ride in
``Annotated`` beside the validators, so that a key cannot be added without its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic_core import PydanticCustomError

REFUSED: Final = "chain_gateway"
"""The type of every error that a validator of this package raises; its context is what ``refuse`` was told."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a value is written, in a few words, e.g. ``"90s", "12h" or seconds``."""

    words: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a key is for, and an example of its value as TOML.

    ``shown`` says whether the whole example of the reference page sets the key, or shows it commented out because
    another key takes its place there. ``default`` stands in the tables where the real default is computed.
    """

    meaning: str
    example: str
    shown: bool = True
    default: str = ""


def refuse(reason: str, hint: str, *, passing: bool = False) -> PydanticCustomError:
    """The error that a validator raises: why, and what to write instead; neither repeats a value that may be secret.

    ``passing``: see ``Problem``.
    """
    return PydanticCustomError(REFUSED, "{reason}", {"reason": reason, "hint": hint, "passing": passing})
