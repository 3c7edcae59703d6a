"""What the server says about itself: `/healthz`, `/readyz`, and the API's own documentation."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from server.deps import CoreDep, Principal, public
from server.http import apidocs

router = APIRouter(tags=["system"])

Anyone = Annotated[Principal | None, public()]


@router.get("/healthz")
def healthz(_caller: Anyone) -> dict[str, str]:
    """The process is alive; says nothing about what it depends on."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(core: CoreDep, _caller: Anyone) -> JSONResponse:
    """Whether everything that a request needs is there: 200, else 503; `checks` names what is not."""
    found = core.checks.run()
    return JSONResponse({"ready": found.ready, "checks": found.checks}, status_code=200 if found.ready else 503)


@router.get("/api/openapi.json", include_in_schema=False)
def openapi(request: Request, _caller: Anyone) -> dict[str, Any]:
    """The API's schema (OpenAPI 3.1)."""
    return schema_of(request)


@router.get("/api/docs", include_in_schema=False)
def docs(request: Request, _caller: Anyone) -> HTMLResponse:
    """The same for people; no script, nothing from elsewhere."""
    page = apidocs.render(schema_of(request))
    return HTMLResponse(page, headers={"Content-Security-Policy": apidocs.POLICY})


def schema_of(request: Request) -> dict[str, Any]:
    """Made once by FastAPI, then kept."""
    schema: dict[str, Any] = request.app.openapi()
    return schema
