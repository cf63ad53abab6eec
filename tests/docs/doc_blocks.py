"""The parts of the documentation that are made of the source: ``python tests/docs/doc_blocks.py`` writes them anew.

A part stands between ``<!-- made: NAME -->`` and ``<!-- end: NAME -->``. What surrounds it is written by hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import doc_source

from chain_gateway.core import plan
from chain_gateway.core.picture import picture

ROOT = Path(__file__).parents[2]
MADE = re.compile(r"(<!-- made: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(<!-- end: (?P=name) -->)", re.DOTALL)


def machine() -> str:
    """The picture of the machine."""
    return f"```mermaid\n{picture()}```\n"


def rules(table: Iterable[tuple[object, bool, str]]) -> str:
    """The rules of a plan, in their order."""
    numbered = enumerate(table, 1)
    rows = [(str(number), "visited" if visited else "passed", words) for number, (_, visited, words) in numbered]
    return _table(("", "the app is", "because"), rows)


def refusals() -> str:
    """Each class of refusal: code, status, text, help."""
    known = [(kind.code, kind.status, kind.text, kind.help) for kind in doc_source.refusals()]
    rows = [(f"`{code}`", str(status), *said) for code, status, *said in sorted(known + doc_source.shown_codes())]
    return _table(("code", "status", "what the person reads", "and is advised"), rows)


def codes() -> str:
    """Each code that says at which check it was."""
    rows = [(f"`{code}`", "; ".join(sorted(map(_quoted, said)))) for code, said in sorted(doc_source.codes().items())]
    return _table(("code", "when"), rows)


def mutations() -> str:
    """Each defence that was switched off once, and the test that then goes red."""
    rows = [
        (row["id"], row["defence"], f"[{_test_name(row['test'])}](../{row['test'].partition('::')[0]})")
        for path in sorted((ROOT / "tests" / "mutations").glob("*.toml"))
        for row in tomllib.loads(path.read_text())["mutation"]
    ]
    return _table(("id", "defence", "test"), sorted(rows, key=_by_threat))


BLOCKS: Mapping[str, Callable[[], str]] = {
    "machine": machine,
    "plan-login": lambda: rules(plan.LOGIN_RULES),
    "plan-logout": lambda: rules(plan.LOGOUT_RULES),
    "refusals": refusals,
    "codes": codes,
    "mutations": mutations,
}


def pages() -> list[Path]:
    """Every page that may have such a part."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def written(text: str) -> str:
    """A page with its made parts as they should be; KeyError if it asks for one that is not known."""
    return MADE.sub(lambda part: f"{part[1]}\n{BLOCKS[part['name']]()}\n{part[4]}", text)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _quoted(text: str) -> str:
    return text[:1].lower() + text[1:].replace("``", "`")


def _test_name(test: str) -> str:
    return test.partition("::")[2].partition("[")[0].removeprefix("test_").replace("_", " ")


def _by_threat(row: tuple[str, ...]) -> tuple[bool, str, str]:
    """Threats first, then faults and invariants, then the rest."""
    return (re.match(r"[TFI]\d", row[0]) is None, {"T": "0", "F": "1", "I": "2"}.get(row[0][:1], "3") + row[0], row[1])


if __name__ == "__main__":
    for page in pages():
        page.write_text(written(page.read_text()))
