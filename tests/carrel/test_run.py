"""The parts of `carrel run` that start nothing big: what it reads, what it refuses, how it watches and ends."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from carrel import run as module
from carrel.config import ConfigError, load
from carrel.guarded import guarded
from carrel.run import Part, RunError, Site, accepts, answers, check_ports, last_words, only_one, read_site
from tests.support.ports import free_port
from tests.support.tree import ROOT

SHIPPED = (ROOT / "config.toml").read_text(encoding="utf-8")


def site_of(folder: Path, text: str = SHIPPED) -> Site:
    (folder / "config.toml").write_text(text, encoding="utf-8")
    return read_site(load(folder / "config.toml", {}))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """The shipped library on ports of its own, with its folders."""
    made = site_of(tmp_path)
    for folder in ("run", "log"):
        (made.common.var / folder).mkdir(parents=True)
    mqtt = made.common.mqtt.model_copy(update={"port": free_port()})
    return replace(
        made, common=replace(made.common, mqtt=mqtt), server=("127.0.0.1", free_port()),
        kiosks=(("127.0.0.1", free_port()),), sim_control=("127.0.0.1", free_port()), sim_io_port=free_port(),
    )  # fmt: skip


def part(name: str = "server", code: str = "pass") -> Part:
    """A program of one line instead of one of ours."""
    return Part(name, "library server", [code], lambda: True)


# ---------------------------------------------------------------- what it reads
def test_the_shipped_file_has_everything_needed_to_start(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    assert (site.server, site.kiosks) == (("127.0.0.1", 8080), (("127.0.0.1", 8081),))
    assert (site.sim, site.demo, site.sim_control) == (True, True, ("127.0.0.1", 18700))
    assert site.run_dir == tmp_path / "var/run"
    assert [p.name for p in module.parts(site)] == ["broker", "sim", "server", "gateway"]


def test_a_real_library_starts_no_virtual_building_and_with_a_broker_elsewhere_none_of_ours(tmp_path: Path) -> None:
    text = SHIPPED.replace("enabled = true", "enabled = false").replace("embedded = true", "embedded = false")
    assert [p.name for p in module.parts(site_of(tmp_path, text))] == ["server", "gateway"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("port = 8080", 'port = "http"', "'server.port' = 'http': input should be a valid integer"),
        ("port = 8081", "port = 70000", "'gateway.kiosk.0.port' = 70000"),
        ("io_port = 18702", "io_port = 0", "'sim.io_port' = 0"),
        ('control = "127.0.0.1:18700"', 'control = "here"', "'sim.control' = 'here'"),
        ("speed = 60", "sped = 60", "unknown key 'sim.sped'"),
        ("demo = true", 'demo = "perhaps"', "'server.demo' = 'perhaps'"),
    ],
)
def test_what_it_cannot_use_is_a_sentence(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in SHIPPED
    with pytest.raises(ConfigError) as refusal:
        site_of(tmp_path, SHIPPED.replace(before, after, 1))
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("config.toml line ")


def test_an_unreadable_configuration_ends_it_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert module.main(["--config", str(tmp_path / "nowhere.toml")]) == 1
    said = capsys.readouterr().err
    assert said == f"carrel: no configuration file at {tmp_path}/nowhere.toml: name one with --config FILE\n"


# ---------------------------------------------------------------- what it refuses
@contextmanager
def held(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


@pytest.mark.parametrize(
    ("which", "key"),
    [
        ("server", "[server] port"),
        ("kiosk", "[[gateway.kiosk]] port"),
        ("mqtt", "[mqtt] port"),
        ("control", "[sim] control"),
        ("io", "[sim] io_port"),
    ],
)
def test_a_taken_port_is_named_with_the_key_that_moves_it(site: Site, which: str, key: str) -> None:
    ports = {
        "server": site.server[1],
        "kiosk": site.kiosks[0][1],
        "mqtt": site.common.mqtt.port,
        "control": site.sim_control[1],
        "io": site.sim_io_port,
    }
    check_ports(site)
    with held(ports[which]), pytest.raises(RunError) as refusal:
        check_ports(site)
    assert str(refusal.value) == (
        f"port {ports[which]} on 127.0.0.1 is not free (Address already in use): end the program that holds it, "
        f"or change {key} in config.toml"
    )


def test_a_port_given_twice_is_named_with_both_keys(site: Site) -> None:
    with pytest.raises(RunError, match=r"is given to both \[server\] port and \[\[gateway.kiosk\]\] port"):
        check_ports(replace(site, kiosks=(site.server,)))


def test_a_port_only_for_root_is_said_to_be_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(RunError, match=r"is only for root: change \[server\] port"):
        check_ports(site)


def test_a_second_start_on_one_folder_is_refused_and_possible_after_the_first(site: Site) -> None:
    with only_one(site), pytest.raises(RunError, match="already running on"), only_one(site):
        pass
    with only_one(site):
        pass


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    with pytest.raises(RunError, match=r"cannot write to .*var: .*; set \[paths\] var"), only_one(site_of(tmp_path)):
        pass


# ---------------------------------------------------------------- programs
@pytest.fixture
def short_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """`carrel.guarded` replaced by a line of Python, so that a test starts none of ours."""
    real = module.subprocess.Popen

    def popen(argv: list[str], **options: object) -> object:
        return real([sys.executable, "-c", argv[4]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(module.subprocess, "Popen", popen)


@pytest.mark.usefixtures("short_programs")
def test_a_program_that_does_not_start_is_told_with_its_last_words(site: Site) -> None:
    dead = part(code="import sys; print('line', file=sys.stderr); print('carrel server: no', file=sys.stderr)")
    living = part("gateway", "import time; time.sleep(60)")
    living.ready = lambda: False
    for each in (living, dead):
        module.start(each, site)
    with pytest.raises(RunError, match=r"^the library server did not start: carrel server: no$"):
        module.await_ready(living, [living, dead], site)
    module.stop_all([living, dead])


@pytest.mark.usefixtures("short_programs")
def test_a_program_that_never_gets_ready_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "START_LIMIT_S", 0.1)
    slow = part(code="import time; time.sleep(60)")
    slow.ready = lambda: False
    module.start(slow, site)
    with pytest.raises(RunError, match=r"is not ready after 0 s; see .*server\.log"):
        module.await_ready(slow, [slow], site)
    module.stop_all([slow])


@pytest.mark.usefixtures("short_programs")
def test_a_program_that_dies_is_started_again_after_a_pause_that_grows(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    dying = part(code="import sys; sys.exit('oh')")
    dying.delay_s = 0.01
    module.start(dying, site)
    pauses = set()
    first = dying.process
    deadline = time.monotonic() + 10
    while len(pauses) < 3:
        module.watch(dying, site)
        pauses.add(dying.delay_s)
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert dying.process is not first
    assert sorted(pauses) == [0.01, 0.02, 0.04]
    assert "the library server ended (oh); starting it again" in capsys.readouterr().out
    module.stop_all([dying])


@pytest.mark.usefixtures("short_programs")
def test_all_programs_are_ended_and_one_that_does_not_obey_is_killed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_LIMIT_S", 0.3)
    deaf_code = (
        "import signal, time, sys; signal.signal(15, signal.SIG_IGN);"
        "print('deaf', file=sys.stderr, flush=True); time.sleep(60)"
    )
    good, deaf = part("gateway", "import time; time.sleep(60)"), part("server", deaf_code)
    for each in (good, deaf):
        module.start(each, site)
    while last_words(deaf, site) != "deaf":
        time.sleep(0.005)
    module.stop_all([good, deaf])
    assert good.process is not None
    assert deaf.process is not None
    assert (good.process.poll(), deaf.process.poll()) == (-signal.SIGTERM, -signal.SIGKILL)


def test_a_log_that_grew_too_long_is_put_aside_while_its_program_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOG_LIMIT", 100)
    log = module.log_file(part(), site)
    with log.open("ab", buffering=0) as program:
        program.write(b"x" * 101)
        module.put_aside(log)
        program.write(b"and on\n")
        module.put_aside(log)
    assert log.read_bytes() == b"and on\n"
    assert log.with_suffix(".log.1").read_bytes() == b"x" * 101


def test_the_last_words_of_a_long_log_are_found_without_reading_it_all(site: Site) -> None:
    log = module.log_file(part(), site)
    with log.open("wb") as out:
        out.seek(1 << 30)
        out.write(b"\n\xffthe end\n\n")
    began = time.monotonic()
    assert last_words(part(), site).endswith("the end")
    assert time.monotonic() - began < 1
    log.unlink()
    assert last_words(part(), site) == f"see {log}"


# ---------------------------------------------------------------- is it there?
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_program_is_ready_when_it_says_so_whatever_proxy_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = ("127.0.0.1", server.server_port)
    assert answers(here, "/readyz")
    assert not answers(here, "/other")
    assert accepts(here)
    server.shutdown()
    server.server_close()
    assert not answers(here, "/readyz")
    assert not accepts(here)


def test_something_else_on_the_port_is_not_ready() -> None:
    def speak_nonsense() -> None:
        line, _ = listener.accept()
        with line:
            line.recv(1000)
            line.sendall(b"SSH-2.0-nothing to see\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=speak_nonsense, daemon=True).start()
        assert not answers(("127.0.0.1", listener.getsockname()[1]), "/readyz")


def test_the_welcome_names_addresses_accounts_and_three_things_to_try(tmp_path: Path) -> None:
    said = module.welcome(site_of(tmp_path), 3.21)
    for words in (
        "ready (in 3.2 s)",
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8081",
        "librarian / ",
        "1. ",
        "2. ",
        "3. ",
    ):
        assert words in said
    assert "simulated" in said
    bare = module.welcome(replace(site_of(tmp_path), sim=False, demo=False), 1)
    assert "three things" not in bare
    assert "librarian /" not in bare


def test_a_guarded_program_whose_parent_is_gone_does_not_begin() -> None:
    assert guarded([str(os.getpid()), "help"]) == 1
