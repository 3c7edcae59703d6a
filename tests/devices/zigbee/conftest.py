"""A network that is formed once; every test that asks for it works on a copy of its own."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.field import Recorder, VirtualRadio, open_radio
from tests.support.zigbee_shipped import all_in, coordinator_in
from tests.support.zigbee_site import running


@pytest.fixture
async def formed(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network that twelve devices have joined; formed once, then copied."""
    base = tmp_path_factory.getbasetemp() / "formed-network"
    if not base.exists():
        making = base.with_name("forming-network")
        async with open_radio(making):
            seen = Recorder()
            async with running(coordinator_in(making), seen):
                await all_in(seen)
        making.rename(base)
    shutil.copytree(base, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


@pytest.fixture
async def home(formed: Path) -> AsyncIterator[VirtualRadio]:
    async with open_radio(formed) as opened:
        yield opened
