"""The looks at files on this machine; nothing is made, as whoever looks may be root."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from chain_gateway.doctor.findings import Finding, bad, ok, warn
from chain_gateway.ops.audit_log import is_open


def at_audit_log(path: Path | None) -> Iterator[Finding]:
    """Whether the file of the audit log is its owner's alone, where there is to be one; a group may read it."""
    if path is None:
        return
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        yield ok("audit log", "its file is made by the gateway when that starts")
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        yield bad("audit log", f"it cannot be reached: {reason}", "correct gateway.audit_log, or the folder's mode")
    else:
        if is_open(mode):
            hint = f"let no others use it: chmod u=rw,g=r,o= {quote(str(path))}, and what rotates it makes new ones so"
            yield warn("audit log", f"others can read or write it: its mode is {stat.S_IMODE(mode):o}", hint)
        else:
            yield ok("audit log", "others than its owner and its group cannot use it")
