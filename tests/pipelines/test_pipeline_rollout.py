"""The script that has Woodpecker roll out an image, run against servers that answer as Woodpecker does."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml
from support import needs
from test_pipeline_golden import GOLDEN


class Woodpecker(ThreadingHTTPServer):
    """What it answers to a new pipeline, and what it was asked."""

    answer: tuple[int, bytes] = (200, b"")
    asked: dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    server: Woodpecker

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        known = self.path == "/api/repos/lookup/Robin/tide-table"
        self.reply(200, b'{"id": 88}' if known else b"<html></html>")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked = {
            "path": self.path,
            "body": json.loads(body),
            "login": self.headers["Authorization"],
        }
        self.reply(*self.server.answer)

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Woodpecker]:
    with Woodpecker(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()


@needs("bash", "curl", "jq")
@pytest.mark.parametrize("case", ["tide-table", "recipe-box"])
@pytest.mark.parametrize(
    "answer,works",
    [
        ((200, b'{"number": 12}'), True),
        ((204, b""), False),
        ((200, b"<html></html>"), False),
        ((500, b""), False),
    ],
    ids=["a pipeline", "every workflow filtered", "the web page", "an error"],
)
def test_only_a_pipeline_with_a_number_is_a_success(
    case: str, answer: tuple[int, bytes], works: bool, server: Woodpecker
) -> None:
    (file,) = (GOLDEN / case / "repository" / ".github" / "workflows").glob("*.yml")
    (step,) = yaml.safe_load(file.read_text())["jobs"]["deploy"]["steps"]
    address = f"http://127.0.0.1:{server.server_port}"
    given = {"SERVER": address, "TOKEN": "t", "IMAGE_TAG": "a1b2c3d4"}
    server.answer = answer
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"].replace("sleep 30", "sleep 0")],
        env={**os.environ, **{name: str(value) for name, value in step["env"].items()}, **given},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) is works, done.stderr
    assert (done.stdout == f"{address}/repos/88/pipeline/12\n") is works
    assert server.asked == {
        "path": "/api/repos/88/pipelines",
        "body": {"branch": "master", "variables": {"IMAGE_TAG": "a1b2c3d4"}},
        "login": "Bearer t",
    }
