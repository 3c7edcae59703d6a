"""`/api/v1/labels`: spine and barcode labels as PDF."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from carrel.contracts.ids import ItemBarcode
from carrel.web.i18n import in_language
from server.deps import DESK, CoreDep, Principal, ReadSession, require
from server.printing import service
from server.printing.policy import GRIDS, Grid

router = APIRouter(prefix="/api/v1/labels", tags=["printing"])

MOST = 1000
"""Barcodes in one request."""

Millimetres = Annotated[float, Field(ge=0, le=297)]


class GridBody(BaseModel):
    """Labels on a sheet of A4, in mm."""

    model_config = ConfigDict(extra="forbid")

    columns: Annotated[int, Field(ge=1, le=20)]
    rows: Annotated[int, Field(ge=1, le=40)]
    width_mm: Annotated[float, Field(ge=8, le=210)]
    height_mm: Annotated[float, Field(ge=8, le=297)]
    left_mm: Millimetres = 0
    top_mm: Millimetres = 0
    gap_x_mm: Millimetres = 0
    gap_y_mm: Millimetres = 0


class LabelsBody(BaseModel):
    """Copies in the order of their labels; `start` is the first free place of a sheet already begun."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["spine", "barcode"]
    barcodes: Annotated[list[ItemBarcode], Field(min_length=1, max_length=MOST)]
    grid: Literal["24", "40", "65"] | GridBody = "40"
    start: Annotated[int, Field(ge=1)] = 1


@router.post("", response_class=Response, responses={200: {"content": {"application/pdf": {}}}})
def labels(
    body: LabelsBody, session: ReadSession, core: CoreDep, _principal: Annotated[Principal, require(*DESK)]
) -> Response:
    """Sheets of labels, ready to be printed without scaling."""
    wanted = service.Wanted(body.kind, tuple(body.barcodes), _grid(body.grid), body.start)
    library = core.settings.common.library
    name = in_language(library.language, (library.name, library.name_zh))
    file = service.sheets(session, wanted, library=name)
    headers = {"Content-Disposition": f'inline; filename="{body.kind}-labels.pdf"'}
    return Response(file, media_type="application/pdf", headers=headers)


def _grid(told: str | GridBody) -> Grid:
    if isinstance(told, str):
        return GRIDS[told]
    return Grid(
        told.columns,
        told.rows,
        told.width_mm,
        told.height_mm,
        left=told.left_mm,
        top=told.top_mm,
        gap_x=told.gap_x_mm,
        gap_y=told.gap_y_mm,
    )
