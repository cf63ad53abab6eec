"""``serve`` with traces: each worker sends its own, and whoever does not take them holds up no end."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from serving import made, serving
from support.spans import a_receiver, told

from chain_gateway.ops.tracing import STOP_SECONDS

ASKS = "/logout?app=shop&return_to=canary"


def test_each_worker_sends_what_it_has_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the last request, and without a word of what was asked."""
    path = made(tmp_path)
    with a_receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")
        with serving(path, "--workers", "2") as gateway:
            first, second = gateway.workers(2)
            os.kill(first, signal.SIGSTOP)
            assert gateway.get(ASKS)[0] == 400
            os.kill(first, signal.SIGCONT)
            os.kill(second, signal.SIGSTOP)
            assert gateway.get(ASKS)[0] == 400
            os.kill(second, signal.SIGCONT)
            gateway.send(signal.SIGTERM)
            assert gateway.ended() == 0
    requests = [
        (resource["process.pid"], told(span)) for resource, span in receiver.spans if span.name == "GET /logout"
    ]
    assert sorted(pid for pid, _ in requests) == sorted([str(first), str(second)])
    assert {facts["http.response.status_code"] for _, facts in requests} == {"400"}
    assert {resource["service.name"] for resource, _ in receiver.spans} == {"chain-gateway"}
    assert "canary" not in str(receiver.spans)


def test_whoever_does_not_take_them_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway waits a little, and then goes without."""
    path = made(tmp_path)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with serving(path) as gateway:
            assert gateway.get(ASKS)[0] == 400
            gateway.send(signal.SIGTERM)
            began = time.monotonic()
            assert gateway.ended() == 0
            assert time.monotonic() - began < STOP_SECONDS + 15
