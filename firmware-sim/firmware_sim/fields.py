"""The fields of one request on the control socket, taken out one by one with their types."""

from firmware_sim.control import Request


class Fields:
    """Takes the fields of one request out of it, each with its type; `done` refuses what is left over."""

    def __init__(self, request: Request) -> None:
        self._rest = dict(request)

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self._rest.pop(name, None)
        if not isinstance(value, str):
            raise ValueError(f"{name} is missing or not a string")
        return value

    def texts(self, name: str) -> list[str]:
        """A list of strings, not empty."""
        value = self._rest.pop(name, None)
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise ValueError(f"{name} is missing or not a list of strings")
        return value

    def number(self, name: str) -> float | None:
        """A number that may be missing."""
        value = self._rest.pop(name, None)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ValueError(f"{name} is not a number")
        return value

    def needed(self, name: str) -> float:
        """A number that must be there."""
        value = self.number(name)
        if value is None:
            raise ValueError(f"{name} is missing")
        return value

    def octets(self, name: str) -> int:
        """An unsigned number of at most 64 bits that must be there."""
        value = self._rest.pop(name, None)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 64:
            raise ValueError(f"{name} is missing or not a whole number")
        return value

    def flag(self, name: str) -> bool | None:
        """true or false, that may be missing."""
        value = self._rest.pop(name, None)
        if value is not None and not isinstance(value, bool):
            raise ValueError(f"{name} is not true or false")
        return value

    def take(self, name: str, value: str) -> bool:
        """Whether the field has exactly this value; it is taken only then."""
        if self._rest.get(name) != value:
            return False
        del self._rest[name]
        return True

    def raw(self, name: str) -> int | float:
        """A number that must be there, of any sign and size, NaN as well."""
        value = self._rest.pop(name, None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} is missing or not a number")
        return value

    def has(self, name: str) -> bool:
        """Whether the field is there."""
        return name in self._rest

    def done(self) -> None:
        """No fields may be left."""
        if self._rest:
            raise ValueError(f"unknown field: {', '.join(map(str, self._rest))}")
