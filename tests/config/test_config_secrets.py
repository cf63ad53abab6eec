"""Secrets: where they come from, what is refused, and that no value of one is ever shown (threat T45)."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import traceback

import pytest
from config_builder import ENVIRON, GONE, PRIVATE, a_config, problems, settings, the_problem

from chain_gateway.config import Secret, redacted
from chain_gateway.errors import ConfigError

CANARY = "canary-3f9a1c77-not-to-be-seen-by-anybody"
PLACE = "apps[0].secret"


def a_file(folder, text, mode=0o600, name="shop.secret"):
    """A file with ``text`` and ``mode``."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def revealed(value, **sources):
    """What the first app's secret is, when it is written as ``value``."""
    return settings({PLACE: value}, **sources).apps[0].secret.reveal()


def test_the_three_forms(tmp_path):
    """A string, an environment variable and a file give the same secret; relative files start at the configuration."""
    path = a_file(tmp_path, CANARY)
    environ = {**ENVIRON, "MINE": CANARY}
    for value in (
        CANARY,
        {"env": "MINE"},
        {"file": "shop.secret"},
        {"file": str(path)},
        {"file": "./x/../shop.secret"},
    ):
        assert revealed(value, base=tmp_path, environ=environ) == CANARY


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_one_line_end_of_a_file_is_no_part_of_the_secret(tmp_path, end):
    """Editors end a file with a line end; everything else in it counts."""
    a_file(tmp_path, f" {CANARY} {end}")
    assert revealed({"file": "shop.secret"}, base=tmp_path) == f" {CANARY} "


def test_a_secret_has_32_bytes_and_not_32_letters():
    """Length counts in bytes of UTF-8, as HS256 takes them (RFC 7518, section 3.2)."""
    assert revealed("é" * 16) == "é" * 16
    for short in ("é" * 15 + "x", "x" * 31):
        problem = the_problem({PLACE: short})
        assert (problem.path, "shorter than 32 bytes" in problem.reason) == (PLACE, True)
        assert "token_urlsafe(32)" in problem.hint
    auth0 = {"op.kind": "auth0", "op.issuer": "https://tenant.eu.auth0.com/"}
    assert the_problem({**auth0, "op.action_secret": "x" * 31}).path == "op.action_secret"
    assert the_problem({"gateway.dashboard_token": "x" * 31}).path == "gateway.dashboard_token"
    assert problems({"op.client_secret": "short, but the provider's to choose"}) == ()
    assert problems({"op.client_secret": "x"}) == ()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o610, 0o444, 0o777])
def test_a_file_that_others_can_use_is_refused(tmp_path, mode):
    """A secret that another user can read or change is none."""
    path = a_file(tmp_path, CANARY, mode)
    problem = the_problem({PLACE: {"file": "shop.secret"}}, base=tmp_path)
    assert problem.path == PLACE
    assert "others than its owner" in problem.reason
    assert problem.hint.endswith(f"chmod 600 {path}")


def test_the_keyring_is_its_owners_alone(tmp_path):
    """The keyring may be missing, as it is made from the configuration; if it is there, others must not reach it."""
    assert problems({}, base=tmp_path) == ()
    path = a_file(tmp_path, "{}", 0o640, "keys.json")
    assert the_problem({}, base=tmp_path).path == "gateway.keys"
    assert "chmod 600" in the_problem({"gateway.keys": {"file": "keys.json"}}, base=tmp_path).hint
    path.chmod(0o400)
    assert problems({}, base=tmp_path) == ()


def test_the_hint_can_be_typed(tmp_path):
    """A path with a blank is quoted where it is part of a command."""
    a_file(tmp_path, CANARY, 0o644, "shop secret")
    assert the_problem({PLACE: {"file": "shop secret"}}, base=tmp_path).hint.endswith("/shop secret'")


def wrong(tmp_path):
    """Values that lead to no secret, each with a word of its reason."""
    a_file(tmp_path, b"\xff\xfe" + b"x" * 40, name="binary")
    a_file(tmp_path, "x" * (64 * 1024 + 1), name="large")
    a_file(tmp_path, " \n", name="blank")
    a_file(tmp_path, "", name="empty")
    os.mkfifo(tmp_path / "pipe", 0o600)
    return [
        ({"env": "MISSING"}, "MISSING is not set"),
        ({"env": "EMPTY"}, "EMPTY is empty"),
        ({"env": "BLANK"}, "BLANK is empty"),
        ({"env": "BYTES"}, "BYTES is not UTF-8"),
        ({"env": CANARY}, "does not name an environment variable"),
        ({"env": ""}, "does not name an environment variable"),
        ({"file": "nowhere"}, "no such file"),
        ({"file": "blank"}, "blank is empty"),
        ({"file": "empty"}, "empty is empty"),
        ({"file": "binary"}, "not UTF-8"),
        ({"file": "large"}, "larger than 65536 bytes"),
        ({"file": "pipe"}, "not a file"),
        ({"file": "."}, "not a file"),
        ({"file": "blank/secret"}, "not a directory"),
        ({"file": "n" * 300}, "too long"),
        ({"file": ""}, "nor a place"),
        ({"file": "blank", "env": "SHOP_SECRET"}, "nor a place"),
        ({"env": 5}, "nor a place"),
        ({"value": CANARY}, "nor a place"),
        ({}, "nor a place"),
        ([CANARY], "nor a place"),
        (5, "nor a place"),
        ("", "the string is empty"),
        ("\t\n ", "the string is empty"),
    ]


def test_what_leads_to_no_secret_is_refused(tmp_path):
    """Missing, empty, unreadable, in no form: each is one problem with a reason of its own, and reading never hangs."""
    environ = {**ENVIRON, "EMPTY": "", "BLANK": "  ", "BYTES": "x" * 40 + "\udcff"}
    for value, reason in wrong(tmp_path):
        problem = the_problem({PLACE: value}, base=tmp_path, environ=environ)
        assert problem.path == PLACE
        assert reason in problem.reason
        assert problem.hint


def test_no_refusal_shows_a_value(tmp_path):
    """Whatever is wrong with a line, the text in it is not repeated: it may be a secret in the wrong place."""
    a_file(tmp_path, CANARY, 0o644)
    a_file(tmp_path, CANARY[:20], name="short")
    environ = {**ENVIRON, "SHORT": CANARY[:20]}
    lines = [
        {PLACE: CANARY[:20]},
        {PLACE: {"env": CANARY}},
        {PLACE: {"file": CANARY}},
        {PLACE: {"env": "SHORT"}},
        {PLACE: {"file": "short"}},
        {PLACE: {"file": "shop.secret"}},
        {PLACE: [CANARY]},
        {PLACE: {"text": CANARY}},
        {"op.private_key": CANARY},
        {"apps[0].public_key": CANARY},
        {"apps[0].secret": CANARY, "apps[1].secret": CANARY},
        {"op.client_secret": CANARY, "op.auth_method": "none"},
        {"store.url": f"redis://:{CANARY}@cache.example/no/database"},
        {"store.url": f"{CANARY}://cache.example"},
        *({f"gateway.{key}": CANARY} for key in ("listen", "keys", "redirect_budget", "confirm_logout", "public_url")),
        *(
            {f"apps[0].{key}": CANARY}
            for key in ("login", "visit", "session_max", "origin", "hop_url", "external_login")
        ),
        *({f"op.{key}": CANARY} for key in ("kind", "issuer", "scope", "auth_method", "max_age", "federated")),
    ]
    for changes in lines:
        found = problems(changes, base=tmp_path, environ=environ)
        assert found, changes
        assert CANARY[:20] not in f"{found}{ConfigError(found)}", changes


def test_no_traceback_shows_a_value():
    """Not even the chain of exceptions behind a refusal has the value in its words."""
    with pytest.raises(ConfigError) as refused:
        settings({PLACE: CANARY[:20], "op.issuer": CANARY})
    told = "".join(traceback.format_exception(refused.value))
    assert "ConfigError" in told
    assert CANARY[:20] not in told
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def shown(value):
    """All the ways in which ``value`` could get into a text."""
    logger = logging.getLogger("chain_gateway.test")
    record = logger.makeRecord("test", logging.ERROR, "here", 1, "settings %s %r", (value, value), None)
    return [repr(value), str(value), f"{value}", f"{value!r:>10}", "%s %r" % (value, value), record.getMessage()]  # noqa: UP031


def test_settings_show_no_secret():
    """Not by repr, not by str, not in a format, not in a log line, not in a dump of any kind."""
    read = settings(
        {
            PLACE: CANARY,
            "op.client_secret": CANARY + "2",
            "op.private_key": PRIVATE,
        }
    )
    texts = [text for part in (read, read.op, read.apps, read.apps[0].secret) for text in shown(part)]
    texts += [read.model_dump_json(), f"{read.model_dump()}", f"{read.model_dump(mode='json')}", f"{redacted(read)}"]
    for text in texts:
        assert CANARY not in text
        assert PRIVATE.splitlines()[1] not in text
    assert any("***" in text for text in texts)
    assert read.apps[0].secret.reveal() == CANARY


def test_redacted_says_where_secrets_are():
    """Everything else is there as plain JSON values, and a store's password is hidden too."""
    read = settings({"apps[1].secret": GONE, "apps[1].jwks_url": "https://news.example/jwks.json"})
    plain = redacted(read)
    assert plain["apps"][0]["secret"] == "***"
    assert plain["apps"][1]["secret"] is None
    assert plain["gateway"]["listen"] == "127.0.0.1:8080"
    assert plain["store"] == {"url": "sqlite:////nowhere/chain.db"}
    store = read.store.model_copy(update={"url": f"redis://user:{CANARY}@cache.example/0"})
    with_password = read.model_copy(update={"store": store})
    assert redacted(with_password)["store"] == {"url": "redis://***@cache.example/0"}
    of_sentinels = settings({"store.url": "redis+sentinel://:pw@h/main?sentinel_password=p%26w&sentinel_user=me"})
    assert redacted(of_sentinels)["store"] == {
        "url": "redis+sentinel://***@h/main?sentinel_password=***&sentinel_user=me"
    }
    assert CANARY not in repr(with_password)


def test_secrets_compare_by_value():
    """Two secrets of one text are equal, and are found in a dictionary; a text is not a secret."""
    assert Secret(CANARY) == Secret(CANARY) != Secret(CANARY + "x")
    assert Secret(CANARY) != CANARY
    assert {Secret(CANARY): 1}[Secret(CANARY)] == 1
    assert hash(Secret(CANARY)) != hash(CANARY)


def test_a_copy_is_a_secret_too():
    """Copies, for another process or not, hide what the first one hides."""
    for twin in (copy.deepcopy(Secret(CANARY)), pickle.loads(pickle.dumps(Secret(CANARY)))):
        assert (repr(twin), twin.reveal()) == ("***", CANARY)


def test_the_builders_canaries_are_read():
    """The tests here look for values that really were in the configuration."""
    assert a_config()["apps"][0]["secret"] == {"env": "SHOP_SECRET"}
    assert settings().apps[0].secret.reveal() == ENVIRON["SHOP_SECRET"]
