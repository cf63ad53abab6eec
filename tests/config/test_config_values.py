"""Single values: what each key takes, what it refuses, and that the refusal says why and what to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_builder import GONE, PUBLIC, a_config, problems, settings, the_problem
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from chain_gateway.config import parse
from chain_gateway.config.addresses import TcpAddress, UnixAddress
from chain_gateway.config.model import SECTIONS
from chain_gateway.config.problems import told
from chain_gateway.errors import ConfigError
from chain_gateway.store.memory import MemoryStore
from chain_gateway.store.sqlite import SqliteStore
from chain_gateway.store.urls import open_store

REFUSED = [
    # unknown keys, with what was meant
    ({"gateway.lissen": "x"}, "gateway.lissen", "no such key", "did you mean listen?"),
    ({"gateway.issuer": "x"}, "gateway.issuer", "no such key", "issuer belongs in [op]"),
    ({"gateway.push": True}, "gateway.push", "no such key", "remove it; known here are public_url, listen"),
    ({"op.rate_limit": 5}, "op.rate_limit", "no such key", "known here are"),
    ({"apps[0].retry": 1}, "apps[0].retry", "no such key", "did you mean retries?"),
    ({"chains[0].app": []}, "chains[0].app", "no such key", "did you mean apps?"),
    ({"gatewey": {}}, "gatewey", "no such section", "did you mean gateway?"),
    ({"metrics": {}}, "metrics", "no such section", "known are gateway, store, op, apps, chains"),
    # what must be there
    ({"gateway.public_url": GONE}, "gateway.public_url", "must be set", 'public_url = "https://login.example.com"'),
    ({"gateway": GONE}, "gateway.public_url", "must be set", "public_url"),
    ({"op.issuer": GONE}, "op.issuer", "must be set", "issuer = "),
    ({"apps[0].origin": GONE}, "apps[0].origin", "must be set", 'origin = "https://shop.example"'),
    ({"chains": GONE}, "chains", "at least one", "[[chains]]"),
    ({"chains": []}, "chains", "at least one", "[[chains]]"),
    ({"store": "memory://"}, "store", "must be a table", "[store]"),
    ({"chains": {"id": "main"}}, "chains", "at least one", "[[chains]]"),
    # types, nothing converted
    ({"gateway.redirect_budget": "15"}, "gateway.redirect_budget", "whole number, without quotes", "15"),
    ({"gateway.redirect_budget": 7.5}, "gateway.redirect_budget", "whole number", "15"),
    ({"gateway.redirect_budget": True}, "gateway.redirect_budget", "whole number", "15"),
    ({"apps[0].ping": "yes"}, "apps[0].ping", "true or false", "ping = true"),
    ({"apps[0].required": 1}, "apps[0].required", "true or false", "required = false"),
    ({"gateway.title": 5}, "gateway.title", "text in quotes", "title = "),
    ({"apps[0].claims": "email"}, "apps[0].claims", "list in brackets", '["email", "name"]'),
    ({"apps[0].claims": [5]}, "apps[0].claims[0]", "text in quotes", "claims = "),
    # ranges
    ({"gateway.redirect_budget": 5}, "gateway.redirect_budget", "6 or more", "15"),
    ({"gateway.redirect_budget": 20}, "gateway.redirect_budget", "19 or less", "15"),
    ({"apps[0].retries": -1}, "apps[0].retries", "0 or more", "1"),
    ({"apps[0].retries": 4}, "apps[0].retries", "3 or less", "1"),
    ({"apps[0].session_max": 59}, "apps[0].session_max", "59s is outside", '"1m" to "400d"'),
    ({"apps[0].session_max": "401d"}, "apps[0].session_max", "401d is outside", '"1m" to "400d"'),
    ({"op.max_age": 0}, "op.max_age", "0s is outside", '"1m"'),
    ({"apps[0].return_to": []}, "apps[0].return_to", "must not be empty", '["/", "/account"]'),
    ({"chains[0].apps": []}, "chains[0].apps", "must not be empty", "shop"),
    ({"chains[0].apps": ["shop", "n" * 33]}, "chains[0].apps[1]", "32 characters or less", "shop"),
    ({"chains[0].apps": ["shop", "news"] * 101}, "chains[0].apps", "200 entries or less", "shop"),
    ({"op.client_id": ""}, "op.client_id", "must not be empty", "client_id"),
    ({"op.client_id": "x" * 257}, "op.client_id", "256 characters or less", "client_id"),
    # choices
    ({"op.logout": "second"}, "op.logout", "'first', 'last' or 'none'", '"first" or "last" or "none"'),
    ({"gateway.confirm_logout": "sometimes"}, "gateway.confirm_logout", "'unsigned', 'never' or 'always'", "write"),
    ({"apps[0].visit": "often"}, "apps[0].visit", "'eager', 'lazy' or 'recent'", "write"),
    ({"apps[0].login": "popup"}, "apps[0].login", "'form_post'", "write"),
    (
        {"apps[0].login": "redirect"},
        "apps[0].login",
        "never accepted unbound",
        '"form_post", "two_step", "external" or "none"',
    ),
    ({"apps[0].login": "back_channel"}, "apps[0].login", "never accepted unbound", '"form_post"'),
    ({"apps[0].logout": "two_step"}, "apps[0].logout", "by itself", '"redirect"'),
    # ids, names, scope
    ({"chains[0].id": "Main"}, "chains[0].id", "lower-case letters", '"shop"'),
    ({"chains[0].id": "-main"}, "chains[0].id", "begins with a letter or digit", '"shop"'),
    ({"chains[0].id": "m" * 33}, "chains[0].id", "up to 32", '"shop"'),
    ({"chains[0].id": "maïn"}, "chains[0].id", "lower-case letters", '"shop"'),
    ({"chains[0].id": "main\n"}, "chains[0].id", "lower-case letters", '"shop"'),
    ({"chains[0].id": ""}, "chains[0].id", "lower-case letters", '"shop"'),
    ({"apps[0].name": ""}, "apps[0].name", "1 to 64 printable", "people"),
    ({"apps[0].name": "Shop\u202e"}, "apps[0].name", "printable", "people"),
    ({"gateway.title": "two\nlines"}, "gateway.title", "one line", "people"),
    ({"gateway.title": "x" * 65}, "gateway.title", "1 to 64", "people"),
    ({"apps[0].claims": ["e mail"]}, "apps[0].claims[0]", "visible characters", '"email"'),
    ({"op.scope": "profile email"}, "op.scope", "no ID token", '"openid profile email"'),
    ({"op.scope": "openidx"}, "op.scope", "no ID token", '"openid profile email"'),
    # origins and URLs
    (
        {"gateway.public_url": "http://login.example.com"},
        "gateway.public_url",
        "the scheme is https",
        "http is for localhost",
    ),
    ({"gateway.public_url": "https://login.example.com/sso"}, "gateway.public_url", "nothing after it", "https://HOST"),
    ({"gateway.public_url": "https://login.example.com//"}, "gateway.public_url", "nothing after it", "https://HOST"),
    (
        {"gateway.public_url": "https://login.example.com/?a=b"},
        "gateway.public_url",
        "nothing after it",
        "https://HOST",
    ),
    ({"gateway.public_url": "https://Login.example.com"}, "gateway.public_url", "lower-case", "https://HOST"),
    ({"gateway.public_url": "https://login.example.com:443"}, "gateway.public_url", "default", "https://HOST"),
    ({"apps[0].origin": "http://shop.example"}, "apps[0].origin", "the scheme is https", "http is for localhost"),
    ({"apps[0].origin": "http://10.0.0.8"}, "apps[0].origin", "the scheme is https", "http is for localhost"),
    ({"apps[0].origin": "https://shop.example/"}, "apps[0].origin", "nothing after it", "https://HOST"),
    ({"apps[0].origin": "https://shop.example."}, "apps[0].origin", "trailing dot", "https://HOST"),
    ({"op.issuer": "http://id.example.com"}, "op.issuer", "the scheme is https", "loopback"),
    ({"op.issuer": "https://id.example.com/?tenant=1"}, "op.issuer", "no query", "openid-configuration"),
    ({"op.issuer": "https://user@id.example.com/"}, "op.issuer", "origin", "https://HOST/PATH"),
    ({"apps[0].hop_url": "http://shop.example/hop"}, "apps[0].hop_url", "the scheme is https", "loopback"),
    ({"apps[0].hop_url": "/hop"}, "apps[0].hop_url", "not an absolute", "https://HOST/PATH"),
    ({"apps[0].hop_url": "https://shop.example/a/../hop"}, "apps[0].hop_url", "dot segment", "https://HOST/PATH"),
    ({"apps[0].hop_url": "https://shop.example/hop#x"}, "apps[0].hop_url", "fragment", "https://HOST/PATH"),
    ({"apps[0].hop_url": "https://shop.example/" + "x" * 512}, "apps[0].hop_url", "512", "shorten"),
    ({"apps[0].return_to": ["/", "account"]}, "apps[0].return_to[1]", "begins with a slash", '"/account"'),
    ({"apps[0].return_to": ["//evil.example"]}, "apps[0].return_to[0]", "empty segment", '"/account"'),
    ({"apps[0].return_to": ["/a/%2e%2e/b"]}, "apps[0].return_to[0]", "dot segment", '"/account"'),
    # addresses and networks
    ({"gateway.listen": "8080"}, "gateway.listen", "HOST:PORT", "127.0.0.1:8080"),
    ({"gateway.listen": ":8080"}, "gateway.listen", "HOST:PORT", "127.0.0.1:8080"),
    ({"gateway.listen": "::1:8080"}, "gateway.listen", "HOST:PORT", "[::1]:8080"),
    ({"gateway.listen": "[::g]:8080"}, "gateway.listen", "HOST:PORT", "[::1]:8080"),
    ({"gateway.listen": "[1:2]:8080"}, "gateway.listen", "not an IPv6 address", "[::1]:8080"),
    ({"gateway.listen": "127.0.0.1:65536"}, "gateway.listen", "HOST:PORT", "127.0.0.1:8080"),
    ({"gateway.listen": "127.0.0.1:08080"}, "gateway.listen", "HOST:PORT", "127.0.0.1:8080"),
    ({"gateway.listen": "unix:"}, "gateway.listen", "no socket file", "unix:/run"),
    ({"gateway.listen": "unix:" + "s" * 104}, "gateway.listen", "longer than 103 bytes", "unix:/run"),
    ({"gateway.listen": 8080}, "gateway.listen", "not an address", "127.0.0.1:8080"),
    ({"gateway.trusted_proxies": ["10.0.0.1/8"]}, "gateway.trusted_proxies[0]", "right of its mask", "10.1.0.0/16"),
    ({"gateway.trusted_proxies": ["proxy"]}, "gateway.trusted_proxies[0]", "not a network in CIDR", "127.0.0.1/32"),
    ({"gateway.trusted_proxies": ["0.0.0.0/0"]}, "gateway.trusted_proxies[0]", "everybody", "own address"),
    ({"gateway.trusted_proxies": ["::/0"]}, "gateway.trusted_proxies[0]", "everybody", "own address"),
    ({"gateway.trusted_proxies": [4]}, "gateway.trusted_proxies[0]", "not a network", "127.0.0.1/32"),
    # stores
    ({"store.url": "postgres://db"}, "store.url", "no store", "sqlite:///chain.db"),
    ({"store.url": "memory"}, "store.url", "no store", "memory://"),
    ({"store.url": "sqlite://chain.db"}, "store.url", "no store", "sqlite:///chain.db"),
    ({"store.url": "sqlite:///"}, "store.url", "path of a file", "sqlite:///chain.db"),
    ({"store.url": "sqlite:///:memory:"}, "store.url", "path of a file", "memory://"),
    ({"store.url": "sqlite:///chain.db?mode=ro"}, "store.url", "no option", "?synchronous=full"),
    ({"store.url": "sqlite:///folder/"}, "store.url", "path of a file", "sqlite:///chain.db"),
    ({"store.url": "sqlite:///a%00b"}, "store.url", "path of a file", "sqlite:///chain.db"),
    ({"store.url": "redis+sentinel://h1,h2"}, "store.url", "no store", "memory://"),
    ({"store.url": "redis://h1,h2"}, "store.url", "no store", "memory://"),
    ({"store.url": "redis+cluster://h1/0"}, "store.url", "no store", "redis://HOST"),
    ({"store.url": "rediss://h1?ca=here.pem"}, "store.url", "no store", "redis://HOST"),
    ({"store.url": "rediss://h1?verify=none"}, "store.url", "no store", "redis://HOST"),
    # files and folders
    ({"gateway.keys": "keys.json"}, "gateway.keys", "does not name a file", '{ file = "keys.json" }'),
    ({"gateway.keys": {"env": "KEYS"}}, "gateway.keys", "does not name a file", '{ file = "keys.json" }'),
    ({"gateway.keys": {"file": "a", "mode": 5}}, "gateway.keys", "does not name a file", '{ file = "keys.json" }'),
    ({"gateway.templates_dir": "nowhere"}, "gateway.templates_dir", "no such folder", "create it"),
    ({"gateway.audit_log": "nowhere/audit.jsonl"}, "gateway.audit_log", "no file can be written there", "create its"),
    ({"gateway.audit_log": "/"}, "gateway.audit_log", "no file can be written there", "correct the path"),
    ({"gateway.audit_log": ["audit.jsonl"]}, "gateway.audit_log", "no file can be written there", "correct the path"),
    ({"gateway.static_dir": 4}, "gateway.static_dir", "no such folder", "create it"),
    ({"gateway.static_dir": "a\0b"}, "gateway.static_dir", "no path has a NUL", "correct the path"),
    ({"gateway.audit_log": "/a\0b"}, "gateway.audit_log", "no path has a NUL", "correct the path"),
    ({"gateway.keys": {"file": "a\0b"}}, "gateway.keys", "no path has a NUL", "correct the path"),
    ({"gateway.listen": "unix:a\0b"}, "gateway.listen", "no path has a NUL", "correct the path"),
    ({"apps[0].secret": {"file": "a\0b"}}, "apps[0].secret", "no path has a NUL", "correct the path"),
    ({"gateway.static_dir": "/" + "a" * 300}, "gateway.static_dir", "file name too long", "correct the path"),
    ({"gateway.audit_log": "/" + "a" * 300}, "gateway.audit_log", "file name too long", "correct the path"),
    ({"gateway.keys": {"file": "/" + "a" * 300}}, "gateway.keys", "file name too long", "correct the path"),
]


@pytest.mark.parametrize(("changes", "path", "reason", "hint"), REFUSED)
def test_a_wrong_value_is_one_problem(changes, path, reason, hint):
    """A value that a key does not take is told once, at its place, with why and what to write instead."""
    problem = the_problem(changes)
    assert problem.path == path
    assert reason in problem.reason
    assert hint in problem.hint


def test_every_key_has_its_words_and_refuses_nonsense():
    """Each key tells what it is for, and no key takes a date: whatever it is, TOML can spell it and we refuse it."""
    for section, model in SECTIONS.items():
        name = section.strip("[]")
        place = f"{name}[0]" if section.startswith("[[") else name
        for key, info in model.model_fields.items():
            assert told(info).meaning, f"{section}.{key}"
            found = problems({f"{place}.{key}": object()})
            paths = [problem.path for problem in found]
            assert f"{place}.{key}" in paths, f"{section}.{key} takes anything: {found}"


def test_a_section_that_is_no_table_is_told():
    """Whatever stands where a table should, each such place is told by its path."""
    data = a_config({"apps[1]": "news", "op": 5})
    with pytest.raises(ConfigError) as refused:
        parse(data, base=Path("/"), environ={})
    paths = [problem.path for problem in refused.value.problems]
    assert "op" in paths
    assert "apps[1]" in paths


def test_a_key_that_no_bare_word_spells_is_quoted():
    """A path is unambiguous and shows no control character, whatever the key."""
    assert the_problem({"gateway": {"public_url": "https://login.example.com", "a.b\x1b[31m": 1}}).path == (
        'gateway."a.b\\u001b[31m"'
    )


def test_defaults():
    """What is not written has the documented value."""
    gateway, store, op = settings().gateway, settings().store, settings().op
    app = settings().apps[0]
    assert (gateway.listen, gateway.ops_listen) == (TcpAddress("127.0.0.1", 8080), TcpAddress("127.0.0.1", 9090))
    assert (gateway.redirect_budget, gateway.confirm_logout, gateway.trusted_proxies) == (15, "unsigned", ())
    assert gateway.keys == Path("/nowhere/keys.json")
    assert store.url == "sqlite:////nowhere/chain.db"
    assert (op.kind, op.auth_method, op.scope, op.logout) == ("oidc", "auto", "openid profile email", "first")
    assert (op.max_age, op.federated) == (400 * 86400, False)
    assert (app.login, app.logout, app.visit, app.required) == ("form_post", "redirect", "eager", False)
    assert (app.retries, app.ping, app.session_max, app.claims, app.return_to) == (1, True, 43200, (), ("/",))


def test_one_trailing_slash_of_public_url_is_taken_off():
    """``iss`` is the public URL without a trailing slash, however the operator spells it."""
    assert (
        settings({"gateway.public_url": "https://login.example.com/"}).gateway.public_url == "https://login.example.com"
    )


@pytest.mark.parametrize("host", ["localhost:8080", "login.localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
def test_loopback_needs_no_tls(host):
    """A developer's machine may do without https, in every URL of the file."""
    changes = {
        "gateway.public_url": f"http://{host}",
        "op.issuer": f"http://{host}/op",
        "apps[0].origin": "http://shop.localhost",
        "apps[0].hop_url": "http://shop.localhost/hop",
    }
    assert settings(changes).gateway.public_url == f"http://{host}"


def test_forms_of_an_address():
    """Host and port, IPv6 in brackets, and a socket whose relative path starts at the configuration's folder."""
    taken = {
        "0.0.0.0:80": TcpAddress("0.0.0.0", 80),
        "[0:0::1]:8080": TcpAddress("::1", 8080),
        "gateway.internal:8080": TcpAddress("gateway.internal", 8080),
        "unix:/run/gateway.sock": UnixAddress(Path("/run/gateway.sock")),
        "unix:run/../gateway.sock": UnixAddress(Path("/nowhere/gateway.sock")),
    }
    for text, address in taken.items():
        assert settings({"gateway.listen": text}).gateway.listen == address
        assert settings({"gateway.listen": str(address)}).gateway.listen == address


def test_relative_paths_start_at_the_configurations_folder(tmp_path):
    """Wherever the gateway is started, the same files are meant."""
    (tmp_path / "mine").mkdir()
    changes = {
        "gateway.templates_dir": "mine",
        "gateway.static_dir": "./mine/../mine",
        "gateway.audit_log": "mine/audit.jsonl",
        "gateway.keys": {"file": "keys/ring.json"},
        "store.url": "sqlite:///data/chain.db",
    }
    read = settings(changes, base=tmp_path)
    assert read.gateway.templates_dir == read.gateway.static_dir == tmp_path / "mine"
    assert read.gateway.audit_log == tmp_path / "mine" / "audit.jsonl"
    assert read.gateway.keys == tmp_path / "keys" / "ring.json"
    assert read.store.url == f"sqlite:///{tmp_path}/data/chain.db"
    assert settings({"store.url": "sqlite:////var/chain.db"}, base=tmp_path).store.url == "sqlite:////var/chain.db"


def test_the_store_finds_the_file_that_was_meant(tmp_path):
    """Whatever the folder is called, the store opens the file beside the configuration, with the option it names."""
    folder = tmp_path / "a b%20c?d"
    folder.mkdir()
    for name in ("chain.db", "my%20chain.db", "x/../chain.db?synchronous=full"):
        url = settings({"store.url": f"sqlite:///{name}"}, base=folder).store.url
        store = open_store(url)
        assert isinstance(store, SqliteStore)
        assert store._path == folder / ("my chain.db" if "my" in name else "chain.db")
        assert url.endswith("?synchronous=full") is name.endswith("?synchronous=full")
    assert isinstance(open_store(settings({"store.url": "memory://"}).store.url), MemoryStore)


def test_a_template_keeps_its_placeholders_in_the_query():
    """No value that fills a template can reach its host or its path (threat T05)."""
    for template in (
        "https://{login_hint}/login?iss={iss}",
        "https://shop.example{return_to}",
        "https://shop.example/{return_to}?iss={iss}",
        "{return_to}",
        "https://shop.example:{state}/login",
    ):
        problem = the_problem({"apps[0].login": "external", "apps[0].external_login": template})
        assert problem.path == "apps[0].external_login"
        assert "{return_to}" in problem.hint
    for template in (
        "https://shop.example/?x={password}",
        "http://shop.example/?x={iss}",
        "https://shop.example/?{iss}=1",
    ):
        assert the_problem({"apps[0].logout": "external", "apps[0].external_logout": template}).path.endswith("logout")
    long = "https://shop.example/?x=" + "y" * 512
    assert "512" in the_problem({"apps[0].logout": "external", "apps[0].external_logout": long}).reason


def private(key, encryption=None):
    encryption = encryption or NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_a_private_key_can_sign():
    """RSA, EC and Ed25519 keys sign client assertions; weak, locked and other keys are refused without a trace."""
    strong = rsa.generate_private_key(65537, 2048)
    for key in (strong, ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        assert settings({"op.private_key": private(key)}).op.private_key.reveal() == private(key)
    refused = {
        "too weak": private(rsa.generate_private_key(65537, 1024)),
        "RSA, EC or Ed25519": private(dsa.generate_private_key(1024)),
        "without a passphrase": private(strong, BestAvailableEncryption(b"x")),
        "not a PEM private key": public(strong),
    }
    for reason, pem in refused.items():
        problem = the_problem({"op.private_key": pem})
        assert problem.path == "op.private_key"
        assert reason in problem.reason
        assert pem.splitlines()[1] not in f"{problem}"


def test_a_public_key_is_one_for_es256():
    """An app registers a P-256 public key; its private key is refused, and so is a key that ES256 cannot use."""
    mine = ec.generate_private_key(ec.SECP256R1())
    refused = {
        "it stays with the app": private(mine),
        "P-256": public(ec.generate_private_key(ec.SECP384R1())),
        "curve P-256": public(ed25519.Ed25519PrivateKey.generate()),
        "not a PEM public key": "ssh-ed25519 AAAA",
    }
    for reason, pem in refused.items():
        problem = the_problem({"apps[0].secret": GONE, "apps[0].public_key": pem})
        assert problem.path == "apps[0].public_key"
        assert reason in problem.reason


def test_a_public_key_may_lie_open(tmp_path):
    """A public key is no secret: its file may be read by everybody."""
    (tmp_path / "shop.pem").write_text(PUBLIC)
    (tmp_path / "shop.pem").chmod(0o644)
    read = settings({"apps[0].secret": GONE, "apps[0].public_key": {"file": "shop.pem"}}, base=tmp_path)
    assert read.apps[0].public_key == PUBLIC.rstrip("\n")
