"""Codes of the building in words: what an actuator does and why, what an alarm is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from carrel.contracts.health import LinkErrorCode
from carrel.web.i18n import N_, Words
from server.pages.dashboard.views import DECIMALS, ActuatorView, AlarmView, LinkView

QUANTITIES = {
    "temp": N_("Temperature"),
    "rh": N_("Humidity"),
    "lux": N_("Light"),
    "co2": N_("CO₂"),
    "dew_point": N_("Dew point"),
    "abs_humidity": N_("Absolute humidity"),
    "occupancy": N_("People"),
}
UNITS = {"temp": "°C", "rh": "%", "lux": "lx", "co2": "ppm", "dew_point": "°C", "abs_humidity": "g/m³", "occupancy": ""}
KINDS = {"curtain": N_("Curtain"), "ac": N_("Air conditioning"), "vent": N_("Ventilation"), "other": N_("Output")}
PLACES = {"building": N_("Whole building")}
"""Areas of the panel that config.toml gives no name."""

HOLDS = {
    "min_on": N_("%(device)s has to run on for a while before it may stop"),
    "min_off": N_("%(device)s has to rest before it may start again"),
    "max_starts": N_("%(device)s has started often enough this hour"),
    "min_move_interval": N_("%(device)s moved a moment ago and waits"),
    "deadband": N_("%(device)s is close enough to where it should be"),
}
REASONS = {
    "fire": N_("Held by the fire panel"),
    "interlock": N_("Held by an interlock"),
    "sensor_unknown": N_("The sensor is silent: safe position"),
    "exclusive": N_("Gives way to another device"),
    "default": N_("Nothing to correct"),
    "override": N_("Set by hand"),
    "rule": N_("A rule asks for it"),
}
SIDES = {
    "above": N_("%(quantity)s %(value)s is above %(threshold)s"),
    "below": N_("%(quantity)s %(value)s is below %(threshold)s"),
    "above_held": N_("%(quantity)s was above %(threshold)s; at %(value)s it is not yet low enough"),
    "below_held": N_("%(quantity)s was below %(threshold)s; at %(value)s it is not yet high enough"),
}
CAUSES = {
    "smoke": N_("Smoke detector"),
    "flame": N_("Flame detector"),
    "call_point": N_("Manual call point"),
}
FIRES = {"verify": N_("Fire warning"), "alarm": N_("Fire alarm")}
"""What stands on the plan where there is one."""
SEVERITIES = {"info": N_("Information"), "warn": N_("Warning"), "alarm": N_("Alarm"), "critical": N_("Critical")}
SHAPES = {"info": "●", "warn": "▲", "alarm": "■", "critical": "◆"}
LINK_STATES = {
    "connecting": N_("connecting"),
    "up": N_("connected"),
    "degraded": N_("connected, with errors"),
    "down": N_("not connected"),
}
LINK_ERRORS: dict[LinkErrorCode, str] = {
    "link_lost": N_("It cannot be opened, or the connection broke. Check plug, power and network."),
    "link_silent": N_("It does not answer. Check its power and its cable."),
    "wrong_device": N_("What answers is not what config.toml describes. Compare the two."),
    "no_network": N_("This radio has no network yet, or another one. The devices' page says what to do."),
    "database_damaged": N_("A damaged file of the radio was replaced. It is tried again by itself."),
    "radio_reset": N_("The radio restarted by itself. If this happens often, check its power."),
    "reader_refused": N_("The reader answers and refuses to work. Switch it off and on again."),
    "influx_away": N_("InfluxDB cannot be reached. Readings wait in the gateway."),
    "influx_unwilling": N_(
        "InfluxDB takes nothing until an administrator mends something. Readings wait in the gateway."
    ),
    "readings_refused": N_("InfluxDB refused some readings and will not get them."),
    "readings_dropped": N_("Too many readings wait to be sent. The oldest are dropped."),
    "not_written": N_("The gateway cannot write to its disk. Make room on it."),
    "unexpected": N_("Something unexpected happened. The gateway's log tells more."),
}
LINK_KINDS = {
    "zigbee": N_("Zigbee coordinator"),
    "znp": N_("Zigbee coordinator"),
    "bellows": N_("Zigbee coordinator"),
    "modbus": N_("I/O module"),
    "feig": N_("RFID reader"),
    "reader": N_("RFID reader"),
    "influxdb": N_("InfluxDB"),
    "log": N_("Log of readings"),
}


def link_error(words: Words, link: LinkView) -> str:
    """What is wrong with a link. The last error of a wire that works again, with damaged frames, is over."""
    over = link.state == "degraded" and link.kind not in ("log", "influxdb")
    return "" if over or link.code is None else words.gettext(LINK_ERRORS[link.code])


def state(words: Words, actuator: ActuatorView) -> str:
    """What an actuator does: Closed, 60 %, On."""
    value = actuator.value
    if value is None:
        return words.gettext("Unknown")
    if actuator.kind == "curtain":
        if 5 < value < 95:
            return words.gettext("%(percent)s %% closed", percent=words.number(value))
        return words.gettext("Closed") if value >= 95 else words.gettext("Open")
    if actuator.kind == "ac":
        return words.gettext("On") if value else words.gettext("Off")
    return f"{words.number(value)} %" if value else words.gettext("Off")


def wish(words: Words, actuator: ActuatorView, value: float) -> str:
    """A value that an actuator was asked for, in the same words as its state."""
    asked = ActuatorView(actuator.id, actuator.kind, actuator.name, value, value, value, "override", "override")
    return state(words, asked)


def why(words: Words, actuator: ActuatorView) -> str:
    """The reason of what an actuator does, one sentence."""
    held = HOLDS.get(actuator.reason)
    if held is not None:
        return words.gettext(held, device=actuator.name)
    params = actuator.params
    if actuator.reason == "rule" and params.get("side") in SIDES and "threshold" in params and "value" in params:
        metric = str(params.get("metric"))
        return words.gettext(
            SIDES[_side(params)],
            quantity=words.gettext(QUANTITIES.get(metric, metric)),
            value=compared(words, metric, float(params["value"])),
            threshold=compared(words, metric, float(params["threshold"])),
        )
    return words.gettext(REASONS.get(actuator.reason, REASONS["rule"]))


def _side(params: Mapping[str, float | str]) -> str:
    """Which sentence fits: inside the hysteresis the limit itself is no longer crossed."""
    side, value, threshold = str(params["side"]), float(params["value"]), float(params["threshold"])
    crossed = value >= threshold if side == "above" else value <= threshold
    return side if crossed else f"{side}_held"


def compared(words: Words, metric: str, value: float | None) -> str:
    """A measured value with its unit, finely enough to see on which side of a limit it lies: 62.3 % is above 62 %."""
    digits = DECIMALS.get(metric, 1 if metric == "rh" and value is not None and not value.is_integer() else 0)
    return f"{words.number(value, digits)} {UNITS.get(metric, '')}".rstrip()


def what(words: Words, alarm: AlarmView) -> str:
    """An alarm's headline."""
    if alarm.state == "tamper":
        return words.gettext("Tampering: %(place)s", place=alarm.place)
    if alarm.kind == "fault":
        return words.gettext("Fault: %(place)s", place=alarm.place)
    if alarm.state == "verify":
        return words.gettext("Fire warning, being verified: %(place)s", place=alarm.place)
    return words.gettext("Fire alarm: %(place)s", place=alarm.place)


def standing(words: Words, alarm: AlarmView, now: datetime) -> list[str]:
    """What has been done about an alarm, newest last."""
    done = [words.gettext("since %(time)s", time=words.moment(alarm.raised_at, _style(alarm.raised_at, now)))]
    if alarm.acknowledged_at:
        who = alarm.acknowledged_by or words.gettext("somebody")
        time = words.moment(alarm.acknowledged_at, "time")
        done.append(words.gettext("acknowledged by %(name)s at %(time)s", name=who, time=time))
    if alarm.silenced and alarm.state != "reset":
        done.append(words.gettext("siren silenced"))
    if alarm.reset_at:
        time = words.moment(alarm.reset_at, _style(alarm.reset_at, now))
        if alarm.reset_by:
            done.append(words.gettext("reset by %(name)s, %(time)s", name=alarm.reset_by, time=time))
        else:  # a fault that is gone
            done.append(words.gettext("over since %(time)s", time=time))
    return done


def _style(at: datetime, now: datetime) -> Literal["time", "datetime"]:
    return "time" if abs((now - at).total_seconds()) < 12 * 3600 else "datetime"
