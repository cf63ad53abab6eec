"""Where browsers of a soak end up, and by how many redirects: what no person or browser would take is found."""

from __future__ import annotations

import asyncio

from soak_traces import a_trace, broken

from bench.soak.browser import Browser, Tab
from bench.soak.checks import REDIRECTS, violations
from bench.soak.person import Person
from bench.soak.trace import Trace, Trip


def test_somebody_who_is_stranded() -> None:
    """Whatever they wanted."""
    trace = a_trace()
    trace.trips.append(Trip(1, "login", "stranded at http://bank with 500"))
    assert broken(trace) == ["nobody_is_stranded"]


def test_more_redirects_than_a_browser_follows() -> None:
    """One more is too many."""
    trace = a_trace()
    trace.trips.append(Trip(1, "login", "back", redirects=REDIRECTS))
    assert broken(trace) == []
    trace.trips.append(Trip(1, "login", "back", redirects=REDIRECTS + 1, way=("bank/chain/hop", "gateway/relay")))
    assert broken(trace) == ["browsers_follow"]
    (said,) = violations(trace)["browsers_follow"]
    assert said == "20 redirects in a row in browser 1: bank/chain/hop > gateway/relay"


async def test_a_run_of_redirects_keeps_its_way() -> None:
    """Host and path of each address, without the query; a run that is shorter does not replace it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        left = int(asked[2:].partition("?")[0]) if asked.startswith("/n") else -1
        head = f"303 See Other\r\nLocation: /n{left - 1}?x=y" if left > 0 else "200 OK" if left == 0 else "410 Gone"
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        site = f"http://bank.localhost:{server.sockets[0].getsockname()[1]}"
        async with Tab(Browser(1, "alice", Trace(), set())) as tab:
            await tab.open(f"{site}/n2?a=b")
            await tab.open(f"{site}/n1")
            assert (tab.redirects, tab.way) == (2, ["bank/n2", "bank/n1", "bank/n0"])
            tab.way.clear()
            await Person(tab, site, site, {"bank": site})._trip("login", tab.open(f"{site}/n{REDIRECTS + 9}"))
    (trip,) = tab.browser.trace.trips
    assert trip.redirects == REDIRECTS + 2
    assert trip.way == tuple(f"bank/n{n}" for n in range(REDIRECTS + 9, 7, -1))
