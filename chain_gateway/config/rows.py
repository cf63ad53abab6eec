"""The keys of the file as rows: what the generated pages, the whole example and the tests of both are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from chain_gateway.config.durations import Duration, spelled
from chain_gateway.config.fields import Shape
from chain_gateway.config.model import SECTIONS
from chain_gateway.config.problems import told


@dataclass(frozen=True, slots=True)
class Row:
    """One key: ``section`` is its heading in TOML, ``default`` is TOML too, or words, or empty where there is none."""

    section: str
    key: str
    type: str
    default: str
    required: bool
    meaning: str
    example: str
    shown: bool


def field_table() -> tuple[Row, ...]:
    """Every key of every section, in the order of the model."""
    return tuple(
        _row(section, key, info) for section, model in SECTIONS.items() for key, info in model.model_fields.items()
    )


def _row(section: str, key: str, info: FieldInfo) -> Row:
    words = told(info)
    return Row(
        section=section,
        key=key,
        type=_type(info),
        default=words.default or _default(info),
        required=info.is_required(),
        meaning=words.meaning,
        example=words.example,
        shown=words.shown,
    )


def _type(info: FieldInfo) -> str:
    """The words of the key's own ``Shape``, of its choices, or of the types that it is made of."""
    own = next((entry.words for entry in info.metadata if isinstance(entry, Shape)), "")
    return own or " · ".join(_words(info.annotation))


def _words(annotation: object) -> Iterator[str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated and (shapes := [entry.words for entry in arguments[1:] if isinstance(entry, Shape)]):
        yield shapes[0]
    elif origin is Literal:
        yield from (f"`{json.dumps(word)}`" for word in arguments)
    elif origin is tuple:
        yield f"list: {' · '.join(_words(arguments[0]))}"
    elif origin in {Annotated, Union, UnionType}:
        for argument in arguments[:1] if origin is Annotated else arguments:
            yield from _words(argument)
    elif annotation is not NoneType:
        raise TypeError(f"a type without words: {annotation}")


def _default(info: FieldInfo) -> str:
    """The default as the file would spell it."""
    value = info.default
    if info.is_required() or value is None:
        return ""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        return json.dumps(spelled(value)) if _is_duration(info) else str(value)
    if isinstance(value, tuple):
        return json.dumps(list(value))
    return json.dumps(str(value), ensure_ascii=False)


def _is_duration(info: FieldInfo) -> bool:
    shape = next(entry for entry in get_args(Duration) if isinstance(entry, Shape))
    return shape in info.metadata
