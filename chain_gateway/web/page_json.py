"""The same views for programs: what a client gets that asks with ``Accept: application/json``.

A ticket or the hidden fields of a form are never part of it: those belong to the browser that shows the page.
"""

from __future__ import annotations

from chain_gateway.service.views import ConfirmPage, ErrorPage, HopPage, Page, PausePage, WalkPage, WalkView


def as_json(page: Page) -> dict[str, object]:
    """``page`` as an object of plain JSON values.

    An error has the members of OAuth's (RFC 6749, section 5.2) with ``help`` and ``reference``; everything about a
    walk has its id, kind, apps, counts and links; links that lead nowhere are left out.
    """
    match page:
        case ErrorPage():
            return _error(page)
        case ConfirmPage():
            return {"confirm": "logout", "sites": list(page.sites), "links": _links(stay=page.stay_url)}
        case HopPage():
            return _walk(page.view) | {"app": page.app_name, "links": _links(skip=page.skip_url)}
        case PausePage():
            return _walk(page.view) | {"links": _links(go_on=page.continue_url)}
        case WalkPage():
            links = _links(
                resume=page.resume_url,
                skip=page.skip_url,
                finish=page.finish_url,
                again=page.again_url,
                retry=page.retry_url,
                go_on=page.continue_url,
            )
            end = {"superseded": page.superseded, "aborted_by": page.aborted_by}
            return _walk(page.view) | end | {"links": links}


def _error(page: ErrorPage) -> dict[str, object]:
    return {
        "error": page.code,
        "error_description": page.text,
        "help": page.help,
        "reference": page.reference,
        "links": [{"url": link.url, "text": link.text} for link in page.links],
    }


def _walk(view: WalkView) -> dict[str, object]:
    return {
        "id": view.walk_id,
        "kind": view.kind.word,
        "apps": [
            {"id": line.app_id, "name": line.name, "outcome": line.outcome.word, "reason": line.reason}
            for line in view.lines
        ],
        "op": None if view.op_outcome is None else view.op_outcome.word,
        "done": view.done,
        "total": len(view.lines),
        "ended": view.ended,
    }


def _links(*, go_on: str = "", **others: str) -> dict[str, str]:
    """The links that lead somewhere; ``continue`` is spelled ``go_on`` here, as the word is Python's own."""
    return {name: url for name, url in {**others, "continue": go_on}.items() if url}
