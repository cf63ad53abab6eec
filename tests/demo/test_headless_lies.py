"""What a headless check says of a gateway that is wrong, and of one that leaves its person alone: it does not hold."""

import pytest
from playwright.async_api import Browser

from chain_gateway.core.walk import Kind as Walk
from chain_gateway.core.walk import Outcome
from chain_gateway.demo import faults, person
from chain_gateway.demo.faults import Kind
from chain_gateway.demo.headless import Check
from chain_gateway.demo.options import DemoOptions
from chain_gateway.demo.server import running
from chain_gateway.web import words
from chain_gateway.web.words import Word

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def checked(chromium: Browser, kind: str):
    """The report on a demo whose Bank fails, and what it says of Bank."""
    async with running(DemoOptions(port=0, fail=(f"bank={kind}",))) as ready:
        context = await chromium.new_context()
        report = await Check(ready, context).run()
        await context.close()
    assert not report.ok
    assert report.as_lines()[-1].startswith("did not hold: ")
    return report, next(app for app in report.apps if app.id == "bank").faults


async def test_a_receipt_over_a_session_that_is_not_there_is_found(chromium, monkeypatch):
    """Bank signs that it did it, and its own page says that nobody is signed in."""

    async def forget(request, handler, _seconds):
        response = await handler(request)
        response.cookies.clear()
        response.headers.popall("Set-Cookie", None)
        return response

    monkeypatch.setitem(faults.FAILING, Kind.ERROR, forget)
    _, found = await checked(chromium, "error")
    assert found == ["says signed out after the sign-in"]


@pytest.mark.parametrize("walk", Walk)
async def test_a_word_that_claims_too_much_is_found(chromium, monkeypatch, walk):
    """The last page has a check mark beside a site that was not there."""
    monkeypatch.setitem(words.OUTCOMES[walk], Outcome.UNREACHABLE, Word("ok", "confirmed by", named=True))
    _, found = await checked(chromium, "down")
    assert "cannot be reached, and is called confirmed" in found


async def test_a_person_who_is_left_alone_is_found(chromium, monkeypatch):
    """What they do leads nowhere, as often as they will try: the report says where they are."""
    monkeypatch.setattr(person, "MOVES", 2)
    report, _ = await checked(chromium, "error")
    assert any(fault.startswith("the person was stranded at ") for fault in report.faults)
