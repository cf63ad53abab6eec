"""A configuration with its gaps: what could be read of it, so that rules may look at the rest and nothing is hidden.

A model with one wrong key is no model. But its other keys may break rules as well, and an operator wants to read all
of it at once. So a section that has problems is read again without the keys that have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import ValidationError, create_model

from chain_gateway.config.model import (
    AppSettings,
    ChainSettings,
    GatewaySettings,
    OpSettings,
    Section,
    Settings,
    StoreSettings,
)
from chain_gateway.config.problems import closest, problems_of, spelled
from chain_gateway.config.sources import Sources
from chain_gateway.errors import Problem

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True)
class Checked(Generic[S]):
    """A section as far as it could be read. What ``value`` has at the keys in ``bad`` means nothing."""

    path: str
    value: S
    bad: frozenset[str] = frozenset()

    def fine(self, *keys: str) -> bool:
        """Whether all of ``keys`` were read."""
        return self.bad.isdisjoint(keys)


@dataclass(frozen=True, slots=True)
class Draft:
    """The sections of a file, and what was found wrong in each while it was read."""

    gateway: Checked[GatewaySettings]
    store: Checked[StoreSettings]
    op: Checked[OpSettings]
    apps: tuple[Checked[AppSettings], ...]
    chains: tuple[Checked[ChainSettings], ...]
    problems: tuple[Problem, ...] = field(default=())

    def settings(self) -> Settings:
        """The settings, once it is known that nothing is wrong with them."""
        return Settings(
            gateway=self.gateway.value,
            store=self.store.value,
            op=self.op.value,
            apps=tuple(app.value for app in self.apps),
            chains=tuple(chain.value for chain in self.chains),
        )


class Reader:
    """Reads the sections of one file and gathers what is wrong with them."""

    def __init__(self, data: Mapping[str, object], sources: Sources) -> None:
        """``data`` is the file's content as TOML gives it."""
        self._data = data
        self._sources = sources
        self._problems: list[Problem] = []

    def read(self) -> Draft:
        """All sections."""
        for key in self._data.keys() - Settings.model_fields.keys():
            meant = closest(key, Settings.model_fields)
            hint = f"did you mean {meant}?" if meant else f"known are {', '.join(Settings.model_fields)}"
            self._problems.append(Problem(spelled(key), "there is no such section", hint))
        return Draft(
            gateway=self._table(GatewaySettings, "gateway", self._data.get("gateway", {})),
            store=self._table(StoreSettings, "store", self._data.get("store", {})),
            op=self._table(OpSettings, "op", self._data.get("op", {})),
            apps=self._tables(AppSettings, "apps"),
            chains=self._tables(ChainSettings, "chains"),
            problems=tuple(self._problems),
        )

    def _tables(self, model: type[S], name: str) -> tuple[Checked[S], ...]:
        found = self._data.get(name, [])
        if isinstance(found, list | tuple) and found:
            return tuple(self._table(model, f"{name}[{index}]", raw) for index, raw in enumerate(found))
        self._problems.append(
            Problem(name, f"there must be at least one entry of {name}", f"write [[{name}]] and its keys")
        )
        return ()

    def _table(self, model: type[S], path: str, raw: object) -> Checked[S]:
        if isinstance(raw, Mapping):
            return self._section(model, path, raw, frozenset())
        self._problems.append(
            Problem(path, "this must be a table", f"write [{path}] on a line of its own, then its keys")
        )
        return Checked(path, _lenient(model, frozenset()).model_construct(), frozenset(model.model_fields))

    def _section(self, model: type[S], path: str, raw: Mapping[str, object], bad: frozenset[str]) -> Checked[S]:
        """The section without the keys in ``bad``, and without those that turn out to be bad as well."""
        reader = _lenient(model, bad) if bad else model
        rest = {key: value for key, value in raw.items() if key not in bad}
        try:
            return Checked(path, reader.model_validate(rest, context=self._sources), bad)
        except ValidationError as error:
            self._problems.extend(problems_of(error, model, path))
            found = (str(detail["loc"][0]) for detail in error.errors(include_url=False, include_input=False))
            return self._section(model, path, raw, bad.union(found))


@lru_cache
def _lenient(model: type[S], bad: frozenset[str]) -> type[S]:
    """``model`` with no key that must be set: those that are not there, or are ``bad``, are None."""
    gaps = {name: copy(info) for name, info in model.model_fields.items() if info.is_required() or name in bad}
    for info in gaps.values():
        info.default, info.validate_default = None, False
    fields: dict[str, Any] = {name: (info.annotation, info) for name, info in gaps.items()}
    return create_model(model.__name__, __base__=model, **fields)
