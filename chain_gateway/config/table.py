"""The pages that are made of the field table: ``python -m chain_gateway.config.table [readme | reference]``.

A page that is written by hand forgets a key; these cannot. A test compares the files in the tree with what is made
here, so a change of the model carries its documentation with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from chain_gateway.config.model import SECTIONS
from chain_gateway.config.prose import CHECKED, FILES, FORMS, README_INTRO, REFERENCE_INTRO, SECOND_APP
from chain_gateway.config.rows import Row, field_table
from chain_gateway.config.rules import every_rule

HEAD: Final = ("| key | type | default | meaning |", "| --- | --- | --- | --- |")


def readme() -> str:
    """The page beside the ready-made chains: the files, and the keys of each section in short."""
    return _page(
        README_INTRO.format(command="python -m chain_gateway.config.table readme > chain_configs/README.md"),
        _two_columns(("file", "what it is"), {f"[`{name}`]({name})": what for name, what in FILES.items()}),
        *_sections(),
    )


def reference() -> str:
    """The full reference: forms of values, every key, the rules across keys, and a whole example."""
    return _page(
        REFERENCE_INTRO.format(command="python -m chain_gateway.config.table reference > docs/configuration.md"),
        "## How values are written",
        _two_columns(("type", "how it is written"), FORMS),
        *_sections(),
        "## What is refused",
        CHECKED,
        "\n".join(f"- {line}" for line in _rules()),
        "## A whole example",
        f"```toml\n{example()}```",
    )


def example() -> str:
    """A configuration that sets every key which can stand beside the others, each under a comment that explains it."""
    blocks = ["\n".join(_block(section, rows)) for section, rows in _grouped()]
    blocks.insert(-1, SECOND_APP.strip())
    return "\n\n".join(blocks) + "\n"


def main(arguments: Iterable[str]) -> None:
    """Prints the page that the first argument names, the README without one."""
    pages: Mapping[str, Callable[[], str]] = {"readme": readme, "reference": reference}
    sys.stdout.write(pages[next(iter(arguments), "readme")]())


def _grouped() -> Iterator[tuple[str, tuple[Row, ...]]]:
    for section, rows in groupby(field_table(), key=lambda row: row.section):
        yield section, tuple(rows)


def _sections() -> Iterator[str]:
    """For each section its heading, its sentence, and its table."""
    for section, rows in _grouped():
        yield f"## `{section}`"
        yield (SECTIONS[section].__doc__ or "").strip()
        yield "\n".join((*HEAD, *(_line(row) for row in rows)))


def _two_columns(head: tuple[str, str], entries: Mapping[str, str]) -> str:
    lines = (f"| {left} | {right} |" for left, right in entries.items())
    return "\n".join((f"| {head[0]} | {head[1]} |", "| --- | --- |", *lines))


def _line(row: Row) -> str:
    default = "**must be set**" if row.required else row.default
    if default and not row.required and "`" not in default:
        default = f"`{default}`"
    return f"| `{row.key}` | {row.type} | {default} | {row.meaning} |"


def _block(section: str, rows: tuple[Row, ...]) -> Iterator[str]:
    """One section of the example; keys whose place another key takes are commented out."""
    yield section
    for row in rows:
        yield f"# {row.meaning}"
        yield f"{'' if row.shown else '# '}{row.key} = {row.example}"


def _rules() -> Iterator[str]:
    """The keys that each rule looks at, and its first sentence."""
    for keys, rule in every_rule():
        sentence = (rule.__doc__ or "").partition("\n")[0].replace("``", "`")
        yield f"{', '.join(f'`{key}`' for key in keys)}: {sentence}"


def _page(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
