"""Ids, names and words of a configuration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from chain_gateway.config.fields import Shape, refuse
from chain_gateway.config.sources import seen, sources
from chain_gateway.core.limits import ID_CHARS

NAME_CHARS: Final = 64
LOGIN_MODES: Final = ("form_post", "two_step", "external", "none")
LOGOUT_MODES: Final = ("redirect", "form_post", "external", "back_channel", "none")

_ID = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{ID_CHARS - 1}}}")

_NO_LOGIN_MODE: Final = {
    "redirect": "a login ticket is never accepted unbound, and nothing ties a plain redirect to this browser",
    "back_channel": "a login ticket is never accepted unbound, and a back channel never sees the browser",
}
_NO_LOGOUT_MODE: Final = {"two_step": "the gateway takes to two_step by itself where a redirect meets another browser"}


def read_id(text: str) -> str:
    """``text`` if it is an id."""
    if _ID.fullmatch(text) is None:
        raise refuse(
            f"an id is up to {ID_CHARS} lower-case letters, digits, - and _, and begins with a letter or digit",
            'write an id such as "shop" or "news-2"; `name` is what people read',
        )
    return text


def read_name(text: str) -> str:
    """``text`` if it can be shown to people on one line."""
    if not text.strip() or len(text) > NAME_CHARS or not text.isprintable():
        raise refuse(f"a name is 1 to {NAME_CHARS} printable characters on one line", "write it as people know it")
    return text


def read_word(text: str) -> str:
    """``text`` if it can be the name of a claim."""
    if not text or len(text) > NAME_CHARS or not text.isprintable() or " " in text:
        raise refuse(f"a claim's name is 1 to {NAME_CHARS} visible characters", 'write its name, e.g. "email"')
    return text


def read_scope(text: str) -> str:
    """``text`` if it asks for an ID token (OpenID Connect Core 1.0, section 3.1.2.1)."""
    if "openid" not in text.split(" "):
        raise refuse("without openid the provider gives no ID token", 'write "openid profile email"')
    return text


def read_login(value: object) -> object:
    """``value``, unless it is a mode that ties a ticket to no browser (docs/protocol.md, section 3)."""
    return _not_in(value, _NO_LOGIN_MODE, LOGIN_MODES)


def read_logout(value: object) -> object:
    """``value``, unless it is a mode that is no operator's choice."""
    return _not_in(value, _NO_LOGOUT_MODE, LOGOUT_MODES)


def read_folder(value: object, info: ValidationInfo) -> Path:
    """An existing folder, as an absolute path."""
    if isinstance(value, str) and value and seen(path := sources(info).path(value), Path.is_dir):
        return path
    raise refuse(
        "there is no such folder", "create it, or correct the path; a relative one starts at the configuration's folder"
    )


def read_log_file(value: object, info: ValidationInfo) -> Path:
    """A file to be written to, as an absolute path; its folder must be there."""
    if isinstance(value, str) and value:
        path = sources(info).path(value)
        if seen(path.parent, Path.is_dir) and not seen(path, Path.is_dir):
            return path
    raise refuse(
        "no file can be written there",
        "create its folder, or correct the path; a relative one starts at the configuration's folder",
    )


def _not_in(value: object, refused: dict[str, str], known: tuple[str, ...]) -> object:
    if isinstance(value, str) and value in refused:
        raise refuse(refused[value], f"write {one_of(known)}")
    return value


def one_of(words: tuple[str, ...]) -> str:
    """The words as a choice, e.g. ``"first", "last" or "none"``."""
    *others, last = (f'"{word}"' for word in words)
    return f"{', '.join(others)} or {last}" if others else last


Id = Annotated[str, AfterValidator(read_id), Shape("id")]
Name = Annotated[str, AfterValidator(read_name), Shape("text")]
ClaimName = Annotated[str, AfterValidator(read_word), Shape("text")]
Scope = Annotated[str, AfterValidator(read_scope), Shape("text")]
LogFile = Annotated[Path, BeforeValidator(read_log_file), Shape("path of a file")]
Folder = Annotated[Path, BeforeValidator(read_folder), Shape("path of a folder")]
