# SPDX-License-Identifier: Apache-2.0
"""The command ``trio2o`` as a process, with a Keystone and a database."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from tests.inprocess.keystone import Keystone, running

ROOT = Path(__file__).parents[2]
PASSWORD = "secret"


class KeystoneThread:
    """The Keystone of keystone.py beside the test, for processes."""

    def __init__(self) -> None:
        self.keystone = Keystone()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run()])

    async def _run(self) -> None:
        async with running(self.keystone):
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> Keystone:
        self._thread.start()
        self._ready.wait()
        return self.keystone

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


class Place:
    """A directory with a configuration file; its values can be changed before a run."""

    def __init__(self, folder: Path, keystone_url: str, database_url: str) -> None:
        self.file = folder / "trio2o.conf"
        self.values = {
            ("api", "bind_host"): "127.0.0.1",
            ("api", "port"): "0",
            ("database", "url"): database_url,
            ("service_user", "auth_type"): "password",
            ("service_user", "auth_url"): f"{keystone_url}/v3",
            ("service_user", "username"): "trio2o",
            ("service_user", "password"): PASSWORD,
            ("service_user", "project_name"): "service",
            ("service_user", "user_domain_name"): "Default",
            ("service_user", "project_domain_name"): "Default",
        }

    def write(self) -> None:
        sections: dict[str, list[str]] = {}
        for (section, option), value in self.values.items():
            sections.setdefault(section, []).append(f"{option} = {value}")
        parts = [f"[{name}]\n" + "\n".join(lines) for name, lines in sections.items()]
        self.file.write_text("\n\n".join(parts) + "\n")

    def _command(self, words: str) -> list[str]:
        self.write()
        first = [sys.executable, "-m", "trio2o.cmd.main", *words.split()]
        return first if "--" in words else [*first, "--config-file", str(self.file)]

    def run(self, words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end. The file is used unless ``words`` has an option."""
        return subprocess.run(
            self._command(words),
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextlib.contextmanager
    def start(self, words: str, ready: str) -> Iterator["Running"]:
        """Run it until the end of the block, from when it says ``ready``."""
        with subprocess.Popen(
            self._command(words), cwd=ROOT, stderr=subprocess.PIPE, text=True
        ) as process:
            one = Running(process)
            try:
                one.wait_for(ready)
                yield one
            finally:
                process.kill()


class Running:
    """said: its log so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read its log until ``pattern`` is in it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it ended without {pattern}:\n{self.said}")

    @property
    def url(self) -> str:
        found = re.search(r"listening on (http://\S+)", self.said)
        assert found
        return found[1]

    def end(self, number: int) -> int:
        """Send the signal; its exit code."""
        self.process.send_signal(number)
        assert self.process.stderr is not None
        self.said += self.process.stderr.read()
        return self.process.wait(60)
