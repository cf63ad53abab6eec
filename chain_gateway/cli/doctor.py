"""``doctor``: looks at the real world that a configuration names, and says what to do about each thing it finds."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chain_gateway.cli import keys, logs
from chain_gateway.cli.console import DONE, FAILED, say, say_json, visible
from chain_gateway.config.load import load
from chain_gateway.doctor.diagnose import diagnose, paste
from chain_gateway.doctor.findings import Finding, Level
from chain_gateway.doctor.look import worst
from chain_gateway.store.urls import open_store

STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.BAD: "bold red"}


def doctor(path: Path, *, as_json: bool) -> int:
    """Prints what was found and what to paste at the provider; 1 if people would notice something, else 0.

    With ``as_json`` it is one object: ``{"ok": bool, "findings": [{"subject", "level", "text", "hint"}, …], "paste":
    {name: URL}}``. ConfigError if the configuration itself does not hold.
    """
    logs.configure(least=logging.CRITICAL)  # what fails is a finding
    settings = load(path)
    keyring = keys.load(settings.gateway.keys)
    found = asyncio.run(diagnose(settings, keyring, open_store(settings.store.url)))
    pasted = paste(settings)
    if as_json:
        say_json({"ok": not worst(found), "findings": [_members(finding) for finding in found], "paste": pasted})
    else:
        _print(found, pasted, Console(highlight=False, soft_wrap=True))
    return FAILED if worst(found) else DONE


def _members(finding: Finding) -> dict[str, str]:
    return {
        "subject": finding.subject,
        "level": finding.level.value,
        "text": finding.text,
        "hint": finding.hint,
    }


def _print(found: list[Finding], pasted: dict[str, str], console: Console) -> None:
    for finding in found:
        hint = f"\n        {finding.hint}" if finding.hint else ""
        words = visible(f"{finding.subject}: {finding.text}{hint}")
        console.print(Text.assemble((f"{finding.level.value:<6}", STYLES[finding.level]), words))
    say("\nAt the provider:")
    for name, url in pasted.items():
        say(f"  {name}: {url}")
