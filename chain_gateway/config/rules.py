"""What one key says about another: the rules across a configuration, each a small function, all in the tables below.

A rule is asked only where the keys that it looks at were read. It yields what is wrong and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from chain_gateway.config.draft import Checked, Draft
from chain_gateway.config.model import AppSettings, GatewaySettings, OpSettings, Section
from chain_gateway.config.unique import REGISTRY_RULES
from chain_gateway.config.urls import is_under
from chain_gateway.errors import Problem

S = TypeVar("S", bound=Section)


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong with one key of a section, and what to write instead."""

    key: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """A rule over the keys ``needs`` of one section."""

    needs: tuple[str, ...]
    check: Callable[[S], Iterable[Found]]


def ops_listener_stays_here(gateway: GatewaySettings) -> Iterator[Found]:
    """Health, metrics and the dashboard are for this machine alone.

    Threat T52.
    """
    if not gateway.ops_listen.loopback:
        yield Found(
            "ops_listen",
            "health, metrics and the dashboard would be open to other machines",
            'write "127.0.0.1:9090" or "unix:PATH", and let a proxy or a tunnel lead there',
        )


def listeners_differ(gateway: GatewaySettings) -> Iterator[Found]:
    """One address cannot serve browsers and operators both."""
    if gateway.listen == gateway.ops_listen and not str(gateway.listen).endswith(":0"):
        yield Found("ops_listen", "this is the address of `listen`", "choose another port")


def auth0_spells_its_issuer_with_a_slash(op: OpSettings) -> Iterator[Found]:
    """Issuers are compared letter by letter, and Auth0's end with a slash."""
    if op.kind == "auth0" and not op.issuer.endswith("/"):
        yield Found("issuer", "Auth0 spells its issuer with a slash at the end", "add a slash")


def federated_is_auth0s(op: OpSettings) -> Iterator[Found]:
    """Federated logout is Auth0's."""
    if op.federated and op.kind != "auth0":
        yield Found("federated", "only Auth0 knows federated logout", 'remove it, or write kind = "auth0"')


def federated_needs_a_logout(op: OpSettings) -> Iterator[Found]:
    """A provider whose logout is never visited ends no session upstream."""
    if op.federated and op.logout == "none":
        yield Found(
            "federated", 'with logout = "none" the provider is never asked to end a session', "remove one of them"
        )


def action_is_auth0s(op: OpSettings) -> Iterator[Found]:
    """Only Auth0 has Actions, which enter by `/continue`."""
    if op.action_secret is not None and op.kind != "auth0":
        yield Found("action_secret", "only Auth0 has Actions", 'remove it, or write kind = "auth0"')


def client_can_authenticate(op: OpSettings) -> Iterator[Found]:
    """A method has the means that it needs, and none is left over.

    OpenID Connect Core 1.0, section 9.
    """
    method, secret, key = op.auth_method, op.client_secret is not None, op.private_key is not None
    if method == "auto" and not (secret or key):
        yield Found(
            "client_secret",
            "the gateway could not authenticate at the provider",
            'write client_secret = { env = "OP_CLIENT_SECRET" }, or private_key, or auth_method = "none"',
        )
    if method.startswith("client_secret_") and not secret:
        yield Found("client_secret", f"{method} needs it", 'write client_secret = { env = "OP_CLIENT_SECRET" }')
    if method == "private_key_jwt" and not key:
        yield Found("private_key", f"{method} needs it", 'write private_key = { file = "op-key.pem" }')
    if secret and method in {"private_key_jwt", "none"}:
        yield Found("client_secret", f'auth_method = "{method}" never uses it', "remove one of them")
    if key and method not in {"private_key_jwt", "auto"}:
        yield Found("private_key", f'auth_method = "{method}" never uses it', "remove one of them")


def app_has_one_key(app: AppSettings) -> Iterator[Found]:
    """An app that gets tickets has exactly one key; `external`, `none` and logout by `back_channel` need none."""
    given = [key for key in ("secret", "public_key", "jwks_url") if getattr(app, key) is not None]
    for key in given[1:]:
        yield Found(key, f"the app has {given[0]} already", "keep one of secret, public_key and jwks_url")
    if not given and not _never_signs(app):
        yield Found(
            "secret",
            "the app signs receipts, and nothing here can verify them",
            'write secret = { env = "SHOP_SECRET" }, or public_key, or jwks_url',
        )


def _never_signs(app: AppSettings) -> bool:
    return app.login in {"external", "none"} and app.logout in {"external", "back_channel", "none"}


def app_urls_are_its_own(app: AppSettings) -> Iterator[Found]:
    """Tickets and logout tokens go to the app's own origin."""
    for key, url in (
        ("hop_url", app.hop_url),
        ("ping_url", app.ping_url),
        ("backchannel_logout_url", app.backchannel_logout_url),
    ):
        if url is not None and not is_under(url, app.origin):
            yield Found(key, "this is not under the app's origin", f"write a URL that begins with {app.origin}/")


def external_login_has_its_template(app: AppSettings) -> Iterator[Found]:
    """The login mode `external` and its template come together."""
    if app.login == "external" and app.external_login is None:
        hint = 'write external_login = "https://HOST/login?iss={iss}&target_link_uri={target_link_uri}"'
        yield Found("external_login", 'login = "external" needs to know where to go', hint)
    if app.login != "external" and app.external_login is not None:
        yield Found("external_login", f'login = "{app.login}" never uses it', 'remove it, or write login = "external"')


def external_logout_has_its_template(app: AppSettings) -> Iterator[Found]:
    """The logout mode `external` and its template come together."""
    if app.logout == "external" and app.external_logout is None:
        hint = 'write external_logout = "https://HOST/logout?next={return_to}"'
        yield Found("external_logout", 'logout = "external" needs to know where to go', hint)
    if app.logout != "external" and app.external_logout is not None:
        yield Found(
            "external_logout", f'logout = "{app.logout}" never uses it', 'remove it, or write logout = "external"'
        )


def required_can_fail(app: AppSettings) -> Iterator[Found]:
    """An app that takes no login cannot fail one."""
    if app.required and app.login == "none":
        yield Found("required", 'with login = "none" no login here can fail', "remove it, or choose a login mode")


def visit_has_a_login(app: AppSettings) -> Iterator[Found]:
    """An app that takes no login is not visited by one."""
    if app.visit != "eager" and app.login == "none":
        yield Found("visit", 'with login = "none" no login visits this app', "remove it, or choose a login mode")


def claims_have_a_ticket(app: AppSettings) -> Iterator[Found]:
    """Claims travel in login tickets, which neither `external` nor `none` has."""
    if app.claims and app.login in {"external", "none"}:
        yield Found("claims", f'with login = "{app.login}" no ticket carries them', "remove them")


GATEWAY_RULES: tuple[Rule[GatewaySettings], ...] = (
    Rule(("ops_listen",), ops_listener_stays_here),
    Rule(("listen", "ops_listen"), listeners_differ),
)
OP_RULES: tuple[Rule[OpSettings], ...] = (
    Rule(("kind", "issuer"), auth0_spells_its_issuer_with_a_slash),
    Rule(("kind", "federated"), federated_is_auth0s),
    Rule(("logout", "federated"), federated_needs_a_logout),
    Rule(("kind", "action_secret"), action_is_auth0s),
    Rule(("auth_method", "client_secret", "private_key"), client_can_authenticate),
)
APP_RULES: tuple[Rule[AppSettings], ...] = (
    Rule(("login", "logout", "secret", "public_key", "jwks_url"), app_has_one_key),
    Rule(("hop_url", "ping_url", "backchannel_logout_url", "origin"), app_urls_are_its_own),
    Rule(("login", "external_login"), external_login_has_its_template),
    Rule(("logout", "external_logout"), external_logout_has_its_template),
    Rule(("login", "required"), required_can_fail),
    Rule(("login", "visit"), visit_has_a_login),
    Rule(("login", "claims"), claims_have_a_ticket),
)


def every_rule() -> Iterator[tuple[tuple[str, ...], Callable[..., object]]]:
    """Each rule's function with the keys that it looks at, in the order of the file; for the generated pages."""
    yield from _named("gateway", GATEWAY_RULES)
    yield from _named("op", OP_RULES)
    yield from _named("apps", APP_RULES)
    yield from REGISTRY_RULES


def _named(section: str, rules: tuple[Rule[S], ...]) -> Iterator[tuple[tuple[str, ...], Callable[..., object]]]:
    for rule in rules:
        yield tuple(f"{section}.{key}" for key in rule.needs), rule.check


def broken(draft: Draft) -> Iterator[Problem]:
    """What ``draft`` breaks of all rules."""
    yield from _section(GATEWAY_RULES, draft.gateway)
    yield from _section(OP_RULES, draft.op)
    for app in draft.apps:
        yield from _section(APP_RULES, app)
    for _, check in REGISTRY_RULES:
        yield from check(draft)


def _section(rules: tuple[Rule[S], ...], checked: Checked[S]) -> Iterator[Problem]:
    for rule in rules:
        if checked.fine(*rule.needs):
            for found in rule.check(checked.value):
                yield Problem(f"{checked.path}.{found.key}", found.reason, found.hint)
