"""Whatever is sent to any endpoint of the API's own description, the answer is never a fault of ours.

Requests are made up from the OpenAPI document, as valid ones and as broken ones. Each is sent as an administrator; a
few are sent by nobody, to see that strangers do no better.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
import schemathesis
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.generation import GenerationMode
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from server.app import create_app
from server.db import Database
from server.deps import Principal, Role
from server.errors import MEDIA_TYPE
from server.migrations.apply import upgrade
from tests.support.library import ManualClock, make_settings, stock

pytestmark = pytest.mark.timeout(600)  # hundreds of endpoints in one test

ADMINISTRATOR = Principal(
    subject="user:administrator", user="administrator", name="Administrator", roles=frozenset({Role.ADMINISTRATOR})
)
EXAMPLES = {GenerationMode.POSITIVE: 12, GenerationMode.NEGATIVE: 4}
SLOW = ("/password", "/pin", "POST /api/v1/accounts", "/form", "/simulate", "/dry-run")
"""Where each valid request costs a slow hash or a long reckoning: a few are enough."""


def identify(_session: Session, _token: str, _now: object) -> Principal | None:
    return ADMINISTRATOR


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A running application that takes everybody with a token for an administrator."""
    folder = tmp_path_factory.mktemp("schemathesis")
    url = f"sqlite:///{folder}/library.db"
    database = Database(make_url(url))
    upgrade(database)
    stock(database)
    database.close()
    app = create_app(make_settings(folder, url), ManualClock())
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        app.state.core = replace(app.state.core, identify=identify)
        yield client


@pytest.fixture(scope="module")
def operations(house: TestClient) -> dict[str, schemathesis.schemas.APIOperation]:
    schema = schemathesis.openapi.from_dict(house.get("/api/openapi.json").json())
    found = [one.ok() for one in schema.get_all_operations()]
    return {operation.label: operation for operation in found}


def send(client: TestClient, case: Case, headers: dict[str, str]) -> Response:
    wire = requests.Request(**case.as_transport_kwargs(base_url="http://testserver", headers=headers)).prepare()
    assert wire.url
    return client.request(str(wire.method), wire.url, content=wire.body, headers=dict(wire.headers))


def attack(client: TestClient, operation: schemathesis.schemas.APIOperation, *, known: bool) -> None:
    """Some valid requests and some that are not."""
    headers = {"Authorization": "Bearer administrator"} if known else {}
    takes_something = any(operation.iter_parameters()) or bool(operation.body)
    for mode, examples in EXAMPLES.items():
        broken = mode is GenerationMode.NEGATIVE
        if broken and not takes_something:
            continue
        few = not known or any(part in operation.label for part in SLOW)

        @seed(2026)
        @settings(
            max_examples=2 if few else examples, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(operation.as_strategy(generation_mode=mode))
        def every(case: Case) -> None:
            judge(send(client, case, headers), case)

        try:
            every()
        except Unsatisfiable:
            assert broken, "nothing valid can be made of this description"  # any text will do, so none is wrong


def judge(answer: Response, case: Case) -> None:
    assert answer.status_code != 500, f"{case.as_curl_command()}\n{answer.text}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"].split(";")[0] in (MEDIA_TYPE, "application/json"), answer.text
        assert answer.json()["code"] if answer.status_code != 503 else True


def test_a_made_up_request_never_meets_a_fault(house: TestClient, operations: dict, subtests) -> None:  # type: ignore[no-untyped-def]
    assert len(operations) > 80
    for label, operation in operations.items():
        with subtests.test(label):
            attack(house, operation, known=True)


def test_strangers_do_no_better(house: TestClient, operations: dict, subtests) -> None:  # type: ignore[no-untyped-def]
    for label, operation in operations.items():
        with subtests.test(label):
            attack(house, operation, known=False)
