"""Serves the kiosk's page with made-up screens: `python -m tests.dev.kiosk PORT`, then /dev/NAME/LANGUAGE and /."""

from __future__ import annotations

import asyncio
import json
import sys
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from starlette.responses import Response

from carrel.web.i18n import Language
from carrel.web.pages import Pages, Site, mount
from gateway.stations.kiosk.page import TEMPLATES, message
from tests.support.sample_screens import screens

app = FastAPI()
pages: Pages = mount(
    app,
    Site("Carrel Demo Library", "卡雷尔示范图书馆", ZoneInfo("Asia/Shanghai"), "zh-CN", simulated=True),
    [TEMPLATES],
)
shown: dict[str, str] = {"name": "idle", "lang": "zh-CN"}


@app.get("/")
def shell(request: Request) -> Response:
    return pages.response(request, "kiosk.html")


@app.get("/dev/{name}/{lang}")
def choose(name: str, lang: Language) -> list[str]:
    shown.update(name=name, lang=lang)
    return list(screens(lang))


@app.websocket("/kiosk/live")
async def live(socket: WebSocket) -> None:
    await socket.accept()
    try:
        lang: Language = "en" if shown["lang"] == "en" else "zh-CN"
        await socket.send_text(json.dumps({"seq": 1, **message(pages, screens(lang)[shown["name"]])}))
        while True:
            if "ping" in (said := await socket.receive_json()):
                await socket.send_json({"pong": said["ping"]})
    except WebSocketDisconnect:
        await asyncio.sleep(0)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 8098, log_level="warning")
