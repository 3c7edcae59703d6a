"""NUL in a form, however the form comes in pieces."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from server.pages.blanks import NulAsBlank

FORM = "application/x-www-form-urlencoded; charset=utf-8"


@pytest.mark.parametrize(
    ("kind", "pieces", "read"),
    [
        (FORM, [b"reason=cof%00fee&amount=5"], b"reason=cof+fee&amount=5"),
        (FORM, [b"reason=a%", b"00b%0", b"0", b"c%2500%", b"41"], b"reason=a+b+c%2500%41"),
        (FORM, [b"a=\0", b"%", b""], b"a=+%"),
        ("application/json", [b'"%00"'], b'"%00"'),
    ],
)
async def test_nul_is_a_blank_in_forms(kind: str, pieces: list[bytes], read: bytes) -> None:
    waiting = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, 1)
    ]
    got = b""

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        nonlocal got
        more = True
        while more:
            message = await receive()
            got, more = got + message["body"], message["more_body"]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(_message: Message) -> None: ...

    await NulAsBlank(app)({"type": "http", "headers": [(b"content-type", kind.encode())]}, receive, send)
    assert got == read
