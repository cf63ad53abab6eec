"""The second judge is a judge only if it reads URLs as browsers do: held against the parser that Node ships."""

from __future__ import annotations

import json
import random
import shutil
import subprocess

import pytest
from support.payloads import payloads
from support.second_judge import Nowhere, landing, lands_in

PROGRAM = """
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
console.log(JSON.stringify(texts.map(text => {
  try {
    const url = new URL(text, 'https://login.example/login');
    return /^https?:$/.test(url.protocol) ? [url.origin, url.pathname] : null;
  } catch { return null; }
})));
"""
BITS = (
    *"/\\.:@?#;%&=[]0x1a-_ \t\n~|^",
    "//",
    "..",
    "%2e",
    "%2F",
    "https:",
    "@evil.example",
    "xn--",
    "\u3002",
    "\xad",
    "0x7f",
)


def node_says(texts: list[str]) -> list[list[str] | None]:
    """Origin and path where Node's URL parser arrives, None where it does not."""
    node = shutil.which("node") or pytest.skip("no Node here")
    done = subprocess.run([node, "-e", PROGRAM], input=json.dumps(texts), capture_output=True, text=True, check=True)
    answers: list[list[str] | None] = json.loads(done.stdout)
    return answers


def we_say(text: str) -> list[str] | None:
    try:
        there = landing(text)
    except Nowhere:
        return None
    return [there.origin, there.path]


@pytest.mark.node
def test_every_attack_is_read_as_node_reads_it():
    """Each line of the attack files leads to the same origin and path, or nowhere, in both parsers."""
    texts = payloads("return_to") + payloads("accepted_return_to")
    assert {text: we_say(text) for text in texts} == dict(zip(texts, node_says(texts), strict=True))


@pytest.mark.node
def test_mutated_attacks_go_to_the_origin_that_node_names():
    """Of thousands of broken URLs: wherever Node's parser arrives, the second judge names the same origin."""
    chance = random.Random(20)
    seeds = [text for text in payloads("return_to") + payloads("accepted_return_to") if len(text) < 200]
    texts = []
    for _ in range(5000):
        text = chance.choice(seeds)
        for _ in range(chance.randint(1, 4)):
            start = chance.randint(0, len(text))
            text = text[:start] + chance.choice(BITS) + text[start + chance.choice([0, 0, 1, 1, 3]) :]
        texts.append(text)
    pairs = [(text, node, we_say(text)) for text, node in zip(texts, node_says(texts), strict=True)]
    arrived = [(text, node[0], ours and ours[0]) for text, node, ours in pairs if node]
    assert len(arrived) > 2000
    assert [row for row in arrived if row[1] != row[2]] == []


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https:evil.example", "https://login.example"),
        ("http:evil.example", "http://evil.example"),
        ("/\t/evil.example", "https://evil.example"),
        ("\\\\evil.example", "https://evil.example"),
        ("https://shop.example\\@evil.example", "https://shop.example"),
        ("https://shop.example@evil.example", "https://evil.example"),
        ("HTTPS://EVIL\u3002EXAMPLE:443", "https://evil.example"),
        ("https://0x7f.1/", "https://127.0.0.1"),
        ("https://[::FFFF:192.0.2.7]/", "https://[::ffff:c000:207]"),
        ("https://m\xfcnchen.example", "https://xn--mnchen-3ya.example"),
    ],
)
def test_it_is_as_generous_as_a_browser(text, origin):
    """The tricks that matter, written out, so that they are held where there is no Node."""
    assert landing(text).origin == origin


def test_it_follows_lenient_servers_too():
    """A path that only looks like one under the prefix, until a server decodes it or cuts parameters, is no arrival."""
    places = {"https://shop.example": ("/account",)}
    assert lands_in("https://shop.example/account/x;v=1", places)
    for path in (
        "/account/..;/x",
        "/account/%2e%2e/x",
        "/account/..%2fx",
        "/account/..%252fx",
        "/accounting",
        "/account/%c0%ae./x",
    ):
        assert not lands_in(f"https://shop.example{path}", places), path
