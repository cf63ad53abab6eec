"""A configuration in service: what it takes over from the one before, and what not."""

from __future__ import annotations

import socket
from pathlib import Path

from serving import made

from chain_gateway.cli.files import Files
from chain_gateway.cli.generation import Generation
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.store.memory import MemoryStore


async def test_an_app_that_a_former_configuration_left_out_is_down_no_more(tmp_path: Path) -> None:
    """Nobody asks it any more, or nobody has yet: an alarm that goes by the metric would never end."""
    settings, keyring = Files(made(tmp_path)).read()
    meter, store = PrometheusMeter(), MemoryStore()
    meter.app_up("bank", up=False)
    assert b'chain_app_up{app="bank"} 0.0' in meter.text()
    await store.open()
    with socket.create_server(("127.0.0.1", 0)) as browsers:
        generation = await Generation.begin(settings, keyring, store, meter, (browsers, None))
        await generation.end()
    assert b'chain_app_up{app="bank"} 1.0' in meter.text()
    assert b'chain_app_down_since_seconds{app="bank"} 0.0' in meter.text()
