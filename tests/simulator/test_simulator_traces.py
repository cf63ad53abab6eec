"""The gateway as a process that sends its spans, over HTTP, to a receiver: a walk is found there by its id."""

from __future__ import annotations

from pathlib import Path

import pytest
from simulator_process import a_gateway_process
from simulator_world import NAMES
from support.spans import a_receiver, told

from chain_gateway.core.packing import unpack


async def test_a_walk_is_one_trace_at_whoever_takes_the_spans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it has arrived when the gateway has stopped, under the name that the environment gives it."""
    with a_receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_SERVICE_NAME", "sign-in")
        async with a_gateway_process(tmp_path) as (simulation, process), simulation.browser() as browser:
            await simulation.at_first_hop(browser)
            (stored,) = await simulation.store.open_everywhere(10)
            await browser.walk_on()
            assert await simulation.signed_in(browser) == dict.fromkeys(NAMES, "demo|alice")
            process.stop()
            await process.ended(1)
            await simulation.front.ready.wait()  # the next one
            assert process.codes == [0]
    (root,) = receiver.named("walk login")
    assert (root.trace_id, root.parent_span_id) == (stored.id, b"")
    hops = receiver.named("hop ")
    assert sorted(told(hop)["chain.app"] for hop in hops) == sorted(NAMES)
    assert {(hop.trace_id, hop.parent_span_id) for hop in hops} == {(root.trace_id, root.span_id)}
    assert len(hops) == len(unpack(stored.state).hops)
    linked = {link.trace_id for span in receiver.named("GET /relay") for link in span.links}
    assert linked == {stored.id}
    assert {link.trace_id for hop in hops for link in hop.links} <= {s.trace_id for s in receiver.named("GET /relay")}
    assert receiver.paths == {"/v1/traces"}
    assert {resource["service.name"] for resource, _ in receiver.spans} == {"sign-in"}
