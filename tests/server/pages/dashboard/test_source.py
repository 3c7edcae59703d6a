from datetime import UTC, datetime, timedelta

import pytest

from carrel.contracts.actuation import ActuatorState, OverrideInForce, OverrideSet, RulesState
from carrel.contracts.alarms import AlarmCause, AlarmState
from carrel.contracts.health import GatewayStatus, LinkHealth, LinkReport
from carrel.contracts.telemetry import DeviceState, TelemetryPoint
from server.alarms.book import AlarmBook
from server.alarms.control import AlarmControl
from server.deps import Principal, Role
from server.edge.outbox import Outbox
from server.gateways.service import Gateways
from server.pages.dashboard.source import ServerBuilding, place_names
from server.pages.dashboard.views import Refusal, Unwatched
from server.pages.dashboard.views import Wish as Asked
from server.rooms import overrides
from server.rooms.control import RoomControl
from server.rooms.overrides import Wish
from server.rooms.picture import Picture
from server.rooms.plan import read_plan
from server.rooms.service import Rooms
from server.telemetry.database import DatabaseStore
from tests.support.pages_app import core_in

LI = Principal("user:li", "li", "Li", frozenset({Role.LIBRARIAN}))


class House:
    """A server's parts with a picture of the building that a test can paint."""

    def __init__(self, folder):
        self.core = core_in(folder)
        self.now = datetime.now(UTC)
        self.picture = Picture()
        self.book = AlarmBook(self.core.database)
        self.store = DatabaseStore(self.core.database)
        rooms = Rooms(read_plan(self.core.settings), self.picture, self.store, self.core.clock)
        outbox = Outbox(self.core.database, self.core.clock, answer_within_s=0)
        self.building = ServerBuilding(
            self.core,
            rooms,
            room_control=RoomControl(rooms, outbox, self.core.database, self.core.clock),
            alarm_control=AlarmControl(outbox, self.core.database, self.core.clock, self.book),
            alarm_book=self.book,
            gateways=Gateways(self.core, rooms),
        )

    def online(self):
        self.picture.set_status("gw-1", GatewayStatus(state="online", since=self.now, session=1, version="0"), self.now)

    def offline(self, since, now):
        self.picture.set_status("gw-1", GatewayStatus(state="offline", since=since, session=1, version="0"), now)

    def curtain(self, **more):
        base = {
            "actuator": "reading-curtain",
            "zone": "reading-room",
            "type": "level",
            "kind": "curtain",
            "wanted": 100,
        }
        base |= {"commanded": 100, "reported": 40, "cause": "rule", "rule": "reading-shade", "reason": "rule"}
        self.picture.set_rules("gw-1", RulesState(ts=self.now, actuators=(ActuatorState(**base | more),)))

    def alarm(self, **more):
        base = {
            "id": "fire-1",
            "version": 1,
            "kind": "fire",
            "severity": "critical",
            "place": "building",
            "state": "alarm",
        }
        cause = AlarmCause(zone="smoke", kind="smoke", active=True)
        alarm = AlarmState(**base | {"raised_at": self.now, "causes": (cause,)} | more)
        self.book.record("gw-1", alarm)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.core.database.close()


def test_before_anything_is_heard_rooms_are_there_and_values_unknown(house):
    shown = house.building.overview("zh-CN")
    assert [tile.name for tile in shown.rooms] == ["阅览室", "书库", "室外"]
    assert {m.value for tile in shown.rooms for m in tile.measurements} == {None}
    assert shown.rooms[0].measurements[0].band == (20.0, 26.0)
    assert [m.quantity for m in shown.rooms[2].measurements] == ["temp", "rh", "lux"]
    assert (shown.alarms.open, shown.alarms.quiet_since, shown.health.gateways) == ([], None, [])


def test_a_report_is_shown_with_the_history_of_two_hours(house):
    state = DeviceState(ts=house.now, seq=1, zone="reading-room", values={"temp": 24.5}, at={"temp": house.now})
    house.picture.set_device("gw-1", "reading-th", state)
    ages = (150, 60, 30)
    house.store.append(
        [
            TelemetryPoint(
                ts=house.now - timedelta(minutes=m),
                device="reading-th",
                zone="reading-room",
                quantity="temp",
                value=20 + m / 60,
            )
            for m in ages
        ]
    )
    shown = house.building.room("reading-room", "en").measurements[0]
    assert (shown.key, shown.value, shown.at) == ("reading-room.temp", 24.5, house.now)
    assert [value for _, value in shown.history] == [21.0, 20.5]


def test_an_actuator_has_its_name_its_reason_and_its_movement(house):
    house.curtain(params={"metric": "lux", "side": "above", "value": 1200.0, "threshold": 1000.0})
    (curtain,) = house.building.room("reading-room", "en").actuators
    assert (curtain.name, curtain.value, curtain.moving, curtain.override) == ("Curtain", 40, True, None)
    assert house.building.room("reading-room", "zh-CN").actuators[0].name == "窗帘"


def test_a_wish_in_force_and_one_on_its_way_are_told_apart(house):
    until = house.now + timedelta(hours=1)
    house.curtain(override=OverrideInForce(id="o-1", by="wang", value=50, until=until), cause="override")
    held = house.building.room("reading-room", "en").actuators[0].override
    assert (held.by, held.until, held.pending) == ("wang", until, False)
    command = OverrideSet(id="o-2", actuator="reading-curtain", value=0, duration_s=600, by="li", expires=until)
    with house.core.database.writing() as session:
        overrides.begin(session, Wish("gw-1", "reading-room", command, "user:li"), house.now)
    waiting = house.building.room("reading-room", "en").actuators[0].override
    assert (waiting.id, waiting.pending) == ("o-2", True)


def test_two_of_a_kind_in_one_room_are_told_apart(house):
    rows = [
        ActuatorState(actuator=a, zone="stacks", type="level", kind="vent", wanted=0, cause="default", reason="default")
        for a in ("stacks-vent", "stacks-vent-2")
    ]
    house.picture.set_rules("gw-1", RulesState(ts=house.now, actuators=tuple(rows)))
    assert [a.name for a in house.building.room("stacks", "en").actuators] == [
        "Ventilation stacks-vent",
        "Ventilation stacks-vent-2",
    ]


def test_there_is_no_room_of_another_name(house):
    assert house.building.room("attic", "en") is None


def test_an_alarm_is_named_by_its_place_and_detector(house):
    house.alarm(acknowledged_at=house.now, acknowledged_by="li")
    (alarm,) = house.building.alarms("zh-CN").open
    assert (alarm.place, alarm.is_fire, alarm.loud, alarm.causes[0].name) == ("全馆", True, True, "阅览室")
    (floor,) = house.building.overview("en").floors
    assert {place.name: place.fire and place.fire.id for place in floor.places} == {
        "Reading room": "fire-1", "Stacks": None, "Hall and desk": None,
    }  # fmt: skip
    assert house.building.alarm_log("en", 5)[0].place == "Whole building"


def test_quiet_begins_with_the_last_reset(house):
    house.alarm(state="reset", reset_at=house.now, reset_by="li")
    assert house.building.alarms("en").quiet_since == house.now


def test_gateways_and_links_are_shown_as_they_last_spoke(house):
    house.online()
    house.picture.set_links(
        "gw-1", LinkReport(links=(LinkHealth(link="io-1", kind="modbus", state="down", since=house.now),))
    )
    (gateway,) = house.building.health().gateways
    assert (gateway.online, gateway.links[0].state) == (True, "down")


def test_all_is_quiet_only_while_every_gateway_is_heard(house):
    assert house.building.alarms("en").unwatched == Unwatched("nobody")
    house.online()
    watched = house.building.alarms("en")
    assert watched.unwatched is None
    house.picture.set_status("gw-2", GatewayStatus(state="offline", since=house.now, session=1, version="0"), house.now)
    half = house.building.alarms("en")
    assert half.unwatched == Unwatched("gateways", ["gw-2"])
    assert half.rev != watched.rev


def test_a_gateway_went_when_it_was_heard_to_go_not_when_it_made_its_last_will(house):
    went = house.now + timedelta(hours=3)
    house.online()
    house.offline(since=house.now, now=went)
    assert house.building.health().gateways[0].offline_at == went
    house.picture.begin_session()  # the broker tells again what it retained
    house.offline(since=house.now, now=went + timedelta(hours=1))
    assert house.building.health().gateways[0].offline_at == went


def test_a_last_will_that_the_broker_retained_tells_no_time(house):
    house.offline(since=house.now, now=house.now)
    (gateway,) = house.building.health().gateways
    assert (gateway.standing, gateway.seen, gateway.offline_at) == ("offline", True, None)
    house.online()
    house.picture.begin_session()
    house.offline(since=house.now, now=house.now)
    assert house.building.health().gateways[0].offline_at is None, "it went while the broker was away"


def test_without_the_broker_no_gateway_is_known_to_be_there(house):
    house.online()
    house.picture.lose()
    shown = house.building.overview("en")
    assert shown.alarms.unwatched == Unwatched("broker")
    assert [(gateway.standing, gateway.online) for gateway in shown.health.gateways] == [("unknown", False)]


def test_a_refusal_of_the_domain_is_a_value_for_the_page(house):
    told = house.building.take_control("reading-room", "reading-curtain", Asked(50, 60), by=LI)
    assert told == Refusal("gateway_offline")
    house.curtain()
    assert house.building.take_control("reading-room", "nothing", Asked(50, 60), by=LI).code == "unknown_actuator"
    assert house.building.give_back("o-9", by=LI) == Refusal("unknown_override")
    assert house.building.answer_alarm("fire-9", "reset", by=LI) == Refusal("unknown_alarm")
    house.alarm()
    assert house.building.answer_alarm("fire-1", "silence", by=LI) == Refusal("panel_silent")


def test_a_wish_that_nobody_answered_yet_is_accepted_and_shown_as_being_sent(house):
    house.curtain()
    assert house.building.take_control("reading-room", "reading-curtain", Asked(50, 600), by=LI) is None
    assert house.building.room("reading-room", "en").actuators[0].override.pending


@pytest.mark.parametrize("data", [{}, {"room": [{"name": "no id"}, "nonsense"]}, {"security": {}}])
def test_places_without_a_name_keep_their_id(data):
    assert place_names(data) == {}


def test_an_actuator_that_is_a_place_of_an_alarm_goes_by_its_room():
    data = {
        "room": [{"id": "r", "name": "Reading room", "name_zh": "阅览室"}],
        "environment": {"actuator": [{"id": "vent", "zone": "r"}, {"id": "lift", "zone": "x"}, "nonsense"]},
    }
    assert place_names(data)["vent"] == ("Reading room, vent", "阅览室，vent")
    assert "lift" not in place_names(data)
