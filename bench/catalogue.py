"""Everything that is measured, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from bench import chromium, login, memory, pages, relay, sizes, start, walk, workers
from bench.figures import Figure, Size, Subject, Words

SUBJECTS: Final[tuple[Subject, ...]] = (
    *relay.SUBJECTS,
    *workers.SUBJECTS,
    *walk.SUBJECTS,
    *chromium.SUBJECTS,
    *login.SUBJECTS,
    *sizes.SUBJECTS,
    *pages.SUBJECTS,
    *start.SUBJECTS,
    *memory.SUBJECTS,
)

WORDS: Final[Mapping[str, Words]] = {name: words for subject in SUBJECTS for name, words in subject.figures.items()}


def chosen(wanted: Iterable[str]) -> list[str]:
    """The names that ``wanted`` mean, in the table's order: each for itself and all that begin with it and a dot.

    Nothing wanted means all. Raises KeyError with the first that means nothing.
    """
    asked = tuple(wanted)
    for each in asked:
        if not any(_means(each, name) for name in WORDS):
            raise KeyError(each)
    return [name for name in WORDS if not asked or any(_means(each, name) for each in asked)]


def measure(names: Iterable[str], size: Size, tell: Callable[[str], None]) -> dict[str, Figure]:
    """The figures of ``names``; ``tell`` hears what is being measured. Raises MeasurementFailed."""
    kept = set(names)
    found: dict[str, Figure] = {}
    for subject in SUBJECTS:
        mine = [name for name in subject.figures if name in kept]
        if mine:
            tell(mine[0])
            figures = subject.take(size)
            found |= {name: figures[name] for name in mine}
    return found


def _means(asked: str, name: str) -> bool:
    return name == asked or name.startswith(asked + ".")
