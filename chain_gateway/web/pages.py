"""The pages that people see: each view becomes HTML with the headers that belong to it, or JSON for a program.

Templates decide nothing: what they print is prepared here, in rows and words. They escape by default, have no inline
handler and no style attribute, and work without script. An operator's ``templates_dir`` replaces a template by its
name; ``{% extends "chain_gateway/hop.html" %}`` reaches the original. The hop's page is made for each hop of each
walk, so it lists a few apps only, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import aiohttp_jinja2
import jinja2
from aiohttp import web
from markupsafe import Markup

from chain_gateway.core.walk import Kind
from chain_gateway.service.views import AppLine, ConfirmPage, ErrorPage, HopPage, Page, PausePage, WalkPage, WalkView
from chain_gateway.web import csp
from chain_gateway.web.excerpt import LISTED, excerpt
from chain_gateway.web.page_json import as_json
from chain_gateway.web.verdict import progress, verdict
from chain_gateway.web.words import DOING, OP_NAME, op_word, reason, word

__all__ = ["Pages", "Rendered", "as_json"]

HERE: Final = Path(__file__).parent
ITEMS: Final = 4096
"""How many list items are kept ready: 200 apps in every state of both kinds of walk."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page's text and the headers that are its own; those of every answer come from the middleware."""

    html: str
    headers: Mapping[str, str]


class Pages:
    """Renders views. ``own_origin`` is the gateway's, ``title`` the operator's name for it.

    ``static_dir`` counts when it holds a ``style.css``: that is linked from ``/static/style.css`` after the inline one.
    """

    def __init__(self, title: str, own_origin: str, templates_dir: Path | None, static_dir: Path | None) -> None:
        """Reads and compiles everything; raises jinja2.TemplateError where an operator's template does not compile."""
        self._own = own_origin
        style = csp.style(HERE.parent / "colours.css", HERE / "static/style.css")
        self._walk_script = csp.script(HERE / "static/walk.js")
        self._pause_script = csp.script(HERE / "static/pause.js")
        themed = static_dir is not None and (static_dir / "style.css").is_file()
        self._style_src = (style.source, "'self'") if themed else (style.source,)
        self.environment = environment(templates_dir)
        self.environment.globals.update(title=title, style=style, themed=themed)
        names = ("hop", "pause", "confirm", "walk", "error")
        # One line of a list. There are few different ones, and each is printed at every hop that comes after it.
        macro: Callable[[str, str, str], Markup] = vars(self.environment.get_template("item.html").module)["item"]
        self._item = lru_cache(maxsize=ITEMS)(macro)
        self._templates = {name: self.environment.get_template(f"{name}.html") for name in names}

    def setup(self, app: web.Application) -> None:
        """Lets handlers of ``app`` render through aiohttp-jinja2 with the same templates and overrides."""
        app[aiohttp_jinja2.APP_KEY] = self.environment

    def render(self, page: Page, *, status: int) -> Rendered:
        """The page as HTML; ``status`` is told to the template."""
        match page:
            case HopPage():
                return self._hop(page, status)
            case PausePage():
                return self._pause(page, status)
            case ConfirmPage():
                return self._confirm(page, status)
            case WalkPage():
                return self._walk(page, status)
            case ErrorPage():
                return self._error(page, status)

    def _hop(self, page: HopPage, status: int) -> Rendered:
        view = page.view
        part = excerpt(view)
        return self._rendered(
            "hop",
            status,
            self._policy(self._walk_script, form=page.form_origins, connect=csp.origin_of(page.ping_url)),
            # The app sees the gateway's origin on the POST, which is what it goes by; a path it never sees.
            referrer="strict-origin",
            page=page,
            script=self._walk_script,
            heading=progress(view),
            doing=DOING[view.kind],
            items=[self._line(line, view) for line in part.lines],
            counts=part.counts,
            settled=part.settled,
            total=len(view.lines),
        )

    def _pause(self, page: PausePage, status: int) -> Rendered:
        return self._rendered(
            "pause",
            status,
            self._policy(self._pause_script),
            page=page,
            script=self._pause_script,
            heading=progress(page.view),
            settled=excerpt(page.view).settled,
            total=len(page.view.lines),
        )

    def _confirm(self, page: ConfirmPage, status: int) -> Rendered:
        policy = self._policy(form=(self._own, *page.form_origins))
        count = len(page.sites)
        what = page.sites[0] if count == 1 else f"{count} sites" if count else ""
        heading = f"Sign out of {what}?" if what else "Sign out?"
        return self._rendered("confirm", status, policy, page=page, heading=heading, fold=count > LISTED)

    def _walk(self, page: WalkPage, status: int) -> Rendered:
        view, said = page.view, verdict(page)
        fold = len(view.lines) > LISTED
        items = [self._line(line, view) for line in view.lines if not (fold and line.outcome.proven)]
        if view.op_outcome is not None:
            known = op_word(view.op_outcome, ended=view.ended)
            items.insert(0, self._item(known.icon, OP_NAME, known.text))
        return self._rendered(
            "walk",
            status,
            self._policy(),
            page=page,
            verdict=said,
            heading=said.heading,
            links=_ways(page),
            items=items,
            folded=[self._line(line, view) for line in view.lines if fold and line.outcome.proven],
            settled=excerpt(view).settled,
            total=len(view.lines),
        )

    def _error(self, page: ErrorPage, status: int) -> Rendered:
        return self._rendered("error", status, self._policy(), page=page, heading=page.text)

    def _line(self, line: AppLine, view: WalkView) -> Markup:
        known = word(line.outcome, view.kind, current=line.current, ended=view.ended)
        text = known.of(line.name)
        why = reason(line.reason) if line.reason and line.reason != line.outcome.word else ""
        return self._item(known.icon, line.name, f"{text} ({why})" if why else text)

    def _policy(self, script: csp.Inline | None = None, form: Iterable[str] = (), connect: str = "") -> str:
        return csp.policy(self._style_src, script.source if script else "", form, connect)

    def _rendered(
        self, name: str, status: int, policy: str, *, referrer: str = "no-referrer", **context: object
    ) -> Rendered:
        html = self._templates[name].render(status=status, **context)
        return Rendered(html, {"Content-Security-Policy": policy, "Referrer-Policy": referrer})


def _ways(page: WalkPage) -> list[tuple[str, str]]:
    """The page's links with their texts, the likeliest first: going on comes before trying again only at a sign-in."""
    onward = f"Continue to {page.continue_name}" if page.continue_name else "Continue"
    resume, retry, leave = (page.resume_url, "Continue"), (page.retry_url, "Try again"), (page.continue_url, onward)
    current = next((line.name for line in page.view.lines if line.current), "this site")
    skip, finish, again = (
        (page.skip_url, f"Skip {current}"),
        (page.finish_url, "Finish now"),
        (page.again_url, "Look again"),
    )
    good_enough = page.view.kind is Kind.LOGIN and not page.aborted_by
    ways = [resume, skip, leave, again, retry, finish] if good_enough else [resume, skip, again, retry, leave, finish]
    return [way for way in ways if way[0]]


def environment(templates_dir: Path | None) -> jinja2.Environment:
    """The templates' environment: escaping on, an unknown name is an error, the operator's folder asked first."""
    own = jinja2.FileSystemLoader(HERE / "templates")
    loaders: list[jinja2.BaseLoader] = [own, jinja2.PrefixLoader({"chain_gateway": own})]
    if templates_dir is not None:
        loaders.insert(0, jinja2.FileSystemLoader(templates_dir))
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
