"""The generated pages are what the model makes of them, and their example is a configuration."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from chain_gateway.config import field_table, parse, registry
from chain_gateway.config.model import SECTIONS
from chain_gateway.config.rules import every_rule
from chain_gateway.config.table import example, readme, reference

ROOT = Path(__file__).parents[2]
PAGES = {"readme": ROOT / "chain_configs" / "README.md", "reference": ROOT / "docs" / "configuration.md"}
PLANTED = {
    name: f"a planted value for {name} of 32 bytes or more"
    for name in ("OP_CLIENT_SECRET", "SHOP_SECRET", "ACTION_SECRET", "DASHBOARD_TOKEN")
}


@pytest.mark.parametrize(("name", "make"), [("readme", readme), ("reference", reference)])
def test_a_page_is_what_the_model_makes(name, make):
    """Whoever changes the model makes the pages anew; the first line of each says how."""
    page = PAGES[name].read_text()
    assert page == make(), f"run: python -m chain_gateway.config.table {name} > {PAGES[name].relative_to(ROOT)}"
    command = re.search(r"`python -m (\S+) (\S+) > (\S+)`", page)
    assert command.groups() == ("chain_gateway.config.table", name, str(PAGES[name].relative_to(ROOT)))


@pytest.mark.parametrize("name", ["readme", "reference"])
def test_the_command_prints_the_page(name):
    """The command that a page names prints that page."""
    done = subprocess.run(
        [sys.executable, "-m", "chain_gateway.config.table", name], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == PAGES[name].read_text()


def test_every_key_is_on_both_pages():
    """Each key of each section stands in a table of both pages, and no table has a key that is not there."""
    rows = field_table()
    assert [(row.section, row.key) for row in rows] == [
        (section, key) for section, model in SECTIONS.items() for key in model.model_fields
    ]
    for page in (readme(), reference()):
        for section in SECTIONS:
            table = page.partition(f"\n## `{section}`\n")[2].partition("\n## ")[0]
            keys = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
            assert keys == [row.key for row in rows if row.section == section]


def test_every_row_is_complete():
    """A key has a type and a meaning in words, an example that is TOML, and a default unless it must be set."""
    for row in field_table():
        assert row.type
        assert row.meaning
        assert not row.meaning.endswith(".")
        assert "|" not in f"{row.type}{row.meaning}{row.default}", f"{row.key} would break the table"
        assert tomllib.loads(f"{row.key} = {row.example}")
        if row.required:
            assert row.default == ""


def test_a_default_is_the_value_that_a_gap_has():
    """Where the table shows a default as TOML, writing it out changes nothing."""
    data = tomllib.loads(example())
    bare = {
        "gateway": {"public_url": data["gateway"]["public_url"]},
        "op": {},
        "apps": data["apps"],
        "chains": data["chains"],
    }
    bare["op"] = {key: data["op"][key] for key in ("issuer", "client_id", "client_secret")}
    bare["apps"] = [{key: data["apps"][0][key] for key in ("id", "origin", "secret")}, data["apps"][1]]
    full = {**bare, "gateway": dict(bare["gateway"]), "store": {}, "op": dict(bare["op"])}
    full["apps"] = [dict(bare["apps"][0]), bare["apps"][1]]
    places = {"[gateway]": full["gateway"], "[store]": full["store"], "[op]": full["op"], "[[apps]]": full["apps"][0]}
    for row in field_table():
        if row.default and "`" not in row.default:
            places[row.section].update(tomllib.loads(f"{row.key} = {row.default}"))
    assert len(full["gateway"]) > 6
    base = Path("/nowhere")
    assert parse(full, base=base, environ=PLANTED) == parse(bare, base=base, environ=PLANTED)


def test_the_whole_example_is_sound(tmp_path):
    """What the reference page shows can be copied: it is read without a problem, and sets every key that it can."""
    shown = re.search(r"```toml\n(.*?)```", PAGES["reference"].read_text(), re.DOTALL)[1]
    assert shown == example()
    data = tomllib.loads(shown)
    settings = parse(data, base=tmp_path, environ=PLANTED)
    assert [app.id for app in registry(settings).chains["main"].apps] == ["shop", "news"]
    for row in field_table():
        section = data[row.section.strip("[]")]
        first = section[0] if isinstance(section, list) else section
        assert (row.key in first) is row.shown, row.key
        assert row.shown or f"# {row.key} = " in shown


def test_every_rule_is_on_the_page():
    """The reference names each rule by the keys that it looks at and by its own first sentence."""
    page = reference()
    for keys, rule in every_rule():
        sentence = rule.__doc__.partition("\n")[0].replace("``", "`")
        assert sentence.endswith(".")
        assert f"{', '.join(f'`{key}`' for key in keys)}: {sentence}" in page
        known = {f"{row.section.strip('[]')}.{row.key}" for row in field_table()}
        assert set(keys) <= known
