"""`/api/v1/rules`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body

from server.deps import STAFF, CoreDep, Principal, public, require
from server.rooms.endpoints import RoomsDep
from server.rules import service
from server.rules.schemas import (
    DryRunResponse,
    FindingResponse,
    LintRequest,
    LintResponse,
    RuleResponse,
    RulesResponse,
)

router = APIRouter(prefix="/api/v1/rules", tags=["rules"])

Anyone = Annotated[Principal | None, public()]
Staff = Annotated[Principal, require(*STAFF)]

CASE = Body(
    description="A case as `carrel dry-run rules` takes it: config, start, samples, overrides, end_s.",
    examples=[{"config": {"tick_s": 10, "sensor": [], "actuator": [], "rule": []}, "samples": [], "end_s": 600}],
)


@router.get("")
def rules(rooms: RoomsDep, _caller: Anyone) -> RulesResponse:
    """Each rule with what it compares now, whether its wish is carried out, and why not."""
    simulated = rooms.plan.simulated
    found = service.live(rooms.picture)
    return RulesResponse(
        rules=[RuleResponse(**dict(t.rule), gateway=t.gateway, at=t.at, simulated=simulated) for t in found]
    )


@router.post("/dry-run")
def dry_run(body: Annotated[dict[str, Any], CASE], core: CoreDep, _principal: Staff) -> DryRunResponse:
    """Run rules on given samples with a simulated clock; nothing is moved."""
    commands, notes = service.dry_run(body, core.settings.document)
    return DryRunResponse.model_validate({"commands": commands, "notes": notes})


@router.post("/lint")
def lint(body: LintRequest, core: CoreDep, _principal: Staff) -> LintResponse:
    """Name rules that conflict, flap or can never fire; without `config` those the library runs."""
    found = service.findings(body.config, core.settings.document)
    return LintResponse(findings=[FindingResponse(code=f.code, rules=list(f.rules), text=f.text) for f in found])
