"""From options to a configuration: every host under localhost, every secret new, every problem told."""

import itertools

import pytest

from chain_gateway.demo.cast import origin
from chain_gateway.demo.options import DemoOptions
from chain_gateway.demo.settings import stage
from chain_gateway.errors import ConfigError

count = itertools.count()


def random(size: int) -> bytes:
    """Bytes that never come twice."""
    return next(count).to_bytes(size, "big")


def made(**options: object):
    return stage(DemoOptions(**options), 9000, random)


def problem(**options: object) -> str:
    with pytest.raises(ConfigError) as refused:
        made(**options)
    return str(refused.value)


def test_the_four_sites_are_one_chain():
    """Without options: four sites on foreign hosts, one chain, the embedded provider."""
    ready = made()
    assert [app.origin for app in ready.settings.apps] == [
        "http://shop.localhost:9000",
        "http://news.localhost:9000",
        "http://bank.localhost:9000",
        "http://mail.localhost:9000",
    ]
    assert ready.gateway == "http://login.localhost:9000"
    assert ready.settings.op.issuer == "http://id.localhost:9000"
    assert ready.settings.chains[0].apps == ("shop", "news", "bank", "mail")
    assert ready.client.redirect_uris == ("http://login.localhost:9000/callback",)


def test_both_sides_share_a_secret_and_no_two_apps_do():
    """What an app signs with is what the gateway verifies with; session keys are the app's alone."""
    ready = made(apps=20)
    pairs = list(zip(ready.settings.apps, ready.chains, strict=True))
    assert all(app.secret.reveal() == chain.secret for app, chain in pairs)
    assert len({chain.secret for _, chain in pairs} | {chain.session_key for _, chain in pairs}) == 40
    assert ready.settings.op.client_secret.reveal() == ready.client.client_secret


@pytest.mark.parametrize("number", [1, 25, 200])
def test_generated_sites_take_the_place_of_the_four(number):
    """--apps N makes exactly N."""
    ready = made(apps=number)
    assert len(ready.settings.apps) == len(ready.looks) == len(ready.chains) == number
    assert ready.chains[-1].origin == f"http://app-{number}.localhost:9000"


def test_modes_are_for_all_apps():
    """One option sets the mode of each app, of a configuration's too."""
    ready = made(login_mode="two_step", logout_mode="form_post")
    assert {(app.login, app.logout) for app in ready.settings.apps} == {("two_step", "form_post")}
    assert all(not app.claims for app in made(login_mode="none").settings.apps)
    assert "redirect" in problem(login_mode="redirect")
    assert "SDK" in problem(logout_mode="external")


def test_the_auth0_dialect_is_spoken_on_both_sides():
    """The gateway is told that it is Auth0, with the slash that Auth0's issuer has."""
    ready = made(dialect="auth0")
    assert (ready.settings.op.kind, ready.settings.op.issuer) == ("auth0", "http://id.localhost:9000/")
    assert "dialect" in problem(dialect="latin")


def test_a_real_provider_takes_the_place_of_ours():
    """Its issuer and client come from the options; pages may lead there, and our own provider is not started."""
    given = {"op": "https://op.example", "op_client_id": "me", "op_client_secret": "s3cret"}
    ready = made(**given)
    assert (ready.settings.op.issuer, ready.settings.op.client_id) == ("https://op.example", "me")
    assert ready.client is None
    assert ready.form_targets == "http://*.localhost:9000 https: https://op.example"
    plain = made(**(given | {"op": "http://localhost:8081/realms/dev"}))
    assert plain.form_targets == "http://*.localhost:9000 https: http://localhost:8081"
    assert "OP_CLIENT_SECRET" not in repr(DemoOptions(**given))
    assert "s3cret" not in repr(DemoOptions(**given))
    assert "client" in problem(op="https://op.example")


@pytest.fixture
def chain(tmp_path):
    """A file with somebody's own configuration."""

    def _chain(text: str):
        file = tmp_path / "chain.toml"
        file.write_text(text)
        return file

    return _chain


def test_somebodys_own_chain_is_played_on_loopback(chain):
    """Apps, policies and order are theirs; addresses, secrets and the provider are the demo's."""
    ready = made(
        chain=chain(
            """
            [gateway]
            public_url = "https://login.example.com"
            title = "Example ID"
            redirect_budget = 12
            [store]
            url = "sqlite:////var/lib/chain.db"
            [op]
            issuer = "https://op.example"
            logout = "last"
            [[apps]]
            id = "big_store"
            name = "Big Store"
            origin = "https://store.example"
            secret = { env = "NOT_SET_HERE" }
            required = true
            retries = 3
            [[apps]]
            id = "mail"
            origin = "https://mail.example"
            hop_url = "https://mail.example/sso"
            visit = "lazy"
            [[chains]]
            id = "own"
            apps = ["mail", "big_store"]
            """
        )
    )
    gateway, store, mail = ready.settings.gateway, *ready.settings.apps
    assert (gateway.title, gateway.redirect_budget, gateway.public_url) == (
        "Example ID",
        12,
        "http://login.localhost:9000",
    )
    assert (ready.settings.op.logout, ready.settings.op.issuer) == ("last", "http://id.localhost:9000")
    assert ready.settings.store.url == "memory://"
    assert (store.origin, store.required, store.retries) == ("http://big-store.localhost:9000", True, 3)
    assert (mail.origin, mail.visit) == ("http://mail.localhost:9000", "lazy")
    assert ready.settings.chains[0].apps == ("mail", "big_store")
    assert [look.style for look in ready.looks] == ["plain", "mail"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("not toml", "TOML"),
        ("apps = 3", "apps"),
        ("gateway = 3", "gateway"),
        ('[[apps]]\nid = "login"', "login"),
        ('[[apps]]\nid = "x"\n[[chains]]\nid = "c"\napps = "x"', "chains"),
        ('[[apps]]\nid = "x"\n[[chains]]\nid = "c"\napps = ["y"]', "y"),
        ('[[apps]]\nname = "without an id"', "id"),
    ],
)
def test_a_chain_that_cannot_be_played_is_refused(chain, text, word):
    """Each problem is told with its place, before anything starts."""
    assert word in problem(chain=chain(text))


def test_a_site_without_the_sdk_is_left_out(chain):
    """The rest of the chain is played, and the one that cannot be is named."""
    ready = made(
        chain=chain(
            """
            [[apps]]
            id = "old"
            login = "external"
            external_login = "https://old.example/login?next={return_to}"
            [[apps]]
            id = "new"
            [[chains]]
            id = "c"
            apps = ["old", "new"]
            """
        )
    )
    assert ready.left_out == ("old",)
    assert ready.settings.chains[0].apps == ("new",)


def test_apps_are_listed_or_generated_and_not_both(chain):
    """Two answers to one question are refused; a file that has chains alone is played by the sites that they name."""
    with_apps = chain('[[apps]]\nid = "x"')
    assert "--apps" in problem(chain=with_apps, apps=3)
    ready = made(chain=chain('[[chains]]\nid = "short"\napps = ["mail", "games", "shop"]'))
    assert [(look.id, look.name, look.style) for look in ready.looks] == [
        ("mail", "Mail", "mail"),
        ("games", "Games", "plain"),
        ("shop", "Shop", "shop"),
    ]
    assert ready.settings.chains[0].apps == ("mail", "games", "shop")


def test_a_chain_that_is_not_there_is_refused(tmp_path):
    """The file is named."""
    assert "none.toml" in problem(chain=tmp_path / "none.toml")


def test_origins_are_spelt_as_browsers_spell_them():
    """The default port is not written."""
    assert origin("shop", 80) == "http://shop.localhost"
