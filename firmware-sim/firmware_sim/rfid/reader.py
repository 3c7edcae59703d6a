"""The reader itself: control commands, configuration blocks, and the way to the tags. No I/O.

OBID i-scan system manuals, "Protocols for reader control" and "for reader configuration".
"""

from collections.abc import Callable, Sequence
from typing import Final

from firmware_sim.rfid.air import Field
from firmware_sim.rfid.chip import Tag
from firmware_sim.rfid.feig import RX_BUF_SIZE, TX_BUF_SIZE, Answer, Request
from firmware_sim.rfid.host_commands import (
    LENGTH,
    OK,
    PARAMETER_RANGE,
    UNKNOWN_COMMAND,
    BlockBytes,
    HostCommands,
    StatusError,
    Steps,
)

RF_RESET_S: Final = 0.010

_RESERVED_BLOCK: Final = 0x15
_CONFIG_BLOCKS: Final = 16
_CONFIG_SIZE: Final = 14
_CFG_INTERFACE: Final = 1
_CFG_ANTICOLLISION: Final = 5
_ONT_BYTE: Final = 11
_EEPROM: Final = 0x80
_ALL_BLOCKS: Final = 0x40
# Firmware 1.5.0, an HF module (reader type 33), ISO 15693 tags only.
_VERSION: Final = bytes.fromhex("010500 00 21 0008")
_BUFFERS: Final = RX_BUF_SIZE.to_bytes(2, "big") + TX_BUF_SIZE.to_bytes(2, "big")
_DEVICE_ID: Final = bytes.fromhex("00C0FFEE 00000000 0105 0100 0001 0000")


class Reader:
    """One reader. `tags` gives what lies in its field. ONT is off: each inventory starts with a field reset."""

    def __init__(self, tags: Field, block_bytes: BlockBytes = "direct") -> None:
        self._lying = tags
        self._rf_on = True
        self._tags = HostCommands(self._powered, block_bytes)
        self._ram = [bytearray(_CONFIG_SIZE) for _ in range(_CONFIG_BLOCKS)]
        self._eeprom = [bytes(block) for block in self._ram]
        self._com_adr = 0
        self._commands: dict[int, tuple[tuple[int, ...], Callable[[bytes], Answer]]] = {
            0x52: ((1,), self._done),
            0x63: ((0,), self._restart),
            0x64: ((0,), self._restart),
            0x65: ((0,), self._version),
            0x66: ((1,), self._info),
            0x69: ((0,), self._rf_reset),
            0x6A: ((1,), self._rf_switch),
            0x80: ((1,), self._read_config),
            0x81: ((1 + _CONFIG_SIZE,), self._write_config),
        }

    @property
    def com_adr(self) -> int:
        """The reader's own bus address, as set at its last start."""
        return self._com_adr

    def handle(self, request: Request) -> Steps:
        """Obey one request, yielding the seconds that pass before each next step; the answer at the end."""
        try:
            if request.command == 0xB0:
                return (yield from self._tags.iso(request.data, advanced=request.advanced))
            if request.command == 0xB1:
                return (yield from self._tags.custom(request.data))
            if request.command not in self._commands:
                return Answer(UNKNOWN_COMMAND)
            lengths, act = self._commands[request.command]
            if len(request.data) not in lengths:
                return Answer(LENGTH)
            if request.command == 0x69:
                yield RF_RESET_S
            return act(request.data)
        except StatusError as refused:
            return Answer(refused.status)

    def _powered(self) -> Sequence[Tag]:
        return self._lying() if self._rf_on else ()

    def _done(self, _data: bytes) -> Answer:
        return Answer(OK)

    def _restart(self, _data: bytes) -> Answer:
        """CPU or system reset: the saved configuration comes into force, the field was off."""
        self._ram = [bytearray(block) for block in self._eeprom]
        self._com_adr = self._ram[_CFG_INTERFACE][0]
        self._rf_on = True
        self._follow_config()
        self._tags.forget()
        return self._rf_reset(b"")

    def _version(self, _data: bytes) -> Answer:
        return Answer(OK, _VERSION)

    def _info(self, data: bytes) -> Answer:
        if data[0] == 0x00:
            return Answer(OK, _VERSION + _BUFFERS)
        if data[0] == 0x80:
            return Answer(OK, _DEVICE_ID)
        return Answer(PARAMETER_RANGE)

    def _rf_reset(self, _data: bytes) -> Answer:
        for tag in self._lying():
            tag.power_down()
        return Answer(OK)

    def _rf_switch(self, data: bytes) -> Answer:
        if data[0] > 1:
            return Answer(PARAMETER_RANGE)
        self._rf_on = data[0] == 1
        return self._rf_reset(b"")

    def _read_config(self, data: bytes) -> Answer:
        number = _config_number(data[0])
        return Answer(OK, self._eeprom[number] if data[0] & _EEPROM else bytes(self._ram[number]))

    def _write_config(self, data: bytes) -> Answer:
        """Into RAM, and with the location bit into EEPROM too."""
        number = _config_number(data[0])
        self._ram[number][:] = data[1:]
        if data[0] & _EEPROM:
            self._eeprom[number] = data[1:]
        self._follow_config()
        return Answer(OK)

    def _follow_config(self) -> None:
        self._tags.only_new = bool(self._ram[_CFG_ANTICOLLISION][_ONT_BYTE] & 1)


def _config_number(address: int) -> int:
    if address & _ALL_BLOCKS:
        raise StatusError(PARAMETER_RANGE)
    if address & 0x3F >= _CONFIG_BLOCKS:
        raise StatusError(_RESERVED_BLOCK)
    return address & 0x3F
