"""From settings to the registry."""

from __future__ import annotations

from config_builder import GONE, settings

from chain_gateway.config import registry
from chain_gateway.core.chain import Mode, Visit


def test_defaults_are_filled_in_under_the_origin():
    """An app that says nothing has the SDK's paths, and its id for a name."""
    app = registry(settings()).apps["shop"]
    assert app.name == "shop"
    assert app.hop_url == "https://shop.example/chain/hop"
    assert app.ping_url == "https://shop.example/chain/ping"
    assert app.backchannel_logout_url == "https://shop.example/chain/backchannel-logout"
    assert (app.login, app.logout, app.visit) == (Mode.FORM_POST, Mode.REDIRECT, Visit.EAGER)
    assert (app.external_login, app.external_logout, app.session_max) == ("", "", 43200)


def test_what_is_configured_reaches_the_registry():
    """Every key of an app that the core looks at arrives there."""
    changes = {
        "name": "The Shop",
        "login": "two_step",
        "logout": "back_channel",
        "visit": "recent",
        "required": True,
        "retries": 3,
        "ping": False,
        "session_max": "2h",
        "claims": ["email"],
        "return_to": ["/a", "/b"],
        "hop_url": "https://shop.example/sso",
        "ping_url": "https://shop.example/up",
        "backchannel_logout_url": "https://shop.example/out",
    }
    app = registry(settings({f"apps[0].{key}": value for key, value in changes.items()})).apps["shop"]
    assert (app.id, app.name, app.origin) == ("shop", "The Shop", "https://shop.example")
    assert (app.login, app.logout, app.visit) == (Mode.TWO_STEP, Mode.BACK_CHANNEL, Visit.RECENT)
    assert (app.required, app.retries, app.ping, app.session_max) == (True, 3, False, 7200)
    assert (app.claims, app.return_to) == (("email",), ("/a", "/b"))
    assert app.hop_url == "https://shop.example/sso"
    assert app.ping_url == "https://shop.example/up"
    assert app.backchannel_logout_url == "https://shop.example/out"


def test_templates_of_an_app_without_the_sdk():
    """External modes and their templates arrive together."""
    changes = {
        "secret": GONE,
        "login": "external",
        "external_login": "https://shop.example/in?iss={iss}",
        "logout": "external",
        "external_logout": "https://shop.example/out?next={return_to}",
    }
    app = registry(settings({f"apps[0].{key}": value for key, value in changes.items()})).apps["shop"]
    assert (app.login, app.external_login) == (Mode.EXTERNAL, "https://shop.example/in?iss={iss}")
    assert (app.logout, app.external_logout) == (Mode.EXTERNAL, "https://shop.example/out?next={return_to}")


def test_chains_keep_the_order_of_the_file():
    """A walk visits apps as the operator listed them; the first chain is the default one."""
    found = registry(settings({"chains[0].apps": ["news", "shop"], "chains[1]": {"id": "short", "apps": ["shop"]}}))
    assert [app.id for app in found.chains["main"].apps] == ["news", "shop"]
    assert found.chain_for("", "").id == "main"
    assert found.chains["short"].apps == (found.apps["shop"],)
    assert set(found.by_origin) == {"https://shop.example", "https://news.example"}


def test_every_word_of_the_configuration_is_a_mode():
    """What the file may say for login and logout, the core knows."""
    for word in ("form_post", "two_step", "none"):
        assert registry(settings({"apps[0].login": word})).apps["shop"].login.word == word
    for word in ("redirect", "form_post", "back_channel", "none"):
        assert registry(settings({"apps[0].logout": word})).apps["shop"].logout.word == word
