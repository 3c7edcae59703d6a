"""The table of topics."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import pytest

import carrel.contracts
from carrel.contracts import topics
from carrel.contracts.base import Contract

IDS = {"{id}": "x-1"}


@pytest.mark.parametrize("topic", topics.TOPICS, ids=lambda topic: topic.path)
def test_every_topic_is_found_again_by_its_name(topic: topics.Topic) -> None:
    id_ = "x-1" if "{id}" in topic.path else None
    name = topics.name("main", "gw-1", topic, id_ or "")
    assert topics.parse(name) == topics.Address("main", "gw-1", topic, id_)


def test_an_acknowledgement_of_events_is_no_event_called_ack() -> None:
    found = topics.parse("carrel/1/main/gw-1/event/ack")
    assert found is not None
    assert found.topic is topics.EVENT_ACK


@pytest.mark.parametrize(
    "name",
    ["", "/", "carrel", "carrel/1", "carrel/1/main/gw-1", "carrel/2/main/gw-1/$state", "other/1/main/gw-1/$state",
     "carrel/1/main/gw-1/nothing", "carrel/1/main/gw-1/dev/x", "carrel/1/main/gw-1/dev/x/state/more"],
)  # fmt: skip
def test_other_names_are_nobody_s(name: str) -> None:
    assert topics.parse(name) is None


def test_a_plus_makes_a_filter() -> None:
    assert topics.name("main", "gw-1", topics.COMMAND, "+") == "carrel/1/main/gw-1/cmd/+"
    assert topics.name("main", "gw-1", topics.STATE, "+") == "carrel/1/main/gw-1/$state"


def test_a_command_is_never_retained_and_a_state_always() -> None:
    """A retained command would move a curtain at every reconnect."""
    assert not any(t.retained for t in topics.TOPICS if t.path.startswith(("cmd", "ack", "event", "telemetry")))
    assert topics.STATE.retained
    assert topics.ALARM.retained
    assert all(t.qos == 1 for t in topics.TOPICS if t is not topics.DEVICE_STATE)


def test_no_topic_is_in_the_table_twice() -> None:
    assert len({topic.path for topic in topics.TOPICS}) == len(topics.TOPICS)


def every_contract() -> dict[str, type[Contract]]:
    """All messages there are, by name."""
    modules = [import_module(f"carrel.contracts.{m.name}") for m in pkgutil.iter_modules(carrel.contracts.__path__)]
    found = {
        name: value
        for module in modules
        for name, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, Contract) and value is not Contract and value.__module__ == module.__name__
    }
    return dict(sorted(found.items()))


def test_the_table_names_contracts_only() -> None:
    known = set(every_contract().values())
    assert all(set(topic.contracts) <= known and topic.contracts for topic in topics.TOPICS)
