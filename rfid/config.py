"""Configuration of readers, one section per reader; unknown keys are refused."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rfid.afi import AfiPolicy

BlockBytes = Literal["direct", "reversed"]


class PadReaderConfig(BaseModel):
    """One FEIG reader under a pad."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["feig"] = "feig"
    path: str = Field(min_length=1, description="serial device path or socket://host:port")
    baud: int = Field(default=38400, ge=1200, le=921600, description="bits per second; serial lines only")
    parity: Literal["even", "none"] = Field(default="even", description="serial lines only; FEIG ships even")
    address: int = Field(default=0xFF, ge=0, le=0xFF, description="bus address, 0xFF = whichever reader is there")
    afi_in_stock: int = Field(default=0x07, ge=0, le=0xFF, description="AFI of an item that is in the library")
    afi_on_loan: int = Field(default=0xC2, ge=0, le=0xFF, description="AFI of an item that is lent")
    block_bytes: BlockBytes = Field(default="direct", description="byte order inside a block on the reader's wire")
    owner: str = Field(min_length=1, max_length=16, description="ISIL of the library whose items may be lent here")

    @model_validator(mode="after")
    def _afi_values_differ(self) -> Self:
        if self.afi_in_stock == self.afi_on_loan:
            raise ValueError("afi_in_stock and afi_on_loan must differ, or no gate can tell lent items from others")
        return self

    @property
    def afi(self) -> AfiPolicy:
        """The two AFI values as one."""
        return AfiPolicy(in_stock=self.afi_in_stock, on_loan=self.afi_on_loan)
