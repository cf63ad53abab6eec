"""Reading a configuration: file and environment in, ``Settings`` or every problem at once out."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from chain_gateway.config.draft import Reader
from chain_gateway.config.model import Settings
from chain_gateway.config.rules import broken
from chain_gateway.config.sources import Sources
from chain_gateway.errors import ConfigError, Problem, passes

_PLACED: Final = re.compile(r"(.*) \(at (.*)\)", re.DOTALL)
_TOML_HINT: Final = "text stands in quotes, a key is followed by =, and each [ and { has its ] and }"


def load(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in the TOML file at ``path``; ``environ`` is the process's own environment unless given.

    Raises ConfigError with all problems. Relative paths in the file start at its folder.
    """
    return parse(read(path), base=path.absolute().parent, environ=os.environ if environ is None else environ)


def parse(data: Mapping[str, object], *, base: Path, environ: Mapping[str, str]) -> Settings:
    """The settings that ``data`` (a TOML document as Python reads it) holds; ConfigError with all problems."""
    draft = Reader(data, Sources(base, environ)).read()
    problems = sorted((*draft.problems, *broken(draft)), key=_place)
    if problems:
        raise ConfigError(tuple(problems))
    return draft.settings()


def read(path: Path) -> dict[str, object]:
    """The TOML document in the file at ``path``; ConfigError with line and column where it is none."""
    try:
        return tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        problem = Problem(str(path), reason, "name the configuration with --config", passes(error))
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start}", "the file is not UTF-8 text", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        match = _PLACED.fullmatch(str(error))
        what, place = match.groups() if match else ("it cannot be read", str(path))
        problem = Problem(place, f"this is not TOML: {what[:1].lower()}{what[1:]}", _TOML_HINT)
    except (RecursionError, ValueError):  # the parser's own limits
        reason = "it cannot be read: it nests too deep, or has a number that is too long"
        problem = Problem(str(path), reason, _TOML_HINT)
    raise ConfigError((problem,))


_ORDER = tuple(Settings.model_fields)


def _place(problem: Problem) -> tuple[int, int]:
    """Where a problem stands in the file: its section, and which one of them."""
    section, _, rest = problem.path.partition(".")[0].partition("[")
    number = rest.rstrip("]")
    return _ORDER.index(section) if section in _ORDER else -1, int(number) if number.isdecimal() else -1
