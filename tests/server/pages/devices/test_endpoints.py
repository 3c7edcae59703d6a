"""The devices' page over the whole way."""

import re
from datetime import timedelta
from typing import Any

import pytest

from carrel.contracts.network import NetworkCommand, NetworkState
from server.deps import Role
from tests.support.acting_gateway import eventually
from tests.support.library import ALICE, PASSWORD, PIN
from tests.support.sample_network import NEW, network, newcomer
from tests.support.spine import House

HTMX = {"HX-Request": "true", "Accept-Language": "en"}
PAGE = {"Accept": "text/html", "Accept-Language": "en"}
TH = "02:ca:77:e1:00:00:00:01"
GATEWAY = {"gateway": "gw-1"}
FORMS = [
    ("/devices/join", GATEWAY | {"seconds": "60"}),
    ("/devices/network/close", GATEWAY),
    ("/devices/network/backup", GATEWAY),
    (f"/devices/{TH}/name", {"device": "reading-th", "zone": "stacks", "device_kind": ""}),
    (f"/devices/{TH}/remove", {}),
    (f"/devices/{TH}/reinterview", {}),
]


def text(answer: Any) -> str:
    """What a person reads, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text.split("<main")[-1]))


def sign_in(house: House, role: Role = Role.LIBRARIAN) -> None:
    house.client.post("/sign-in", data={"user": role.value, "password": PASSWORD})


def shown(house: House) -> str:
    return text(house.client.get("/devices", headers=PAGE))


def tell(house: House, state: NetworkState, sign: str) -> None:
    """The gateway tells of a network; wait until the page has the sign of it."""
    house.edge.online()
    house.edge.network(state)
    eventually(lambda: sign in shown(house), sign)


@pytest.fixture
def running(house: House) -> House:
    """A librarian before a network of six devices, whose gateway does what it is told."""
    sign_in(house)
    tell(house, network(house.clock.now()), "reading-th")
    house.edge.on_command = house.edge.result
    return house


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/devices"), ("GET", "/fragments/network"), *(("POST", path) for path, _ in FORMS)]
)
def test_nobody_unknown_and_no_reader_sees_or_does_anything(running: House, method: str, path: str) -> None:
    running.client.cookies.clear()
    data = dict(FORMS).get(path, {})
    answer = running.client.request(method, path, data=data, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")
    running.client.post("/sign-in", data={"user": ALICE, "password": PIN})
    assert running.client.request(method, path, data=data).status_code == 403
    assert running.edge.commands == []


def test_only_administrators_may_form_a_network(house: House) -> None:
    sign_in(house)
    tell(house, NetworkState(ts=house.clock.now(), state="none"), "This radio has no network yet")
    assert "An administrator can form one." in shown(house)
    assert house.client.post("/devices/network/form", data=GATEWAY).status_code == 403
    house.client.cookies.clear()
    sign_in(house, Role.ADMINISTRATOR)
    assert "Form a network on gw-1" in shown(house)
    house.edge.on_command = house.edge.result
    assert "The network is made." in text(house.client.post("/devices/network/form", data=GATEWAY, headers=HTMX))


def test_before_any_radio_was_heard_of_the_page_says_how_to_begin(house: House) -> None:
    sign_in(house)
    assert "Plug a coordinator into the gateway's computer." in shown(house).replace("&#39;", "'")


@pytest.mark.parametrize(
    ("changes", "sign"),
    [({"devices": ()}, "No devices yet"), ({"state": "down"}, "The radio does not answer")],
)
def test_empty_and_broken_networks_say_what_to_do(house: House, changes: dict[str, Any], sign: str) -> None:
    sign_in(house)
    tell(house, network(house.clock.now(), **changes), sign)


def test_devices_are_grouped_by_room_with_what_is_silent(running: House) -> None:
    page = shown(running)
    assert page.index("Reading room reading-curtain") < page.index("reading-th") < page.index("Stacks stacks-curtain")
    assert "1 silent" in page
    assert "1 not met yet" in page
    assert "Temperature – ▲ silent" in page
    assert "11 % ▲ low" in page


def test_values_come_from_what_the_device_reported(running: House) -> None:
    running.edge.report("reading-th", temp=21.5)
    eventually(lambda: "Temperature 21.5 °C" in shown(running), "the value")


def test_a_newcomer_shows_its_way_and_asks_for_a_name(running: House) -> None:
    running.edge.network(network(running.clock.now(), newcomer(running.clock.now(), failed=True)))
    eventually(lambda: "Waiting for a name" in shown(running), "the newcomer")
    assert "Binding to the coordinator : failed no answer within 10 s" in shown(running)
    answer = running.client.post(f"/devices/{NEW}/name", data={"device": "lux-9", "zone": "stacks"}, headers=HTMX)
    assert "The device has its name." in text(answer)
    command = running.edge.commands[-1][1]
    assert isinstance(command, NetworkCommand)
    assert (command.ieee, command.device, command.zone, command.device_kind) == (NEW, "lux-9", "stacks", None)
    assert f"Ask it everything again {NEW}" in shown(running)
    assert f"Remove {NEW}" in shown(running)


@pytest.mark.parametrize("away", ["radio", "gateway"])
def test_while_radio_or_gateway_is_away_the_list_is_told_as_what_was_known(running: House, away: str) -> None:
    assert "● online" in shown(running)
    if away == "radio":
        running.edge.network(network(running.clock.now(), state="down"))
        eventually(lambda: "The radio does not answer Below is what was known" in shown(running), "the notice")
    else:
        running.edge.online("offline")
        eventually(lambda: "this is what it told last" in shown(running), "the notice")
    page = shown(running)
    assert "reading-th" in page
    assert "○ unknown now" in page
    assert "● online" not in page
    assert "1 silent" not in page


def test_an_open_join_window_can_be_closed(running: House) -> None:
    assert "Open the join window" in shown(running)
    running.edge.network(network(running.clock.now(), join_until=running.clock.now() + timedelta(days=9999)))
    eventually(lambda: "Close now" in shown(running), "the open window")


@pytest.mark.parametrize(("path", "data"), FORMS, ids=[path for path, _ in FORMS])
def test_every_form_works_with_and_without_scripts(running: House, path: str, data: dict[str, str]) -> None:
    for headers, whole in ((HTMX, False), (PAGE, True)):
        answer = running.client.post(path, data=data, headers=headers)
        assert (answer.status_code, "<html" in answer.text) == (200, whole)
        assert 'class="notice ok' in answer.text
    assert len(running.edge.commands) == 2


def test_a_refusal_is_told_in_words(running: House) -> None:
    data = {"device": "out-th", "zone": "stacks"}
    assert "Another device has this name." in text(running.client.post(f"/devices/{TH}/name", data=data, headers=HTMX))
    assert running.client.post(f"/devices/{TH}/name", data=data, headers=PAGE).status_code == 409


def test_without_an_answer_the_page_says_that_it_waits(running: House) -> None:
    running.edge.on_command = lambda _command: None
    answer = running.client.post("/devices/network/backup", data=GATEWAY, headers=HTMX)
    assert "the gateway has not answered yet" in text(answer)


def test_removing_names_its_object(running: House) -> None:
    assert "Remove reading-th" in shown(running)


def test_only_staff_have_the_page_in_their_menu(running: House) -> None:
    assert 'href="/devices"' in running.client.get("/", headers=PAGE).text
    running.client.cookies.clear()
    assert 'href="/devices"' not in running.client.get("/", headers=PAGE).text
