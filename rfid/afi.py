"""Application family identifiers that mark an item as in stock or on loan (ISO 15693-3, ISO 28560-1 annex)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AfiPolicy:
    """The two AFI values of one library; sites differ, so they are configuration."""

    in_stock: int = 0x07
    on_loan: int = 0xC2

    def wanted(self, *, on_loan: bool) -> int:
        """Return the AFI that a tag must carry in the given loan state."""
        return self.on_loan if on_loan else self.in_stock

    def is_on_loan(self, afi: int) -> bool | None:
        """Return the loan state that an AFI tells, None when it tells neither."""
        return {self.on_loan: True, self.in_stock: False}.get(afi)
