"""The Zigbee network over the whole way: its state from the gateway, people's orders to it."""

from datetime import timedelta
from typing import Any

import pytest

from carrel.contracts import topics
from carrel.contracts.network import NetworkCommand
from server.deps import Role
from tests.support.acting_gateway import eventually
from tests.support.library import reader
from tests.support.sample_network import NEW, network, newcomer
from tests.support.spine import House

ROOT = "/api/v1/network"
TH = "02:ca:77:e1:00:00:00:01"
ORDERS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/join", {"seconds": 60}),
    ("DELETE", "/join", None),
    ("PATCH", f"/devices/{TH}", {"device": "reading-th-2", "zone": "stacks", "device_kind": "sensor"}),
    ("DELETE", f"/devices/{TH}", None),
    ("POST", f"/devices/{TH}/reinterview", None),
    ("POST", "/backup", {}),
    ("POST", "/form", {}),
]
ORDER_IDS = [f"{method} {path}" for method, path, _ in ORDERS]


@pytest.fixture
def running(house: House) -> House:
    """A house whose gateway has a network and does what it is told."""
    house.edge.online()
    house.edge.network(network(house.clock.now(), newcomer(house.clock.now())))
    house.edge.on_command = house.edge.result
    headers = house.staff()
    eventually(lambda: house.client.get(ROOT, headers=headers).json()["networks"], "the network")
    return house


def ask(
    house: House, method: str, path: str, body: dict[str, Any] | None = None, role: Role = Role.ADMINISTRATOR
) -> Any:
    return house.client.request(method, ROOT + path, json=body, headers=house.staff(role))


class TestRights:
    @pytest.mark.parametrize(("method", "path", "body"), [("GET", "", None), *ORDERS], ids=["GET", *ORDER_IDS])
    def test_nobody_unknown_and_no_reader_may_ask(
        self, running: House, method: str, path: str, body: dict[str, Any] | None
    ) -> None:
        address = ROOT + path
        assert running.client.request(method, address, json=body).status_code == 401
        answer = running.client.request(method, address, json=body, headers=reader(running.client))
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
        assert running.edge.commands == []

    def test_forming_a_network_is_the_administrators_alone(self, running: House) -> None:
        for role in (Role.LIBRARIAN, Role.DUTY_STAFF):
            assert ask(running, "POST", "/form", {}, role).status_code == 403
        assert running.edge.commands == []

    @pytest.mark.parametrize("role", [Role.LIBRARIAN, Role.DUTY_STAFF])
    def test_staff_may_open_the_join_window(self, running: House, role: Role) -> None:
        assert ask(running, "POST", "/join", {"seconds": 60}, role).status_code == 201


class TestNetwork:
    def test_before_any_gateway_told_of_one_there_is_none(self, house: House) -> None:
        assert house.client.get(ROOT, headers=house.staff()).json() == {"networks": []}
        answer = ask(house, "POST", "/join", {"seconds": 60})
        assert (answer.status_code, answer.json()["code"]) == (404, "network_unknown")

    def test_it_is_told_with_its_devices_and_their_way_onto_it(self, running: House) -> None:
        (told,) = running.client.get(ROOT, headers=running.staff()).json()["networks"]
        assert (told["gateway"], told["online"], told["channel"], told["pan_id"]) == ("gw-1", True, 15, 0x1A62)
        new = next(device for device in told["devices"] if device["ieee"] == NEW)
        assert (new["id"], new["state"], new["steps"][5]["state"]) == (None, "joining", "running")
        silent = next(device for device in told["devices"] if device["id"] == "stacks-th")
        assert silent["silent"] == ["temp", "rh"]

    def test_a_gateway_that_goes_offline_leaves_its_last_word(self, running: House) -> None:
        running.edge.online("offline")
        headers = running.staff()
        eventually(
            lambda: not running.client.get(ROOT, headers=headers).json()["networks"][0]["online"], "going offline"
        )


class TestOrders:
    @pytest.mark.parametrize(("method", "path", "body"), ORDERS, ids=ORDER_IDS)
    def test_the_gateway_hears_of_it_and_its_answer_is_told(
        self, running: House, method: str, path: str, body: dict[str, Any] | None
    ) -> None:
        answer = ask(running, method, path, body)
        assert answer.status_code in (200, 201), answer.text
        ((name, command),) = running.edge.commands
        assert name == running.edge.name(topics.COMMAND, "zigbee")
        assert isinstance(command, NetworkCommand)
        assert answer.json() == {"id": command.id, "status": "done"}
        assert (command.by, command.expires) == ("administrator", running.clock.now() + timedelta(seconds=60))

    def test_what_is_asked_is_what_arrives(self, running: House) -> None:
        for order in ORDERS:
            ask(running, *order)
        said = [command for _, command in running.edge.commands if isinstance(command, NetworkCommand)]
        assert [command.action for command in said] == [
            "permit", "close", "name", "remove", "reinterview", "backup", "form",
        ]  # fmt: skip
        assert said[0].seconds == 60
        named = said[2]
        assert (named.ieee, named.device, named.zone, named.device_kind) == (TH, "reading-th-2", "stacks", "sensor")
        assert (said[3].ieee, said[4].ieee) == (TH, TH)

    def test_without_an_answer_it_is_on_its_way(self, running: House) -> None:
        running.edge.on_command = lambda _command: None
        answer = ask(running, "POST", "/backup", {})
        assert (answer.status_code, answer.json()["status"]) == (202, "sent")

    def test_a_refusal_of_the_gateway_keeps_its_code(self, running: House) -> None:
        running.edge.on_command = lambda command: running.edge.result(command, "rejected", "network_exists")
        answer = ask(running, "POST", "/form", {})
        assert (answer.status_code, answer.json()["code"]) == (409, "network_exists")

    @pytest.mark.parametrize(
        ("path", "body", "status", "code"),
        [
            (TH, {"device": "reading-th", "zone": "attic"}, 409, "unknown_room"),
            (TH, {"device": "out-th", "zone": "stacks"}, 409, "device_name_taken"),
            ("02:ca:77:e1:00:00:00:77", {"device": "a", "zone": "stacks"}, 404, "unknown_device"),
            ("zz", {"device": "a", "zone": "stacks"}, 422, "malformed_request"),
            (TH, {"device": "Ä b", "zone": "stacks"}, 422, "malformed_request"),
            (TH, {"device": "a", "zone": "stacks", "device_kind": "toaster"}, 422, "malformed_request"),
        ],
    )
    def test_a_name_that_makes_no_sense_is_refused_before_it_is_sent(
        self, running: House, path: str, body: dict[str, Any], status: int, code: str
    ) -> None:
        answer = ask(running, "PATCH", f"/devices/{path}", body)
        assert answer.status_code == status
        assert answer.json()["code"] == code
        assert running.edge.commands == []

    def test_a_device_may_keep_its_name_when_it_moves(self, running: House) -> None:
        assert ask(running, "PATCH", f"/devices/{TH}", {"device": "reading-th", "zone": "stacks"}).status_code == 200

    @pytest.mark.parametrize("seconds", [0, 255, -1, "long"])
    def test_the_join_window_has_its_limits(self, running: House, seconds: Any) -> None:
        assert ask(running, "POST", "/join", {"seconds": seconds}).status_code == 422

    def test_with_several_networks_one_has_to_be_named(self, running: House) -> None:
        other = running.edge.name(topics.NETWORK).replace("gw-1", "gw-2")
        state = network(running.clock.now(), devices=())
        running.edge.say_raw(other, state.model_dump_json(exclude_none=True).encode(), retain=True)
        headers = running.staff()
        eventually(lambda: len(running.client.get(ROOT, headers=headers).json()["networks"]) == 2, "the second network")
        answer = ask(running, "POST", "/join", {"seconds": 60})
        assert (answer.status_code, answer.json()["code"]) == (422, "several_networks")
        assert answer.json()["params"]["gateways"] == "gw-1, gw-2"
        assert ask(running, "POST", "/join", {"seconds": 60, "gateway": "gw-1"}).status_code == 201
