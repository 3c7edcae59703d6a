"""A newcomer: one command starts everything, Ctrl-C ends it, and what goes wrong is one sentence."""

from __future__ import annotations

import ast
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.programs import Library, wait_for
from tests.support.tree import ROOT
from tests.support.window import Window, leave_nothing, open_ports, processes_of, window

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

CARD, PIN, BOOK = "90000009", "0009", "30000021"
FACTS = {"dashboard", "kiosk", "api", "accounts", "patrons", "items", "rooms", "ports", "sip2"}
WITHOUT_ROOTS_POWERS = """
import ctypes, os, sys
for power in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH: permissions then hold for root too
    ctypes.CDLL(None).prctl(24, power, 0, 0, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """A fresh library's folder and ports."""
    return Library(tmp_path_factory.mktemp("newcomer"))


@pytest.fixture(scope="module")
def first(home: Library) -> Iterator[Window]:
    """The first `carrel run` of that folder."""
    with window(home) as opened:
        yield opened


def carrel_run(home: Library, *words: str, **variables: str) -> str:
    """`carrel run` where it cannot start, without root's powers: its one sentence."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROOTS_POWERS, "-m", "carrel.cli", "run", *words],
        cwd=home.folder, env={**home.environment, **variables}, check=False,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode not in (0, None), done.stdout
    assert done.returncode > 0, f"ended by signal {-done.returncode}"
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("carrel: ")
    return done.stderr.strip()


# ---------------------------------------------------------------- the first evening
def test_it_shows_progress_then_ready_addresses_accounts_and_three_things_to_try(home: Library, first: Window) -> None:
    lines = first.text.splitlines()
    ready = next(n for n, line in enumerate(lines) if line.startswith("ready"))
    assert sum("starting" in line for line in lines[:ready]) == 4, "one line of progress for each program"
    told = "\n".join(lines[ready:])
    for fact in (home.dashboard, home.kiosk, "librarian / librarian-demo", "90000001, PIN 0001"):
        assert fact in told
    assert re.findall(r"^ +([123])\. ", told, re.MULTILINE) == ["1", "2", "3"]
    assert "simulated" in told


def test_each_of_the_three_things_can_be_tried_as_printed(home: Library, first: Window) -> None:
    commands = re.findall(r"^ +\.venv/bin/carrel (sim .*)$", first.text, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        home.carrel(*command.split())
    seen = home.observe()
    assert seen["io"]["io-1"]["inputs"]["smoke"] is True
    assert seen["tags"]["30000005"]["pad"] == "kiosk-1"
    home.sim("contact", "io-1.smoke", "closed")
    home.sim("remove", "kiosk-1", *(name for name, tag in seen["tags"].items() if tag["pad"]))


def test_the_facts_are_those_a_program_counts_on(home: Library, first: Window) -> None:
    facts = home.facts()
    assert set(facts) == FACTS
    assert (facts["dashboard"], facts["kiosk"]) == (home.dashboard, home.kiosk)
    assert {account["role"] for account in facts["accounts"]} >= {"librarian", "duty_staff", "administrator"}
    assert all(set(account) == {"user", "password", "role"} for account in facts["accounts"])
    assert len(facts["patrons"]) == 30
    assert all(set(patron) == {"card", "pin", "name"} for patron in facts["patrons"])
    assert len(facts["items"]) >= 200
    assert all(set(item) == {"barcode", "title", "on_loan"} for item in facts["items"])
    assert {"reading-room", "stacks"} <= set(facts["rooms"])
    assert set(facts["sip2"]) == {"host", "port", "login", "password", "institution"}
    ports = facts["ports"]
    assert set(ports) == {"zigbee", "readers", "io", "control"}
    for path in (ports["zigbee"], ports["readers"]["kiosk-1"], ports["io"]["io-1"]["pty"]):
        assert Path(path).is_absolute()
        assert Path(path).is_char_device()
    assert ports["io"]["io-1"]["rtu_tcp"] == f"127.0.0.1:{home.ports['io']}"


@pytest.mark.parametrize("which", ["dashboard", "kiosk"])
def test_both_pages_are_there(which: str, home: Library, first: Window) -> None:
    answer = httpx.get(home.facts()[which], timeout=10, trust_env=False)
    assert answer.status_code == 200
    title = re.search(r"<title>(.+?)</title>", answer.text, re.DOTALL)
    assert title
    assert title[1].strip()


def test_a_second_start_in_the_same_folder_is_refused(home: Library, first: Window) -> None:
    assert "already running" in carrel_run(home)
    assert first.process.poll() is None
    assert home.facts()["ports"] is not None, "the first one's facts are left alone"


@pytest.mark.parametrize("program", ["gateway", "server", "broker", "sim"])
def test_a_program_that_is_killed_is_started_again_and_all_heals(program: str, home: Library, first: Window) -> None:
    said = first.text.count("starting it again")
    killed = first.child(program)
    killed.kill()
    wait_for("the window says so", lambda: first.text.count("starting it again") > said)
    wait_for(
        "another one runs", lambda: any(program in p.cmdline() and p.pid != killed.pid for p in processes_of(home))
    )
    before = wait_for("the page shows the weather", lambda: home.shown("out", "temp"))
    assert before is not None
    celsius = 5.0 if before > 20 else 35.0
    wait_for("the page shows the weather of now", lambda: weather_turned(home, celsius), 60)
    assert httpx.get(f"{home.kiosk}/healthz", timeout=10, trust_env=False).status_code == 200


def weather_turned(home: Library, celsius: float) -> bool:
    """Keep it that cold or warm outdoors; whether the page shows it."""
    try:
        home.sim("set", "out", f"temp={celsius}")
    except AssertionError:
        return False  # the building is away
    shown = home.shown("out", "temp")
    return shown is not None and abs(shown - celsius) < 5


# ---------------------------------------------------------------- ending, and the next day
def test_ctrl_c_ends_everything_and_the_next_start_has_what_was_there(tmp_path: Path) -> None:
    home = Library(tmp_path)
    with window(home) as evening:
        desk = home.client("librarian", "librarian-demo")
        body = {"request_id": "evening-1", "card": CARD, "items": [{"barcode": BOOK}]}
        assert desk.post("/circulation/checkouts", json=body).json()["results"][0]["status"] == "ok"
        assert len(processes_of(home)) == 5
        assert len(open_ports(home)) == 6

        assert evening.ctrl_c() == 0
        assert processes_of(home) == []
        assert open_ports(home) == []
        assert "Traceback" not in evening.text

    with window(home) as morning:
        loans = home.client(CARD, PIN).get("/patrons/me/loans").json()["loans"]
        assert BOOK in {loan["barcode"] for loan in loans}
        assert "filled with the demo library" in home.log("server"), "once, the evening before"
        assert home.log("server").count("filled with the demo library") == 1

        morning.process.kill()  # nobody is left to end the programs: they end by themselves
        morning.process.wait()
        leave_nothing(home)


def test_a_window_closed_while_everything_starts_leaves_nothing(tmp_path: Path) -> None:
    home = Library(tmp_path)
    opened = Window(home)
    opened.until("starting gateway")
    opened.close()
    leave_nothing(home)


def test_ctrl_c_while_everything_starts_leaves_nothing(tmp_path: Path) -> None:
    home = Library(tmp_path)
    opened = Window(home)
    opened.until("starting library server")
    assert opened.ctrl_c() == 0
    assert "Traceback" not in opened.text
    opened.close()
    leave_nothing(home)


# ---------------------------------------------------------------- what cannot start says why
@pytest.mark.parametrize(
    ("port", "key"),
    [
        ("server", "[server] port"),
        ("kiosk", "[[gateway.kiosk]] port"),
        ("mqtt", "[mqtt] port"),
        ("control", "[sim] control"),
        ("io", "[sim] io_port"),
    ],
)
def test_a_taken_port_is_named_with_its_key(port: str, key: str, tmp_path: Path) -> None:
    home = Library(tmp_path)
    with socket.create_server(("127.0.0.1", home.ports[port])):
        sentence = carrel_run(home)
    assert str(home.ports[port]) in sentence
    assert key in sentence


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[mqtt]", "[mqtt", "config.toml is not valid TOML; line {line}"),
        ("[log]", "[logg]", "line {line}; unknown section 'logg'; there are"),
        ("port = 8080", "port = 8080\nprot = 1", "line {line}; unknown key 'server.prot'; correct its spelling"),
        ("speed = 60", 'speed = "fast"', "line {line}; 'sim.speed' = 'fast'; number"),
        ('level = "info"', 'level = "loud"', "line {line}; 'log.level' = 'loud'; 'debug'; 'info'"),
        ("poll_ms = 100", "poll_ms = 100\npool_ms = 9", "line {line}; unknown key 'modbus.0.pool_ms'"),
        ('metric = "temp", above = 27.0', 'metric = "tmep", above = 27.0', "line {line}; tmep"),
        ('input = "smoke"', 'input = "smog"', "line {line}; 'io-1.smog'; io-1.smoke"),
    ],
)
def test_a_mistake_in_the_configuration_is_named_with_its_line(
    before: str, after: str, words: str, tmp_path: Path
) -> None:
    home = Library(tmp_path)
    file = tmp_path / "config.toml"
    text = file.read_text()
    file.write_text(text.replace(before, after, 1))
    line = 1 + text[: text.index(before)].count("\n") + after.count("\n")
    sentence = carrel_run(home)
    for word in words.format(line=line).split("; "):
        assert word in sentence
    assert processes_of(home) == []


def test_a_mistake_in_the_environment_is_named_with_its_variable(tmp_path: Path) -> None:
    sentence = carrel_run(Library(tmp_path), CARREL_SERVER__PORT="99999")
    assert "environment variable CARREL_SERVER__PORT" in sentence
    assert "99999" in sentence


def test_a_configuration_that_is_not_there_is_told_with_its_path(tmp_path: Path) -> None:
    home = Library(tmp_path)
    assert str(tmp_path / "elsewhere.toml") in carrel_run(home, "--config", "elsewhere.toml")


@pytest.mark.parametrize("kind", ["forbidden", "folder", "not text"])
def test_a_configuration_that_cannot_be_read_is_told(kind: str, tmp_path: Path) -> None:
    home = Library(tmp_path)
    file = tmp_path / "config.toml"
    if kind == "forbidden":
        file.chmod(0)
    elif kind == "not text":
        file.write_bytes(b"\xff\xfe\x00")
    else:
        file.unlink()
        file.mkdir()
    assert f"cannot read {file}" in carrel_run(home)


def test_a_var_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    home = Library(tmp_path)
    shutil.rmtree(tmp_path / "var")
    tmp_path.chmod(0o555)
    try:
        sentence = carrel_run(home)
    finally:
        tmp_path.chmod(0o755)
    assert f"cannot write to {tmp_path / 'var'}" in sentence
    assert "[paths] var" in sentence


def test_logs_of_another_user_are_told(tmp_path: Path) -> None:
    home = Library(tmp_path)
    (tmp_path / "var" / "log").chmod(0o555)
    try:
        sentence = carrel_run(home)
    finally:
        (tmp_path / "var" / "log").chmod(0o755)
    assert "cannot write" in sentence


def test_a_program_that_cannot_start_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    home = Library(tmp_path, database="sqlite:////proc/none/server.db")
    sentence = carrel_run(home)
    assert "library server" in sentence
    assert "/proc/none/server.db" in sentence
    leave_nothing(home)


# ---------------------------------------------------------------- an old Python
def test_an_old_python_is_told_which_one_is_needed(tmp_path: Path) -> None:
    shutil.copy(ROOT / "bootstrap.py", tmp_path)  # away from our own .venv, should the check fail
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0); sys.argv = ['bootstrap.py']; "
        "runpy.run_path('bootstrap.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "bootstrap: Carrel needs Python 3.11 or later; this is 3.9."
    assert not (tmp_path / ".venv").exists()


def test_an_old_python_can_read_the_bootstrap_at_all() -> None:
    source = (ROOT / "bootstrap.py").read_text()
    ast.parse(source, feature_version=(3, 5))
    assert not re.search(r"\b[fF][rR]?\"", source), "no f-string, which the parser of 3.5 would refuse"


def test_the_facts_of_a_library_never_opened_are_refused_in_one_sentence(tmp_path: Path) -> None:
    home = Library(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "carrel.cli", "demo", "facts", "--json"], cwd=tmp_path, env=home.environment,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == "" or json.loads(done.stdout) is None
    assert len(done.stderr.splitlines()) == 1
