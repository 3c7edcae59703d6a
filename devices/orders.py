"""What can be asked of a driver, and what it answers. Refusal and failure are values, not exceptions."""

from __future__ import annotations

from dataclasses import dataclass

from carrel.contracts.actuation import CommandStatus, DeviceOrder, SetOutput

Command = DeviceOrder | tuple[SetOutput, ...]
"""One order, or outputs of one module that must act together in one write. `SetOutput.output` is `output` or
`module.output`."""


@dataclass(frozen=True, slots=True)
class OrderResult:
    """`done` was confirmed by the device, `rejected` it refused, `expired` a newer order took its place, `failed` the
    device did not answer or did not follow. `code` is a stable lower_snake word, `detail` is for the log.
    """

    status: CommandStatus
    code: str = ""
    detail: str = ""

    @property
    def done(self) -> bool:
        """The device confirmed the order."""
        return self.status is CommandStatus.DONE


DONE = OrderResult(CommandStatus.DONE)


def rejected(code: str, detail: str = "") -> OrderResult:
    """The device or the driver will not do it, and will not next time either."""
    return OrderResult(CommandStatus.REJECTED, code, detail)


def failed(code: str, detail: str = "") -> OrderResult:
    """It was tried within its deadline and did not work."""
    return OrderResult(CommandStatus.FAILED, code, detail)


def expired(detail: str = "") -> OrderResult:
    """A newer order for the same device took this one's place."""
    return OrderResult(CommandStatus.EXPIRED, "superseded", detail)
