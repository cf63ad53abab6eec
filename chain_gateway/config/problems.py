"""From what a model refuses to what an operator reads: the path, the reason, and what to write instead.

Nothing here repeats a value: it may be a secret, or one that was written into the wrong line.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from chain_gateway.config.fields import REFUSED, Told
from chain_gateway.config.model import SECTIONS, Section
from chain_gateway.errors import Problem

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_REASONS: Final[Mapping[str, Callable[[Mapping[str, object]], str]]] = {
    "missing": lambda _: "this key must be set",
    "string_type": lambda _: "this must be text in quotes",
    "int_type": lambda _: "this must be a whole number, without quotes",
    "bool_type": lambda _: "this must be true or false, without quotes",
    "tuple_type": lambda _: "this must be a list in brackets",
    "literal_error": lambda context: f"this must be {context['expected']}",
    "greater_than_equal": lambda context: f"this must be {context['ge']} or more",
    "less_than_equal": lambda context: f"this must be {context['le']} or less",
    "string_too_short": lambda _: "this must not be empty",
    "string_too_long": lambda context: f"this must be {context['max_length']} characters or less",
    "too_short": lambda _: "this list must not be empty",
    "too_long": lambda context: f"this list must have {context['max_length']} entries or less",
}


def problems_of(error: ValidationError, model: type[Section], path: str) -> list[Problem]:
    """Every problem of a section, which stands at ``path`` (``gateway``, ``apps[2]``) of the file."""
    details = error.errors(include_url=False, include_input=False)
    inside = {detail["loc"][:-1] for detail in details}
    return [
        _problem(detail, model, path)
        for detail in details
        if not (detail["type"] == "too_short" and detail["loc"] in inside)  # it is only its bad entries that are gone
    ]


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that ``word`` may have been meant to be, or an empty text."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def spelled(key: str) -> str:
    """``key`` as TOML writes it: bare where it can be, else in quotes with every control character escaped."""
    return key if _BARE.fullmatch(key) else json.dumps(key)


def told(info: FieldInfo) -> Told:
    """The words of a key; every key has them (a test walks the model)."""
    return next(entry for entry in info.metadata if isinstance(entry, Told))


def _problem(detail: ErrorDetails, model: type[Section], path: str) -> Problem:
    where = path + "".join(f"[{step}]" if isinstance(step, int) else f".{spelled(step)}" for step in detail["loc"])
    key, kind, context = str(detail["loc"][0]), detail["type"], detail.get("ctx", {})
    if kind == REFUSED:
        return Problem(where, str(context["reason"]), str(context["hint"]), bool(context["passing"]))
    if kind == "extra_forbidden":
        return Problem(where, "there is no such key", _instead(key, model))
    reason = _REASONS[kind](context) if kind in _REASONS else "this is no value for it"
    return Problem(where, reason, _example(key, model.model_fields[key]))


def _instead(key: str, model: type[Section]) -> str:
    """What may have been meant by an unknown key."""
    meant = closest(key, model.model_fields)
    if meant:
        return f"did you mean {meant}?"
    home = next((name for name, section in SECTIONS.items() if key in section.model_fields), "")
    if home:
        return f"{key} belongs in {home}"
    return f"remove it; known here are {', '.join(model.model_fields)}"


def _example(key: str, info: FieldInfo) -> str:
    choices = [f'"{word}"' for word in get_args(info.annotation) if isinstance(word, str)]
    if choices:
        return f"write {key} = {' or '.join(choices)}"
    return f"write for example {key} = {told(info).example}"
