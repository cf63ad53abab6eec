"""What a headless check found: one line an app, what was wrong, and whether all of it held."""

from __future__ import annotations

from dataclasses import dataclass, field

LOOKS = 3
"""Before the sign-in, after it, and after the sign-out."""


@dataclass(slots=True)
class AppReport:
    """One app: what it was to go through, how often it was looked at, and what was found wrong, in words.

    ``broken`` says how it fails on purpose, empty if it does not. ``claimed`` is whether the gateway last said that the
    app has confirmed, ``reached`` whether its page was there at the last look, and ``words`` are what was said when.
    """

    id: str
    name: str
    origin: str
    story: str = "signed out, signed in, signed out again; its own page and cookies agree"
    broken: str = ""
    looks: int = 0
    faults: list[str] = field(default_factory=list)
    claimed: bool = False
    reached: bool = True
    words: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every look was taken and none found a fault."""
        return self.looks == LOOKS and not self.faults

    def told(self, when: str, words: str, *, claimed: bool) -> None:
        """What a page said of the app."""
        self.words[when] = words
        self.claimed = claimed

    @property
    def truth(self) -> str:
        """What came of the app, in words: its story, or how it failed and what the person was told of it."""
        if not self.broken:
            return self.story
        said = "; ".join(f"{when}: {words}" for when, words in self.words.items())
        end = "signed out in the end" if self.reached else "cannot be reached"
        return f"fails on purpose ({self.broken}); told as it is: {said}; {end}"


@dataclass(slots=True)
class Report:
    """A whole check; times are seconds."""

    apps: list[AppReport]
    faults: list[str] = field(default_factory=list)
    ending: str = ""
    sign_in_seconds: float = 0.0
    sign_out_seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the truth was told and everything held."""
        return not self.faults and all(app.ok for app in self.apps)

    def as_lines(self) -> list[str]:
        """One line per app, then the result."""
        width = max(len(app.name) for app in self.apps)
        lines = [f"{_mark(ok=app.ok)}  {app.name:<{width}}  {_words(app)}" for app in self.apps]
        lines += [f"{_mark(ok=False)}  {fault}" for fault in self.faults]
        count = len(self.apps)
        times = f"in {self.sign_in_seconds:.1f} s and {self.sign_out_seconds:.1f} s"
        good = sum(1 for app in self.apps if app.ok)
        broken = sum(1 for app in self.apps if app.broken)
        what = f"signed in and out at {good - broken} of {count}" if not broken or self.ok else f"as told at {good}"
        what += f", and the truth told of {broken}" if broken and self.ok else ""
        verdict = f"{what} {times}; at the end: {self.ending or 'nothing was said'}"
        return [*lines, ("held: " if self.ok else "did not hold: ") + verdict]

    def as_json(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "ok": self.ok,
            "apps": [
                {"id": app.id, "ok": app.ok, "faults": app.faults, "broken": app.broken, "told": app.words}
                for app in self.apps
            ],
            "faults": self.faults,
            "ending": self.ending,
            "sign_in_seconds": round(self.sign_in_seconds, 3),
            "sign_out_seconds": round(self.sign_out_seconds, 3),
        }


def _mark(*, ok: bool) -> str:
    return "ok  " if ok else "FAIL"


def _words(app: AppReport) -> str:
    if app.ok:
        return app.truth
    return "; ".join(app.faults) or f"looked at {app.looks} times of {LOOKS}, the check ended early"
