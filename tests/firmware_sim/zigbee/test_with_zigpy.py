"""An unmodified zigpy-znp on a real pseudo-terminal against the virtual coordinator and its devices."""

import asyncio
import itertools
import random

import pytest
import zigpy.types as t
from zigpy.exceptions import DeliveryError, NetworkNotFormed
from zigpy.zcl import AttributeReportedEvent
from zigpy_znp.zigbee.application import ControllerApplication

from firmware_sim.building import Building
from firmware_sim.faults import LinkFaults
from firmware_sim.ports import PtyPort
from firmware_sim.serve import DEMO_BENCH, read_bench
from firmware_sim.zigbee.mesh import Timing
from firmware_sim.zigbee.network import ZigbeeNetwork
from firmware_sim.zigbee.node import models
from firmware_sim.zigbee.population import DEMO, Placed, population
from tests.support.sim import eventually
from tests.support.zigbee import NOON

TH = "02:ca:77:e1:00:00:00:01"
CURTAIN = "02:ca:77:e1:00:00:00:06"
AC = "02:ca:77:e1:00:00:00:07"
SMOKE = "02:ca:77:e1:00:00:00:10"
VENT = "02:ca:77:e1:00:00:00:08"
ZONE_DEVICES = 5
QUICK = Timing(join_gap_s=(0.02, 0.05), announce_s=0.05, rejoin_s=0.1)


class House:
    """One room with its devices, a port, and a zigpy host that may come and go."""

    def __init__(self, folder):
        self.folder = folder
        self.building = Building(NOON)
        self.room = self.building.rooms["reading-room"]
        self.faults = LinkFaults(random.Random(2))
        self.app = None

    async def power_on(self, seed=1, devices=DEMO):
        rooms = {"reading-room": self.room} if devices is DEMO else self.building.rooms
        self.network = ZigbeeNetwork(
            rooms, nv_path=self.folder / "nv.json", rng=random.Random(seed), timing=QUICK, devices=devices
        )
        self.network.start()
        self.port = PtyPort(self.network.coordinator, self.faults, self.folder / "zigbee")
        await self.port.open()

    async def power_off(self):
        await self.port.close()
        self.network.stop()

    async def connect(self, *, form):
        config = {
            "device": {"path": str(self.folder / "zigbee"), "baudrate": 115200},
            "database_path": str(self.folder / "zigbee.db"),
            "ota": {"enabled": False},
            "topology_scan_enabled": False,
        }
        self.app = await ControllerApplication.new(config, auto_form=form)

    async def disconnect(self):
        app, self.app = self.app, None
        if app is not None:
            await app.shutdown()

    async def let_all_in(self, devices=ZONE_DEVICES, within_s=10):
        await self.app.permit(200)
        await eventually(lambda: len(self.app.devices) == 1 + devices, within_s)
        await eventually(
            lambda: all(device.is_initialized and device.model for device in self.app.devices.values()), within_s
        )

    def cluster(self, ieee, number):
        return self.app.get_device(t.EUI64.convert(ieee)).endpoints[1].in_clusters[number]

    def listen(self, cluster):
        """Raw values reported from now on."""
        seen = []
        cluster.on_event(AttributeReportedEvent.event_type, lambda event: seen.append(event.raw_value))
        return seen


@pytest.fixture
async def house(tmp_path):
    house = House(tmp_path)
    await house.power_on()
    await house.connect(form=True)
    yield house
    await house.disconnect()
    await house.power_off()


async def test_it_forms_a_network_and_devices_join_and_act(house):
    seen = house.network.describe()
    assert (seen["channel"], seen["pan"]) == (house.app.state.network_info.channel, house.app.state.network_info.pan_id)
    await house.let_all_in()
    names = {(device.manufacturer, device.model) for device in house.app.devices.values()}
    sims = {"SIM-TH", "SIM-LUX", "SIM-CURTAIN", "SIM-AC", "SIM-VENT"}
    assert names >= {("Carrel-Sim", name) for name in sims}
    assert all(device["joined"] for device in house.network.describe()["devices"])

    temperature = house.cluster(TH, 0x0402)
    reports = house.listen(temperature)
    await temperature.bind()
    await temperature.configure_reporting(0x0000, 1, 60, 20)
    await eventually(lambda: reports)
    assert reports[0] == pytest.approx(100 * house.room.temp, abs=30)
    house.building.set("reading-room", temp=31.0)
    await eventually(lambda: reports[-1] > 3050)

    curtain = house.cluster(CURTAIN, 0x0102)
    lifts = house.listen(curtain)
    await curtain.bind()
    await curtain.configure_reporting(0x0008, 0, 600, 1)
    assert (await curtain.command(5, 30)).status == 0
    await eventually(lambda: house.room.curtain_closed_pct == 30)
    await eventually(lambda: lifts and lifts[-1] == 30)
    house.building.step(0)
    dark = house.room.lux
    await curtain.command(0)
    await eventually(lambda: house.room.curtain_closed_pct == 0)
    house.building.step(0)
    assert house.room.lux > dark

    await house.cluster(AC, 0x0201).write_attributes({"system_mode": 3, "occupied_cooling_setpoint": 2300})
    assert (house.room.ac_on, house.room.ac_setpoint) == (True, 23.0)
    await house.cluster(VENT, 0x0008).command(4, 127, 0)
    assert house.room.vent_pct == 50.0
    await house.cluster(VENT, 0x0006).command(0)
    assert house.room.vent_pct == 0.0


async def test_a_restarted_simulator_resumes_without_a_new_network_and_reports_go_on(house):
    await house.let_all_in()
    temperature = house.cluster(TH, 0x0402)
    await temperature.bind()
    await temperature.configure_reporting(0x0000, 1, 60, 20)
    await house.cluster(CURTAIN, 0x0102).command(5, 10)
    await eventually(lambda: house.room.curtain_closed_pct == 10)
    before = (await house.app.backups.create_backup(load_devices=True)).network_info
    addresses = {device["ieee"]: device["nwk"] for device in house.network.describe()["devices"]}
    await house.disconnect()
    await house.power_off()

    house.room.curtain_closed_pct = 0.0
    await house.power_on(seed=99)
    assert house.room.curtain_closed_pct == 10
    await house.connect(form=False)
    after = (await house.app.backups.create_backup(load_devices=True)).network_info
    assert (after.extended_pan_id, after.pan_id, after.channel, after.network_key.key) == (
        before.extended_pan_id,
        before.pan_id,
        before.channel,
        before.network_key.key,
    )
    assert after.network_key.tx_counter > before.network_key.tx_counter
    described = house.network.describe()["devices"]
    assert {device["ieee"]: device["nwk"] for device in described if device["joined"]} == addresses
    reports = house.listen(house.cluster(TH, 0x0402))
    await eventually(lambda: reports, within_s=8)
    assert {str(key.partner_ieee) for key in after.key_table} == set(addresses)
    assert {str(ieee): nwk for ieee, nwk in after.nwk_addresses.items()} == addresses


async def test_a_blank_memory_has_no_network_to_resume(tmp_path):
    house = House(tmp_path)
    await house.power_on()
    with pytest.raises(NetworkNotFormed):
        await house.connect(form=False)
    await house.power_off()


async def test_a_lost_connection_is_noticed_and_the_port_can_be_opened_again(house):
    await house.let_all_in()
    lost = asyncio.Event()
    listener = type("Listener", (), {"connection_lost": lambda self, exc: lost.set()})()
    house.app.add_listener(listener)
    house.port.unplug()
    await asyncio.wait_for(lost.wait(), 5)
    await house.disconnect()
    assert not house.network.describe()["running"]

    await house.port.restore()
    await house.connect(form=False)
    assert (await house.cluster(CURTAIN, 0x0102).command(5, 4)).status == 0
    await eventually(lambda: house.room.curtain_closed_pct == 4)


async def test_a_device_leaves_and_comes_back_under_another_address(house):
    await house.let_all_in()
    device = house.app.get_device(t.EUI64.convert(VENT))
    old = device.nwk
    house.network.rejoin(VENT)
    await eventually(lambda: house.app.get_device(t.EUI64.convert(VENT)).nwk != old)
    assert (await house.cluster(VENT, 0x0006).command(1)).status == 0
    await house.app.permit(0)
    await house.app.remove(t.EUI64.convert(VENT))
    await eventually(lambda: not next(d for d in house.network.describe()["devices"] if d["ieee"] == VENT)["joined"])
    await house.let_all_in()


async def test_neighbours_are_told_and_faults_reach_the_host(house):
    await house.let_all_in()
    curtain = house.app.get_device(t.EUI64.convert(CURTAIN))
    coordinator = house.app.get_device(nwk=0)
    found = []
    for start in itertools.count(0, 3):
        status, page = await coordinator.zdo.Mgmt_Lqi_req(start)
        assert status == 0
        found += page.NeighborTableList
        if len(found) >= page.Entries:
            break
    assert {str(each.ieee) for each in found} == {each["ieee"] for each in house.network.describe()["devices"]}
    assert (await curtain.zdo.Mgmt_Lqi_req(0))[0] == 0

    house.network.fail_confirms(CURTAIN, 0xE9)
    with pytest.raises(DeliveryError):
        await house.cluster(CURTAIN, 0x0102).command(1)
    assert house.room.curtain_closed_pct == 0
    house.network.fail_confirms(CURTAIN, 0)
    assert (await house.cluster(CURTAIN, 0x0102).command(2)).status == 0


@pytest.fixture
async def crowded(tmp_path):
    """A building of 200 sensors beside the demo's devices and the fresh ones."""
    house = House(tmp_path)
    await house.power_on(devices=population(read_bench(DEMO_BENCH)["zigbee"], 182))
    await house.connect(form=True)
    yield house
    await house.disconnect()
    await house.power_off()


@pytest.mark.timeout(180)
async def test_two_hundred_devices_are_interviewed_and_none_of_their_reports_is_lost(crowded):
    await crowded.let_all_in(200, within_s=90)
    devices = crowded.network.describe()["devices"]
    assert {str(ieee): device.model for ieee, device in crowded.app.devices.items() if device.nwk} == {
        each["ieee"]: each["model"] for each in devices
    }
    heard = []
    crowded.app.add_listener(
        type("Listener", (), {"handle_message": lambda self, *message: heard.append(message[-1][:3])})()
    )

    def reports():
        """Unasked ones; the last answers of the interview may come in between."""
        return [head for head in heard if (head[0], head[2]) == (0x18, 0x0A)]

    crowded.network.start_load(349, bound_only=False)
    await eventually(lambda: crowded.network.load.sent >= 700, 30)
    crowded.network.start_load(0)
    await eventually(lambda: len(reports()) >= crowded.network.load.sent, 10)
    assert len(reports()) == crowded.network.load.sent


@pytest.fixture
async def guarded(tmp_path):
    """A building with one sleeping smoke detector."""
    house = House(tmp_path)
    await house.power_on(devices=(Placed("smoke-1", SMOKE, models.SMOKE, "stacks", poll_s=0.5),))
    await house.connect(form=True)
    yield house
    await house.disconnect()
    await house.power_off()


async def test_a_sleeping_detector_is_enrolled_and_its_alarm_is_heard_and_answered(guarded):
    await guarded.let_all_in(1)
    zone, heard = guarded.cluster(SMOKE, 0x0500), []
    await zone.write_attributes({"cie_addr": guarded.app.state.node_info.ieee})
    assert (await zone.command(0x00, 0, 23, expect_reply=True)).status == 0
    zone.add_listener(type("Listener", (), {"cluster_command": lambda self, *command: heard.append(command)})())
    guarded.network.alarm("smoke-1", "on")
    await eventually(lambda: heard)
    assert (heard[0][1], heard[0][2].zone_status, heard[0][2].zone_id) == (0, 1, 23)
    await eventually(lambda: not guarded.network.device("smoke-1").behaviour.state()["unanswered"])


async def test_a_pushed_report_reaches_the_host_at_once(house):
    await house.let_all_in()
    reports = house.listen(house.cluster(TH, 0x0402))
    assert house.network.report_now(TH, 0x0402, 0x0000, 3333)
    await eventually(lambda: reports == [3333])
