"""The picture of the machine, drawn from the table itself: ``python -m chain_gateway.core.picture`` prints it."""

from __future__ import annotations

from chain_gateway.core.table import TABLE
from chain_gateway.core.walk import Place


def picture() -> str:
    """A Mermaid state diagram: an arrow a row, labelled with its event, its guard and its effect."""
    lines = ["stateDiagram-v2", "    [*] --> READY"]
    for (place, event), rows in TABLE.items():
        for row in rows:
            guard = "" if row.guard.__name__ == "always" else f" [{_words(row.guard.__name__)}]"
            label = f"{event.__name__}{guard} / {_words(row.effect.__name__)}"
            lines.append(f"    {place.name} --> {row.to.name}: {label}")
    lines += [f"    {place.name} --> [*]" for place in Place if place.ended]
    return "\n".join(lines) + "\n"


def _words(name: str) -> str:
    return name.replace("_", " ")


if __name__ == "__main__":
    print(picture(), end="")  # noqa: T201 - this is what the command is for
