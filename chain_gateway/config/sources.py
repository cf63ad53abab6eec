"""Where values come from that do not stand in the file: environment variables, and files beside it.

All refusals here name the place, never the value; and a place that cannot be one is not named either, as it may be the
value itself, written into the wrong pair of quotes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from pydantic import ValidationInfo

from chain_gateway.config.fields import refuse
from chain_gateway.errors import passes

FILE_BYTES: Final = 64 * 1024
FORMS: Final = 'a string, { env = "NAME" } or { file = "PATH" }'

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""Without waiting for a writer, as opening a named pipe would."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Sources:
    """What a configuration may refer to: files (relative ones are under ``base``) and environment variables."""

    base: Path
    environ: Mapping[str, str]

    def path(self, text: str) -> Path:
        """``text`` as an absolute path; relative ones start at the folder of the configuration file."""
        if "\0" in text:  # which everything that opens a file would raise another error for, and much later
            raise refuse("no path has a NUL in it", "correct the path")
        return Path(os.path.normpath(self.base.absolute() / text))

    def text(self, value: object, *, private: bool) -> str:
        """The text that ``value`` is or refers to, not empty; a ``private`` file must be its owner's alone."""
        match value:
            case str(text):
                place, hint = "the string", f"write {FORMS}"
            case {"env": str(name), **rest} if not rest:
                text = self._variable(name)
                place, hint = f"the environment variable {name}", f"set {name} before the gateway starts"
            case {"file": str(name), **rest} if name and not rest:
                text = self.content(self.path(name), private=private)
                place, hint = f"the file {self.path(name)}", "write the value into it"
            case _:
                raise refuse("this is not a text, nor a place to find one", f"write {FORMS}")
        if not text.strip():
            raise refuse(f"{place} is empty", hint)
        return text

    def content(self, path: Path, *, private: bool) -> str:
        """The text of a file without its last line end. The open file is judged: none can be put in its place."""
        try:
            opened = os.open(path, _READ)
            try:
                _judge_mode(path, os.fstat(opened).st_mode, private=private)
                with os.fdopen(opened, "rb", closefd=False) as file:
                    data = file.read(FILE_BYTES + 1)
            finally:
                os.close(opened)
        except OSError as error:
            reason = f"the file that it names cannot be read: {(error.strerror or 'unknown error').lower()}"
            hint = f"create it, or correct the path; a relative one starts at {self.base}"
            raise refuse(reason, hint, passing=passes(error)) from None
        if len(data) > FILE_BYTES:
            raise refuse(f"the file {path} is larger than {FILE_BYTES} bytes", "name a file with nothing but the value")
        try:
            return data.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise refuse(f"the file {path} is not UTF-8 text", "write the value as text, e.g. as base64url") from None

    def _variable(self, name: str) -> str:
        if _VARIABLE.fullmatch(name) is None:
            raise refuse("env does not name an environment variable", 'write { env = "SHOP_SECRET" } and set that one')
        if name not in self.environ:
            raise refuse(f"the environment variable {name} is not set", f"set {name} before the gateway starts")
        try:
            return self.environ[name].encode().decode()
        except UnicodeEncodeError:  # how Python shows bytes of the environment that are no text
            hint = "write the value as text, e.g. as base64url"
            raise refuse(f"the environment variable {name} is not UTF-8 text", hint) from None


def sources(info: ValidationInfo) -> Sources:
    """The sources that a model is being read with."""
    if not isinstance(info.context, Sources):
        raise TypeError("a configuration is read with its Sources as context")
    return info.context


def seen(path: Path, is_so: Callable[[Path], bool]) -> bool:
    """Whether ``path`` is so (``Path.is_dir``, ``Path.exists``); refused where the system does not say."""
    try:
        return is_so(path)
    except OSError as error:
        reason = f"it cannot be looked at: {(error.strerror or 'unknown error').lower()}"
        raise refuse(reason, "correct the path, or let the gateway's user go there", passing=passes(error)) from None


def _judge_mode(path: Path, mode: int, *, private: bool) -> None:
    if not stat.S_ISREG(mode):
        raise refuse(f"{path} is not a file", "name a plain file that holds nothing but the value")
    if private and mode & _OTHERS:
        hint = f"let only its owner read it: chmod 600 {quote(str(path))}"
        raise refuse(f"the file {path} can be used by others than its owner", hint)
