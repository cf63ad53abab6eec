"""The audit log: what is told of walks, owed logouts and operators, and the file that it is told to."""

from __future__ import annotations

import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
from support.wire import query
from support.world import SECRET, World, a_world, choose, overtaken

from chain_gateway.core.ledger import app_of
from chain_gateway.core.limits import OWED_SECONDS, WALK_SECONDS
from chain_gateway.errors import ConfigError
from chain_gateway.ops.audit_log import LINE_BYTES, AuditFile, sink_at
from chain_gateway.ops.meter import PrometheusMeter
from chain_gateway.service.audit import Audit, AuditEvent, into_log
from chain_gateway.service.health import FRESH_SECONDS
from chain_gateway.service.walk_book import Found, Hand, drop, reference, retry

PERSON = ("alice", "bob", "example.test", SECRET)


class Told(list[tuple[str, dict[str, object]]]):
    """A sink that keeps what it is told."""

    def __call__(self, event: str, **fields: object) -> None:
        self.append((event, fields))

    def of(self, event: AuditEvent) -> list[dict[str, object]]:
        return [fields for name, fields in self if name == event]


@pytest.fixture
async def told(world: World) -> Told:
    """What ``world`` tells from now on."""
    sink = Told()
    world.realm.audit._sink = sink
    return sink


@pytest.fixture
async def world():
    async with a_world(meter=PrometheusMeter()) as made:
        yield made


def counted_ends(world: World) -> dict[str, float]:
    """How many logins have ended, by place."""
    samples = [sample for family in world.realm.meter.families() for sample in family.samples]
    walks = [s for s in samples if s.name == "chain_walks_total" and s.labels["kind"] == "login"]
    return {s.labels["place"]: s.value for s in walks if s.labels["place"] != "begun"}


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_sign_in_and_a_sign_out_are_one_event_each(world: World, told: Told) -> None:
    """With the walk, the chain, who asked, where it ended, and what came of each app's hop."""
    async with world.browser() as b:
        await world.sign_in(b)
        world.fronts["bank"].down()
        await world.sign_out(b)
    assert [name for name, _ in told] == ["audit.sign_in", "audit.sign_out"]
    (login,), (logout,) = told.of(AuditEvent.SIGN_IN), told.of(AuditEvent.SIGN_OUT)
    walk = login.pop("walk")
    assert login == {
        "chain": "main",
        "asked_by": "shop",
        "place": "done",
        "outcomes": {"applied": 3},
        "apps": {"applied": ["shop", "news", "bank"]},
    }
    assert logout["walk"] != walk
    assert logout["outcomes"] == {"applied": 2, "unreachable": 1}
    assert logout["apps"] == {"applied": ["shop", "news"], "unreachable": ["bank"]}
    assert (logout["place"], logout["provider"]) == ("done", "unproven")


async def test_an_owed_logout_is_told_when_it_is_settled(world: World, told: Told) -> None:
    """By the id that lists of them show; not at each attempt."""
    async with world.browser() as b:
        await world.sign_in(b)
        world.fronts["bank"].down()
        await world.sign_out(b)
    (owed,) = (await world.owed()).values()
    await world.deliver()
    assert told.of(AuditEvent.OWED_SETTLED) == []
    world.fronts["bank"].well()
    world.clock.now += OWED_SECONDS
    await world.deliver()
    (event,) = told.of(AuditEvent.OWED_SETTLED)
    assert event == {"owed": reference(owed), "app": "bank", "attempts": 2, "since": owed.entry.since}


async def test_an_owed_logout_that_nobody_confirmed_is_told_as_lapsed(world: World, told: Told) -> None:
    """Never as settled."""
    async with world.browser() as b:
        await world.sign_in(b)
        world.fronts["bank"].down()
        await world.sign_out(b)
    world.clock.now += 10**8
    await world.deliver()
    (event,) = told.of(AuditEvent.OWED_LAPSED)
    assert event["app"] == "bank"
    assert told.of(AuditEvent.OWED_SETTLED) == []


async def test_a_walk_that_nobody_finished_is_told_at_its_end(world: World, told: Told) -> None:
    """By the sweeper: also one that a newer walk has overtaken, whose browser did not come back for it."""
    async with world.browser() as b, world.browser() as other:
        for each in (b, other):
            await each.open(f"{world.apps['shop']}/chain/login")
            await choose(each)
        world.clock.now += 1
        await other.open(f"{world.apps['news']}/chain/login")
        await other.walk_on()
        assert len(told.of(AuditEvent.SIGN_IN)) == 1
        world.clock.now += WALK_SECONDS + 1
        await world.sweep()
        await world.sweep()
    assert sorted(str(event["place"]) for event in told.of(AuditEvent.SIGN_IN)) == ["done", "expired", "superseded"]
    assert counted_ends(world) == {"done": 1, "expired": 1, "superseded": 1}


async def test_a_page_that_is_loaded_again_tells_nothing_twice(world: World, told: Told) -> None:
    """The way back from a hop of a walk that was overtaken, asked for again and again."""
    async with world.browser() as b:
        back = await overtaken(world, b)
        for _ in range(3):
            await b.open(back)
    assert [event["place"] for event in told.of(AuditEvent.SIGN_IN)] == ["done", "superseded"]
    assert counted_ends(world) == {"done": 1, "superseded": 1}


async def test_a_refusal_of_the_provider_is_told(world: World, told: Told) -> None:
    """By the code of the error, and who asked for the login."""
    async with world.browser() as b:
        page = await b.open(f"{world.gateway}/login?app=shop")
        state = query(next(url for url in page.chain if "/authorize" in url))["state"]
        await b.open(f"{world.gateway}/callback?state={state}&error=access_denied&iss={world.op.issuer}")
    (event,) = told.of(AuditEvent.SIGN_IN_FAILED)
    assert (event["asked_by"], event["chain"]) == ("shop", "main")
    assert str(event["code"]).startswith("sign_in_failed")


async def test_what_an_operator_does_is_told_with_whose_hand_it_was(world: World, told: Told) -> None:
    """Retry and drop of what is owed, and drop of a walk; what had ended already is not told."""
    hand = Hand(world.realm.audit, "command")
    async with world.browser() as b:
        await world.sign_in(b)
        world.fronts["bank"].down()
        await world.sign_out(b)
        world.clock.now += 1
        await b.open(f"{world.apps['shop']}/chain/login")
        await choose(b)
    owed, former = (await world.owed()).values()
    assert {app_of(each.entry.app) for each in (owed, former)} == {"bank"}
    assert await retry(world.store, "bank", world.realm.now(), hand) == 2
    await drop(world.store, Found(owed=owed), hand)
    (walk,) = await world.store.open_everywhere(10)
    assert await drop(world.store, Found(walk=walk), hand)
    assert not await drop(world.store, Found(walk=walk), hand)
    assert told.of(AuditEvent.OWED_RETRIED) == [{"by": "command", "app": "bank", "count": 2}]
    assert told.of(AuditEvent.OWED_DROPPED) == [{"by": "command", "app": "bank", "owed": reference(owed)}]
    assert len(told.of(AuditEvent.WALK_DROPPED)) == 1


async def test_what_a_newer_logout_stands_in_the_place_of_is_not_dropped(world: World, told: Told) -> None:
    """Whoever asked for it looked at the older one, and is not told that anything was done."""
    async with world.browser() as b:
        await world.sign_in(b)
        world.fronts["bank"].down()
        await world.sign_out(b)
    (owed,) = (await world.owed()).values()
    newer = owed.entry._replace(epoch=owed.entry.epoch + 1)
    await world.store.note(owed.browser, [newer])
    assert not await drop(world.store, Found(owed=owed), Hand(world.realm.audit, "command"))
    assert [each.entry.epoch for each in (await world.owed()).values()] == [newer.epoch]
    assert told.of(AuditEvent.OWED_DROPPED) == []


async def test_nothing_of_a_person_and_nothing_secret_is_told(world: World, told: Told, tmp_path: Path) -> None:
    """No subject, no address, no session's name, no key, no cookie, no browser's id (T45)."""
    file = AuditFile(tmp_path / "audit.jsonl")
    world.realm.audit._sink = lambda event, **fields: (told(event, **fields), file(event, **fields))
    secrets: set[str] = set()
    for who in ("alice", "bob"):
        async with world.browser() as b:
            await world.sign_in(b, who=who)
            secrets |= set(b.cookies(world.gateway).values()) | set(b.cookies(world.apps["bank"]).values())
            browser = (await world.store.browsers_of(f"demo|{who}", ""))[0]
            known = await world.store.browser(browser)
            secrets |= {browser.hex()} | {entry.sid for entry in known.ledger.values()}
            world.fronts["bank"].down()
            world.clock.now += FRESH_SECONDS + 1
            await world.sign_out(b)
            world.fronts["bank"].well()
            world.clock.now += OWED_SECONDS
            await world.deliver()
    file.close()
    text = (tmp_path / "audit.jsonl").read_text()
    assert {line["event"] for line in lines(tmp_path / "audit.jsonl")} == {
        "audit.sign_in",
        "audit.sign_out",
        "audit.owed_settled",
    }
    assert len(secrets) >= 8
    assert not [word for word in (*PERSON, *secrets) if word in text]
    assert "://" not in text


def test_a_file_is_its_owners_and_is_appended_to(tmp_path: Path) -> None:
    """What was there stays; a line is an object with its name and its time."""
    path = tmp_path / "audit.jsonl"
    for number in range(2):
        file = AuditFile(path, clock=lambda: 1_800_000_000.5)
        file("audit.sign_in", number=number)
        file.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    at = "2027-01-15T08:00:00.500000Z"
    assert lines(path) == [{"event": "audit.sign_in", "timestamp": at, "number": number} for number in range(2)]


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """Without a word to the gateway; the old one keeps what it had."""
    path, old = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    file = AuditFile(path)
    file("audit.sign_in", number=1)
    path.rename(old)
    file("audit.sign_in", number=2)
    path.unlink()
    file("audit.sign_in", number=3)
    file.close()
    assert [line["number"] for line in (*lines(old), *lines(path))] == [1, 3]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_event_without_end_is_cut(tmp_path: Path) -> None:
    """A line has a bound, and says that it was cut."""
    file = AuditFile(tmp_path / "audit.jsonl")
    file("audit.sign_in", walk="w", apps={"applied": ["x" * 32] * 2000}, outcomes={"applied": 2000})
    file.close()
    text = (tmp_path / "audit.jsonl").read_text()
    assert len(text) < LINE_BYTES
    assert {key: json.loads(text)[key] for key in ("event", "walk", "cut")} == {
        "event": "audit.sign_in",
        "walk": "w",
        "cut": True,
    }


@contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size``: the system refuses as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def logged() -> Iterator[list[dict[str, object]]]:
    with structlog.testing.capture_logs() as said:
        yield said


def test_a_full_disk_stops_nobody_and_is_told(tmp_path: Path) -> None:
    """Nothing is raised; the log says so, once a minute; what was cut spoils no line that comes after it."""
    path, now = tmp_path / "audit.jsonl", [1000.0]
    file = AuditFile(path, clock=lambda: now[0])
    file("audit.sign_in", number=1)
    with logged() as said, disk_full_at(path.stat().st_size + 10):
        for number in (2, 3, 4):
            file("audit.sign_in", number=number)
        now[0] += 61
        file("audit.sign_in", number=5)
    assert [(line["event"], line["lost"]) for line in said] == [("audit.not_written", 1), ("audit.not_written", 3)]
    file("audit.sign_in", number=6)
    file.close()
    whole = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    assert [line["number"] for line in whole] == [1, 6]


def test_what_a_dead_process_has_cut_spoils_no_line_of_the_next(tmp_path: Path) -> None:
    """The file is looked at when it is opened."""
    path = tmp_path / "audit.jsonl"
    path.write_text('{"event": "aud')
    file = AuditFile(path)
    file("audit.sign_in", number=1)
    file.close()
    assert json.loads(path.read_text().splitlines()[1])["number"] == 1


def test_what_another_process_has_cut_spoils_no_line(tmp_path: Path) -> None:
    """Each looks at the end of the file, whoever wrote it; and what is whole is followed by no empty line."""
    path = tmp_path / "audit.jsonl"
    first, second = AuditFile(path), AuditFile(path)
    first("audit.sign_in", number=1)
    with logged(), disk_full_at(path.stat().st_size + 10):
        first("audit.sign_in", number=2)
    second("audit.sign_in", number=3)
    first("audit.sign_in", number=4)
    first.close()
    second.close()
    written = path.read_text().splitlines()
    assert [json.loads(line)["number"] for line in (written[0], *written[2:])] == [1, 3, 4]
    assert written[1] == '{"event":"'


def test_a_file_that_root_begins_is_its_folders_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the gateway could not go on with it after a command; one that is there, or is led to, stays whose it is."""
    given: list[tuple[int, int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda file, *whose: given.append((os.fstat(file).st_ino, *whose)))
    path, led = tmp_path / "audit.jsonl", tmp_path / "led.jsonl"
    led.symlink_to(tmp_path / "elsewhere.jsonl")
    for each in (path, path, led):
        AuditFile(each).close()
    folder = tmp_path.stat()
    assert given == [(path.stat().st_ino, folder.st_uid, folder.st_gid)]


WRITER = """
import sys
from pathlib import Path
from chain_gateway.ops.audit_log import AuditFile
file = AuditFile(Path(sys.argv[1]))
for number in range(400):
    file("audit.sign_in", apps={"applied": ["shop" * 8] * 100}, number=number)
"""


def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    """Each is one write to a file that is opened to append."""
    path = tmp_path / "audit.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path)]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert sorted(line["number"] for line in lines(path)) == sorted([*range(400)] * 3)


@pytest.mark.parametrize("kind", ["folder", "pipe", "missing"])
def test_what_cannot_be_written_to_is_refused(tmp_path: Path, kind: str) -> None:
    """As a problem of the configuration, before anything is served; a pipe without a reader keeps nobody waiting."""
    path = tmp_path / "audit.jsonl"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path = tmp_path / "nowhere" / "audit.jsonl"
    with pytest.raises(ConfigError) as refused, sink_at(path):
        pass
    assert refused.value.problems[0].path == "gateway.audit_log"


def test_without_a_file_the_log_has_the_events() -> None:
    """Under the same names."""
    with sink_at(None) as sink, logged() as said:
        assert sink is into_log
        Audit(sink)(AuditEvent.OWED_RETRIED, by="command", app="", count=3)
    assert said == [{"event": "audit.owed_retried", "by": "command", "app": "", "count": 3, "log_level": "info"}]
