"""A headless Chromium, told what to do over its debugging protocol."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
)


class Page:
    """One page; `events` are all that the browser said of it."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.events, self.number = socket, [], 0

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method and return its result."""
        self.number += 1
        await self.socket.write_message(
            json.dumps({"id": self.number, "method": method, "params": params})
        )
        while True:
            said = await self.hear()
            if said.get("id") == self.number:
                assert "error" not in said, said
                return said["result"]

    async def hear(self) -> dict[str, Any]:
        """Return the next message; events are kept."""
        said = json.loads(await asyncio.wait_for(self.socket.read_message(), 30))
        if "method" in said:
            self.events.append(said)
        return said

    async def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=path.as_uri())
        while not any(one["method"] == "Page.loadEventFired" for one in self.events):
            await self.hear()

    async def value(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def size(self, width: int, height: int = 900) -> None:
        """Make the window another size, a phone's also."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def troubles(self) -> list[str]:
        """Return what the console and the log complained of."""
        logged = [
            e["params"]["entry"]["text"] for e in self.events if e["method"] == "Log.entryAdded"
        ]
        spoken = [e for e in self.events if e["method"].startswith("Runtime.")]
        loud = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
        return logged + [json.dumps(e["params"]) for e in spoken if e["method"] in loud]

    def requests(self) -> list[str]:
        """Return the address of everything that was asked for."""
        asked = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        return [e["params"]["request"]["url"] for e in asked]


def browse(profile: Path, visit: Callable[[Page], Any]) -> Any:
    """Run a visit in a browser of its own."""
    assert CHROMIUM is not None
    profile.mkdir()
    command = [CHROMIUM, *_FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, "about:blank"], stdout=quiet, stderr=quiet) as process:
        try:
            return asyncio.run(_visit(_port(profile, process), visit))
        finally:
            process.terminate()
            process.wait(20)


def _port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    told = profile / "DevToolsActivePort"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if told.exists() and (lines := told.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.05)
    raise RuntimeError("the browser did not start")


async def _visit(port: int, visit: Callable[[Page], Any]) -> Any:
    from tornado.httpclient import AsyncHTTPClient
    from tornado.websocket import websocket_connect

    found = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
    address = next(t for t in json.loads(found.body) if t["type"] == "page")["webSocketDebuggerUrl"]
    socket = await websocket_connect(address, max_message_size=100 << 20)
    try:
        return await visit(Page(socket))
    finally:
        socket.close()
