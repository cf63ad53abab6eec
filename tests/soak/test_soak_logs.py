"""What the gateways of a soak have logged: an exception, and anything secret, is found."""

from __future__ import annotations

from soak_traces import a_trace, broken

from bench.soak import reading


def test_an_exception_in_a_log() -> None:
    """A line with a traceback, and one that is none of ours, as an interpreter that breaks writes it."""
    trace = a_trace()
    lines = [
        {"event": "walk.begun", "kind": "login", "walk": "w"},
        {"event": "background.failed", "exception": "Trace"},
    ]
    assert reading.read(trace, lines)["begun"] == {"login": 1, "logout": 0}
    assert broken(trace) == ["no_exception_is_unhandled"]


def test_a_secret_in_a_log() -> None:
    """One that was planted, in the middle of a word, and one that a browser had; ids of walks are none."""
    planted, seen = ["a secret of the configuration"], {"eyJhbGciOiJFUzI1NiJ9.x.y", "short"}
    assert reading.leaks('{"walk": "kC9ORQiTugbUp1n92MlZGg", "short": 1}', planted, seen) == []
    assert reading.leaks("fine\nxa secret of the configurationx", planted, seen) == ["line 2 has planted 0"]
    assert reading.leaks('{"url": "eyJhbGciOiJFUzI1NiJ9.x.y"}', planted, seen) == ["line 1 has what a browser had"]
    trace = a_trace()
    trace.leaks = ["line 1"]
    assert broken(trace) == ["nothing_secret_is_logged"]
