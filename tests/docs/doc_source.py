"""What the source itself says: classes of refusals, the codes they are raised with, and the reasons of receipts."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from chain_gateway.errors import ChainGatewayError
from chain_gateway.oidc import authorization
from chain_gateway.tokens.refusals import Check
from chain_gateway.web.parse import LENGTHS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "chain_gateway"

EXPANDED = {
    ("web/parse.py", "bad_input."): [
        (f"bad_input.{name}", f"{name} is there twice, too long, or has control characters") for name in LENGTHS
    ],
    ("oidc/authorization.py", "op_unavailable."): [
        (f"op_unavailable.{word}", f"the provider answered {word}") for word in sorted(authorization._OUTAGES)
    ],
    ("oidc/authorization.py", "sign_in_failed."): [
        (f"sign_in_failed.{word}", f"the provider answered {word}") for word in sorted(authorization._REFUSALS)
    ],
    ("tokens/refusals.py", "token_refused."): [(check.code, "") for check in Check],
}
"""What stands behind a code that the source makes of a variable. A helper that is called with the check's name first
and the reason second (``_failed("aud", "meant for another client")``) is understood without a row here.
"""

BY_HAND = {
    "op_unavailable.connection": "no connection",
    "sign_in_failed.code": "the token endpoint refused the code",
    "sign_in_failed.token_endpoint": "the token endpoint refused the gateway, not the code",
}
"""What the log says where its text is made of variables alone."""


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Each module of the package by its path, parsed."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return tuple((path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text())) for path in paths)


@cache
def refusals() -> list[type[ChainGatewayError]]:
    """Every class of the tree that has a code of its own, the base first, wherever it is defined."""
    known, found = {"ChainGatewayError"}, [("errors.py", "ChainGatewayError")]
    defined = [(path, node) for path, tree in modules() for node in tree.body if isinstance(node, ast.ClassDef)]
    while more := [
        (path, node.name)
        for path, node in defined
        if node.name not in known and any(isinstance(base, ast.Name) and base.id in known for base in node.bases)
    ]:
        known.update(name for _, name in more)
        found += more
    classes = [getattr(importlib.import_module(_module(path)), name) for path, name in found]
    return [kind for kind in classes if not kind.__name__.startswith("_")]


@cache
def codes() -> dict[str, set[str]]:
    """Each code that narrows the code of a class, with what the log says beside it, where that is a fixed text."""
    words = "|".join(sorted(kind.code for kind in refusals()))
    whole = re.compile(rf"(?:{words})\.[a-z0-9_]+")
    found: dict[str, set[str]] = {}
    for path, tree in modules():
        for code, text in _codes(path, tree, whole, re.compile(rf"(?:{words})\.")):
            found.setdefault(code, set()).update({text} - {""})
    for check in Check:
        found.setdefault(check.code, set()).add(_check_words()[check.name])
    return found | {code: {text} for code, text in BY_HAND.items() if code in found}


def shown_codes() -> list[tuple[str, int, str, str]]:
    """The pages that no exception stands behind: code, status, text, help."""
    found = []
    for _, tree in modules():
        for call in [node for node in ast.walk(tree) if isinstance(node, ast.Call)]:
            if _name(call.func) == "ErrorPage" and isinstance(call.args[0], ast.Constant):
                code, status, text, advice = (ast.literal_eval(argument) for argument in call.args[:4])
                found.append((code, status, text, advice))
    return found


def reasons() -> set[str]:
    """The reasons that an app with the SDK puts into its receipts."""
    found = set()
    for path, tree in modules():
        if path not in {"sdk/hop.py", "sdk/app_side.py"}:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name == "_refusal":
                found |= {_text(each.value) for each in ast.walk(node) if isinstance(each, ast.Return) and each.value}
            if isinstance(node, ast.Call) and _name(node.func) == "Answer":
                found |= {_text(arg) for arg in node.args[1:2]}
            if isinstance(node, ast.keyword) and node.arg == "reason":
                found.add(_text(node.value))
    return found - {"", "…"}


def _codes(path: str, tree: ast.Module, whole: re.Pattern[str], prefix: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and whole.fullmatch(node.value):
            yield node.value, ""
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "code" and node.args and whole.fullmatch(code := _text(keyword.value)):
                    yield code, _text(node.args[0])
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for made in [node for node in ast.walk(function) if isinstance(node, ast.JoinedStr)]:
            if beginning := prefix.match(_text(made)):
                yield from _expanded(path, tree, function, beginning[0])


def _expanded(path: str, tree: ast.Module, function: ast.FunctionDef, beginning: str) -> Iterator[tuple[str, str]]:
    """The codes that ``function`` makes: of what it is called with, or what is known of it."""
    if (path, beginning) in EXPANDED:
        yield from EXPANDED[path, beginning]
        return
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) == function.name]
    said = [(_text(call.args[0]), _text(call.args[1])) for call in calls if _text(call.args[0])]
    if not said:
        raise AssertionError(f"{path}: which codes does {function.name} make? EXPANDED is to say it")
    yield from ((f"{beginning}{check}", reason) for check, reason in said)
    for name in _passed_on(tree):
        yield f"{beginning}{name}", "of the wrong type, or too long"


def _passed_on(tree: ast.Module) -> set[str]:
    """Names of claims that a module reads one after the other, and refuses under that name."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.comprehension)]
    tuples = [node.iter for node in loops if isinstance(node.iter, ast.Tuple)]
    return {_text(item) for each in tuples for item in each.elts} - {""}


def _check_words() -> dict[str, str]:
    """What ``Check`` says of each of its members, in its own source."""
    tree = dict(modules())["tokens/refusals.py"]
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Check")
    pairs = itertools.pairwise(body)
    return {
        _name(first.targets[0]): _text(second.value).rstrip(".")
        for first, second in pairs
        if isinstance(first, ast.Assign) and isinstance(second, ast.Expr)
    }


def _text(node: ast.expr) -> str:
    """A text as the source spells it, with … for what it fills in; empty for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return ""


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _module(path: str) -> str:
    return "chain_gateway." + path.removesuffix(".py").replace("/", ".")
