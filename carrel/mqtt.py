"""A client of the broker as `[mqtt]` describes it; gateway and server make theirs here."""

from __future__ import annotations

import socket

import aiomqtt

from carrel.sections import MqttConfig

CONNECT_WITHIN_S = 5
KEEPALIVE_S = 15
UNDER_WAY = 1000
"""Publications that wait for the broker at once; beyond that aiomqtt warns, and at first it would do so from 10 on."""


def client(mqtt: MqttConfig, identifier: str, *, waiting: int, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
    """Not connected yet; `waiting` messages are held before they are dealt with, more are dropped.

    Entering it raises aiomqtt.MqttError or OSError; a certificate that is no good is an OSError (ssl.SSLError).
    """
    made = aiomqtt.Client(
        mqtt.host,
        mqtt.port,
        username=mqtt.username or None,
        password=mqtt.password or None,
        identifier=identifier,
        will=will,
        timeout=CONNECT_WITHIN_S,
        keepalive=KEEPALIVE_S,
        max_queued_incoming_messages=waiting,
        # Nagle's algorithm with delayed acknowledgements costs 40 ms per round trip
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        tls_params=_tls(mqtt),
    )
    made.pending_calls_threshold = UNDER_WAY
    return made


def _tls(mqtt: MqttConfig) -> aiomqtt.TLSParameters | None:
    if not mqtt.tls:
        return None
    return aiomqtt.TLSParameters(
        ca_certs=str(mqtt.ca_file) if mqtt.ca_file else None,
        certfile=str(mqtt.cert_file) if mqtt.cert_file else None,
        keyfile=str(mqtt.key_file) if mqtt.key_file else None,
    )
