"""Each rule across keys: what breaks it, the one problem that this makes, and what is not touched by it."""

from __future__ import annotations

import itertools

import pytest
from config_builder import ENVIRON, GONE, PRIVATE, PUBLIC, a_config, problems, settings, the_problem

from chain_gateway.config.rules import every_rule
from chain_gateway.core.chain import app_tag

AUTH0 = {"op.kind": "auth0", "op.issuer": "https://tenant.eu.auth0.com/"}
KEYLESS = {"apps[0].secret": GONE}
TEMPLATE = "https://shop.example/login?iss={iss}&target_link_uri={target_link_uri}"
LEAVE = "https://shop.example/logout?next={return_to}"
THIRD = {"id": "bank", "origin": "https://bank.example", "secret": "a secret that only the bank and we know"}
BROKEN = [
    (
        "ops_listener_stays_here",
        {"gateway.ops_listen": "0.0.0.0:9090"},
        "gateway.ops_listen",
        "other machines",
        "unix:PATH",
    ),
    (
        "ops_listener_stays_here",
        {"gateway.ops_listen": "[::]:9090"},
        "gateway.ops_listen",
        "other machines",
        "127.0.0.1",
    ),
    (
        "ops_listener_stays_here",
        {"gateway.ops_listen": "ops.example:9090"},
        "gateway.ops_listen",
        "other machines",
        "proxy",
    ),
    (
        "listeners_differ",
        {"gateway.listen": "127.0.0.1:9090"},
        "gateway.ops_listen",
        "address of `listen`",
        "another port",
    ),
    (
        "auth0_spells_its_issuer_with_a_slash",
        {"op.kind": "auth0", "op.issuer": "https://tenant.eu.auth0.com"},
        "op.issuer",
        "slash at the end",
        "add a slash",
    ),
    ("federated_is_auth0s", {"op.federated": True}, "op.federated", "only Auth0", 'kind = "auth0"'),
    (
        "federated_needs_a_logout",
        {**AUTH0, "op.federated": True, "op.logout": "none"},
        "op.federated",
        "never asked",
        "one of",
    ),
    ("action_is_auth0s", {"op.action_secret": "x" * 32}, "op.action_secret", "only Auth0", 'kind = "auth0"'),
    (
        "client_can_authenticate",
        {"op.client_secret": GONE},
        "op.client_secret",
        "could not authenticate",
        "private_key",
    ),
    (
        "client_can_authenticate",
        {"op.client_secret": GONE, "op.auth_method": "client_secret_basic"},
        "op.client_secret",
        "client_secret_basic needs it",
        "OP_CLIENT_SECRET",
    ),
    (
        "client_can_authenticate",
        {"op.client_secret": GONE, "op.auth_method": "private_key_jwt"},
        "op.private_key",
        "private_key_jwt needs it",
        "op-key.pem",
    ),
    ("client_can_authenticate", {"op.auth_method": "none"}, "op.client_secret", "never uses it", "remove one"),
    (
        "client_can_authenticate",
        {"op.auth_method": "private_key_jwt", "op.private_key": PRIVATE},
        "op.client_secret",
        "never uses it",
        "remove one",
    ),
    (
        "client_can_authenticate",
        {"op.auth_method": "client_secret_post", "op.private_key": PRIVATE},
        "op.private_key",
        "never uses it",
        "remove one",
    ),
    ("app_has_one_key", KEYLESS, "apps[0].secret", "nothing here can verify them", "jwks_url"),
    (
        "app_has_one_key",
        {**KEYLESS, "apps[0].login": "none", "apps[0].logout": "form_post"},
        "apps[0].secret",
        "nothing here can verify them",
        "public_key",
    ),
    ("app_has_one_key", {"apps[0].public_key": PUBLIC}, "apps[0].public_key", "has secret already", "keep one"),
    (
        "app_has_one_key",
        {**KEYLESS, "apps[0].public_key": PUBLIC, "apps[0].jwks_url": "https://shop.example/jwks.json"},
        "apps[0].jwks_url",
        "has public_key already",
        "keep one",
    ),
    *(
        (
            "app_urls_are_its_own",
            {f"apps[0].{key}": url},
            f"apps[0].{key}",
            "not under the app's origin",
            "https://shop.example/",
        )
        for key in ("hop_url", "ping_url", "backchannel_logout_url")
        for url in ("https://news.example/chain", "https://shop.example.evil/chain", "https://shop.example:8443/chain")
    ),
    (
        "external_login_has_its_template",
        {"apps[0].login": "external"},
        "apps[0].external_login",
        "where to go",
        "{iss}",
    ),
    (
        "external_login_has_its_template",
        {"apps[0].external_login": TEMPLATE},
        "apps[0].external_login",
        "never uses",
        "remove",
    ),
    (
        "external_logout_has_its_template",
        {"apps[0].logout": "external"},
        "apps[0].external_logout",
        "where to go",
        "{return_to}",
    ),
    (
        "external_logout_has_its_template",
        {"apps[0].external_logout": LEAVE},
        "apps[0].external_logout",
        "never uses",
        "remove",
    ),
    (
        "required_can_fail",
        {"apps[0].login": "none", "apps[0].required": True},
        "apps[0].required",
        "can fail",
        "login mode",
    ),
    (
        "visit_has_a_login",
        {"apps[0].login": "none", "apps[0].visit": "lazy"},
        "apps[0].visit",
        "no login visits",
        "login mode",
    ),
    (
        "claims_have_a_ticket",
        {"apps[0].login": "none", "apps[0].claims": ["email"]},
        "apps[0].claims",
        "no ticket",
        "remove",
    ),
    (
        "claims_have_a_ticket",
        {"apps[0].login": "external", "apps[0].external_login": TEMPLATE, "apps[0].claims": ["email"]},
        "apps[0].claims",
        "no ticket",
        "remove",
    ),
    ("app_ids_are_unique", {"apps[2]": {**THIRD, "id": "shop"}}, "apps[2].id", "apps[0] has this id", "of its own"),
    (
        "origins_are_unique",
        {"apps[1].origin": "https://shop.example"},
        "apps[1].origin",
        "apps[0].origin",
        "of its own",
    ),
    (
        "origins_are_unique",
        {"apps[1].origin": "https://login.example.com"},
        "apps[1].origin",
        "gateway.public_url",
        "of its own",
    ),
    (
        "secrets_are_unique",
        {"apps[1].secret": {"env": "SHOP_SECRET"}},
        "apps[1].secret",
        "at apps[0].secret",
        "for each",
    ),
    (
        "secrets_are_unique",
        {"apps[1].secret": {"env": "OP_SECRET"}},
        "apps[1].secret",
        "at op.client_secret",
        "for each",
    ),
    (
        "secrets_are_unique",
        {**AUTH0, "op.action_secret": {"env": "SHOP_SECRET"}},
        "apps[0].secret",
        "op.action_secret",
        "each",
    ),
    (
        "secrets_are_unique",
        {"gateway.dashboard_token": {"env": "SHOP_SECRET"}},
        "apps[0].secret",
        "gateway.dashboard_token",
        "each",
    ),
    (
        "public_keys_are_unique",
        {
            "apps[0].secret": GONE,
            "apps[0].public_key": PUBLIC,
            "apps[1].secret": GONE,
            "apps[1].public_key": "\n" + PUBLIC.replace("\n", "\r\n"),
        },
        "apps[1].public_key",
        "at apps[0].public_key",
        "for each",
    ),
    (
        "public_keys_are_unique",
        {
            "apps[0].secret": GONE,
            "apps[0].jwks_url": "https://shop.example/jwks.json",
            "apps[1].secret": GONE,
            "apps[1].jwks_url": "https://shop.example/jwks.json",
        },
        "apps[1].jwks_url",
        "at apps[0].jwks_url",
        "for each",
    ),
    (
        "chain_ids_are_unique",
        {"chains[1]": {"id": "main", "apps": ["shop"]}},
        "chains[1].id",
        "chains[0] has",
        "of its own",
    ),
    (
        "chains_visit_an_app_once",
        {"chains[0].apps": ["shop", "news", "shop"]},
        "chains[0].apps[2]",
        "chains[0].apps[0]",
        "remove",
    ),
    (
        "chains_name_known_apps",
        {"chains[0].apps": ["shop", "news", "nwes"]},
        "chains[0].apps[2]",
        "no app",
        "did you mean news?",
    ),
    (
        "chains_name_known_apps",
        {"chains[0].apps": ["shop", "news", "bank"]},
        "chains[0].apps[2]",
        "no app",
        'id = "bank"',
    ),
    ("apps_are_in_a_chain", {"apps[2]": THIRD}, "apps[2].id", "no chain has this app", "add it to a chain"),
]


@pytest.mark.parametrize(
    ("rule", "changes", "path", "reason", "hint"), BROKEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_broken_rule_is_one_problem(rule, changes, path, reason, hint):
    """What breaks a rule is told once, at its place in the file, with why and what to write instead."""
    problem = the_problem(changes)
    assert problem.path == path
    assert reason in problem.reason
    assert hint in problem.hint


def test_every_rule_is_broken_by_a_case():
    """No rule is left without a test, and no case is about a rule that is gone."""
    tags = {"app_tags_are_unique"}
    assert {rule.__name__ for _, rule in every_rule()} == {case[0] for case in BROKEN} | tags


def test_two_ids_of_one_tag_are_refused():
    """A chain token names an app by three bytes; the configuration finds two ids that share them."""
    first: dict[bytes, str] = {}
    for number in itertools.count():
        name = f"site-{number}"
        if app_tag(name) in first:
            break
        first[app_tag(name)] = name
    twin = first[app_tag(name)]
    changes = {"apps[0].id": twin, "apps[1].id": name, "chains[0].apps": [twin, name]}
    assert the_problem(changes).path == "apps[1].id"
    assert "apps[0]" in the_problem(changes).reason


SOUND_CASES = [
    {},
    {**AUTH0, "op.federated": True, "op.logout": "last", "op.action_secret": "another secret of thirty-two bytes"},
    {"op.client_secret": GONE, "op.private_key": PRIVATE},
    {"op.client_secret": GONE, "op.private_key": PRIVATE, "op.auth_method": "private_key_jwt"},
    {"op.client_secret": GONE, "op.auth_method": "none"},
    {"op.private_key": PRIVATE},
    {**KEYLESS, "apps[0].public_key": PUBLIC},
    {**KEYLESS, "apps[0].jwks_url": "https://keys.example/jwks.json"},
    {**KEYLESS, "apps[0].login": "none", "apps[0].logout": "back_channel"},
    {**KEYLESS, "apps[0].login": "external", "apps[0].external_login": TEMPLATE, "apps[0].logout": "none"},
    {**KEYLESS, "apps[0].login": "none", "apps[0].logout": "external", "apps[0].external_logout": LEAVE},
    {"apps[0].hop_url": "https://shop.example/sso/hop?module=chain"},
    {"gateway.ops_listen": "unix:ops.sock"},
    {"gateway.ops_listen": "[::1]:9090"},
    {"gateway.ops_listen": "localhost:9090"},
    {"apps[0].origin": "https://[::1]:1", "apps[1].origin": "https://[::1]:2"},
    {"gateway.listen": "127.0.0.1:0", "gateway.ops_listen": "127.0.0.1:0"},
    {"gateway.listen": "0.0.0.0:8080"},
    {"chains[1]": {"id": "other", "apps": ["news"]}},
]


@pytest.mark.parametrize("changes", SOUND_CASES)
def test_what_can_be_meant_is_taken(changes):
    """No rule refuses a configuration that makes sense."""
    assert problems(changes) == ()


def test_a_rule_is_silent_where_its_keys_could_not_be_read():
    """A wrong value makes its own problem, and no others that would go away with it."""
    assert the_problem({"apps[0].login": "no_such_mode", "apps[0].required": True}).path == "apps[0].login"
    assert the_problem({"apps[0].secret": "short"}).path == "apps[0].secret"
    assert the_problem({"op.kind": "Auth0", "op.federated": True}).path == "op.kind"
    assert the_problem({"gateway.public_url": "http://shop.example"}).path == "gateway.public_url"


def test_everything_is_told_at_once():
    """Problems of values and of rules, in one section and in all, come in one list, in the order of the file."""
    found = problems(
        {
            "gateway.redirect_budget": 99,
            "gateway.ops_listen": "0.0.0.0:9090",
            "store.url": "redis://cache.example,other.example",
            "op.issuer": "http://id.example.com",
            "op.federated": True,
            "apps[0].origin": "shop.example",
            "apps[0].hop_url": "https://elsewhere.example/hop",
            "apps[0].login": "none",
            "apps[0].required": True,
            "apps[1].origin": "https://login.example.com",
            "chains[0].apps": ["shop", "news", "shop", "bank"],
        }
    )
    assert [problem.path for problem in found] == [
        "gateway.redirect_budget",
        "gateway.ops_listen",
        "store.url",
        "op.issuer",
        "op.federated",
        "apps[0].origin",
        "apps[0].required",
        "apps[1].origin",
        "chains[0].apps[2]",
        "chains[0].apps[3]",
    ]


def test_a_hint_leads_to_a_sound_configuration():
    """What a hint says for a missing template is taken as it is written there, with a host of one's own."""
    hint = (
        the_problem({"apps[0].login": "external"}).hint.partition(" = ")[2].strip('"').replace("HOST", "shop.example")
    )
    assert settings({"apps[0].login": "external", "apps[0].external_login": hint}).apps[0].external_login == hint


def test_the_configuration_is_not_changed_by_being_read():
    """What comes in stays as it is: a reload compares it."""
    data = a_config()
    settings()
    assert data == a_config()
    assert ENVIRON["OP_SECRET"].startswith("planted")
