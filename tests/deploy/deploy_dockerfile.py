"""A Dockerfile as steps, what is wrong with one, and its first stage without an engine."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """An instruction and what follows it, on one line."""

    word: str
    text: str


def steps(text: str) -> list[Step]:
    """The instructions of a Dockerfile without comments."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    return [Step(*line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


def stages(found: list[Step]) -> list[list[Step]]:
    """The steps from each FROM to the next."""
    starts = [number for number, step in enumerate(found) if step.word == "FROM"]
    return [found[start:end] for start, end in zip(starts, [*starts[1:], len(found)], strict=True)]


def problems(text: str) -> set[str]:
    """What is wrong with it, by short names."""
    found = steps(text)
    last = {step.word: step.text for step in stages(found)[-1]}
    wrong = {
        "an image without a version": any(
            step.word == "FROM" and not re.match(r"\S+:[0-9]\S*( AS \S+)?$", step.text) for step in found
        ),
        "root": not re.fullmatch(r"[1-9][0-9]{3,}:[1-9][0-9]{3,}", last.get("USER", "")),
        "a shell in between": not all(last.get(word, "").startswith("[") for word in ("ENTRYPOINT", "CMD")),
        "no health": "HEALTHCHECK" not in last,
        "ADD": any(step.word == "ADD" for step in found),
        "everything copied": any(step.word == "COPY" and re.search(r"(^|\s)\.\s", step.text) for step in found),
        "a secret": any(
            step.word in {"ENV", "ARG"} and re.search("SECRET|PASSWORD|TOKEN", step.text) for step in found
        ),
        "a cache": "pip" in text and "PIP_NO_CACHE_DIR=1" not in text,
        "tools in the image": any(step.word == "RUN" for step in stages(found)[-1]),
    }
    return {name for name, is_so in wrong.items() if is_so}


def let_in(ignored: str, path: str) -> bool:
    """Whether a ``.dockerignore`` lets the file at ``path`` into the context; the last line that matches decides."""
    into = True
    for line in ignored.splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            above = [path, *map(str, Path(path).parents)]
            hit = any(fnmatch.fnmatchcase(each, pattern.removeprefix("**/")) for each in above) or (
                pattern.startswith("**/") and any(part == pattern[3:] for part in Path(path).parts)
            )
            into = line.startswith("!") if hit else into
    return into


def run_stage(stage: list[Step], ignored: str, context: Path, root: Path, environ: Mapping[str, str]) -> None:
    """Does what the steps of ``stage`` say in ``root`` in place of /, with ``context`` less what is ignored."""
    folder, known = root, dict(environ)
    for step in stage[1:]:
        match step.word:
            case "ENV":
                known |= dict(pair.split("=", 1) for pair in step.text.split()) | environ
            case "WORKDIR":
                folder = root / step.text.lstrip("/")
                folder.mkdir(parents=True)
            case "COPY":
                *sources, target = step.text.split()
                for source in sources:
                    _copy(context, source, folder / target, ignored)
            case "RUN":
                text = re.sub(r"(?<=[ =])/(?=[a-z])", f"{root}/", step.text)
                done = subprocess.run(
                    ["/bin/sh", "-ec", text], cwd=folder, env=known, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, done.stderr
            case _:
                raise AssertionError(f"a step that is not known here: {step}")


def _copy(context: Path, source: str, target: Path, ignored: str) -> None:
    """A file, or what is in a folder, as far as the context has it."""
    start = context / source
    files = [start] if start.is_file() else [path for path in start.rglob("*") if path.is_file()]
    files = [path for path in files if let_in(ignored, path.relative_to(context).as_posix())]
    assert files, f"{source} is not in the context"
    for path in files:
        to = target / (path.name if path == start else path.relative_to(start))
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
