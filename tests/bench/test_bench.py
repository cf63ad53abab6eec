"""The measurements measure: a tiny run of each has well-formed figures, and an answer that is wrong is no figure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import answer as bench_answer
from bench import profile, relay, table
from bench.catalogue import SUBJECTS, WORDS, chosen, measure
from bench.child import Child
from bench.crowd import crowd
from bench.figures import Figure, MeasurementFailed, Size, Subject, rounded
from bench.page import put
from bench.steps import REST, STEPS
from chain_gateway.cli.bench import bench

ROOT = Path(__file__).parents[2]
NAMED = [(next(iter(subject.figures)), subject) for subject in SUBJECTS]
MARKS = {
    "relay.redis": pytest.mark.redis,
    "workers.2": pytest.mark.redis,
    "memory.rest": pytest.mark.redis,
    "chromium.login": pytest.mark.browser,
}
TINY = Size(
    rounds=1,
    slices=1,
    hops=12,
    visits=2,
    logins=1,
    renders=2,
    starts=1,
    open_walks=500,
    flat_hops=40,
    browsers=2,
    chromium=1,
    apps=(1, 2, 3),
)


@pytest.mark.parametrize("subject", [pytest.param(each, marks=MARKS.get(name, ()), id=name) for name, each in NAMED])
def test_each_measurement_has_the_figures_that_it_promises(subject: Subject) -> None:
    """A tiny run gives every name of the subject a value, a unit and a baseline; a wrong answer would have raised."""
    figures = subject.take(TINY)
    assert figures.keys() == subject.figures.keys()
    for figure in figures.values():
        assert figure.value > 0
        assert figure.baseline > 0
        assert figure.unit
        assert figure.as_json().keys() == {"value", "unit", "baseline", "ratio"}


def test_a_figure_is_rounded_and_its_ratio_is_that_of_the_exact_numbers() -> None:
    """Four digits that count, whole numbers without a point."""
    assert Figure(1234.56, "µs", 99.99).as_json() == {"value": 1235, "unit": "µs", "baseline": 99.99, "ratio": 12.35}
    assert rounded(0.000123456) == 0.0001235


def test_a_name_means_itself_and_all_below_it() -> None:
    """``relay.sqlite`` has two figures, ``token`` three, nothing means all, and a part of a word means nothing."""
    assert chosen(["relay.sqlite"]) == ["relay.sqlite", "relay.sqlite.cpu"]
    assert chosen(["token", "start.wall"]) == ["token.size.1", "token.size.10", "token.size.100", "start.wall"]
    assert chosen([]) == list(WORDS)
    with pytest.raises(KeyError, match="tok"):
        chosen(["tok"])


def test_only_what_was_asked_for_is_measured() -> None:
    """A subject is taken once, however many of its names are wanted, and others are not taken at all."""
    told: list[str] = []
    assert measure(["token.size.1", "token.size.10"], TINY, told.append).keys() == {"token.size.1", "token.size.10"}
    assert told == ["token.size.1"]


async def test_a_hop_that_fails_is_no_figure() -> None:
    """A receipt that does not verify leads to the same app again, and the run says so instead of counting it."""
    with Child("bench.relay_server", "memory://", "4") as server:
        port = int(server.ask("ports")[0])
        good, bad = ([text.encode() for text in server.ask("hops 2 4")] for _ in range(2))
        async with crowd(port, 2) as clients:
            assert (await clients.send(good, b"302", relay.TO_NEXT)).answers == 2
            broken = [request.replace(b"&receipt=", b"&receipt=A") for request in bad]
            with pytest.raises(MeasurementFailed, match="2 of 2 answers are wrong"):
                await clients.send(broken, b"302", relay.TO_NEXT)


async def test_a_status_that_was_not_expected_is_no_figure() -> None:
    """An answer counts by its status as well."""
    with Child("bench.relay_server", "memory://", "4") as server:
        async with crowd(int(server.ask("ports")[1]), 1) as clients:
            with pytest.raises(MeasurementFailed, match="1 of 1 answers are wrong"):
                await clients.send([b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"], b"302", b"")


def test_a_server_that_ends_shows_its_log() -> None:
    """Who measures sees why a server did not start."""
    with Child("bench.relay_server", "nonsense://", "4") as server, pytest.raises(MeasurementFailed, match="store"):
        server.ask("ports")


def test_the_profile_finds_each_step() -> None:
    """Every function that a step names is there and is called in a hop; the table ends with the whole."""
    import uvloop  # noqa: PLC0415 - a loop of its own, as the command has

    found, hop, bare = uvloop.run(profile.steps(TINY))
    assert [name for name, _ in found] == [*(name for name, _ in STEPS), REST]
    assert all(took > 0 for _, took in found)
    lines = profile.lines(found, hop, bare)
    assert len(lines) == len(found) + 5


def test_the_command_answers_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object on standard output, in the names of the interface."""
    assert bench(("token.size",), as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.keys() == {"token.size.1", "token.size.10", "token.size.100"}
    assert told["token.size.100"]["baseline"] == 1024
    assert told["token.size.100"]["unit"] == "characters"


def test_the_command_answers_with_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each figure."""
    assert bench(("token.size",), as_json=False) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == ["name", "token.size.1", "token.size.10", "token.size.100"]


def test_a_name_that_means_nothing_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused before anything is measured, with the names that there are."""
    assert bench(("relay.memory", "relay.clay"), as_json=True) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "relay.clay" in told.err
    assert "relay.sqlite.cpu" in told.err


def test_a_measurement_that_fails_is_told_and_is_no_success(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason goes to standard error, and the exit code is 1."""

    def fails(*_: object) -> dict[str, Figure]:
        raise MeasurementFailed("3 of 4 answers are wrong")

    monkeypatch.setattr(bench_answer, "measure", fails)
    assert bench_answer.answer((), as_json=True) == 1
    assert "3 of 4" in capsys.readouterr().err


def test_an_installed_program_says_that_it_has_no_bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a checkout there is nothing to run, and a sentence says where it would run."""
    assert bench((), as_json=False, root=tmp_path) == 2
    assert "checkout" in capsys.readouterr().err


def test_a_table_is_written_at_its_mark(tmp_path: Path) -> None:
    """What stood between the marks goes, what stands around them stays; a page without marks is refused."""
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n")
    for _ in range(2):
        put(page, "figures", ["| new |"])
        assert page.read_text() == "before\n<!-- figures -->\n\n| new |\n\n<!-- /figures -->\nafter\n"
    with pytest.raises(ValueError, match="profile"):
        put(page, "profile", [])


def test_the_page_has_every_figure_and_means_them_as_the_code_does() -> None:
    """docs/performance.md has a row for each name, and its legend is the one of the code."""
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    figures = text.partition("<!-- figures -->")[2].partition("<!-- /figures -->")[0]
    rows = [line.split("`")[1] for line in figures.splitlines() if line.startswith("| `")]
    assert rows == list(WORDS)
    assert "\n".join(table.legend()) in text
    steps = text.partition("<!-- profile -->")[2].partition("<!-- /profile -->")[0]
    assert all(f"| {name} |" in steps for name, _ in STEPS)


def test_the_table_is_made_of_what_the_command_printed(tmp_path: Path) -> None:
    """Figures that were kept as JSON can be written into a page later, on another machine."""
    kept, page = tmp_path / "figures.json", tmp_path / "page.md"
    kept.write_text(json.dumps({"login.cpu": Figure(2.5, "ms", 0.125).as_json()}))
    page.write_text("<!-- figures -->\n<!-- /figures -->\n<!-- legend -->\n<!-- /legend -->\n")
    table.main([str(kept), "--write", str(page)])
    assert "| `login.cpu` | 2.5 | ms | 0.125 | 20 |" in page.read_text()
