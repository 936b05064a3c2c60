"""Serves the images of a store, as a registry does to those who pull.

python -m scripts.cluster.registry FOLDER HOST:PORT
"""

import json
import shutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from scripts.cluster.store import MANIFEST, Store

_OWN = "library/"
"""Before names that have no slash of their own."""


class Registry(BaseHTTPRequestHandler):
    """Answers /v2/NAME/manifests/TAG and /v2/NAME/blobs/DIGEST."""

    protocol_version = "HTTP/1.1"
    store: Store

    def do_GET(self) -> None:
        """Send what is asked for."""
        parts = self.path.partition("?")[0].strip("/").split("/")
        match parts:
            case ["v2"]:
                self._send(None, "application/json")
            case ["v2", *name, "manifests", reference]:
                self._send(self._digest("/".join(name), reference), MANIFEST)
            case ["v2", *_, "blobs", digest]:
                self._send(digest, "application/octet-stream")
            case _:
                self._refuse()

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def _digest(self, name: str, reference: str) -> str:
        if reference.startswith("sha256:"):
            return reference
        return self.store.digest(f"{name.removeprefix(_OWN)}:{reference}")

    def _send(self, digest: str | None, content_type: str) -> None:
        file = self.store.blob(digest) if digest else None
        if digest == "" or (file is not None and not file.is_file()):
            self._refuse()
            return
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(file.stat().st_size if file else 0))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if file and self.command == "GET":
            with file.open("rb") as content:
                shutil.copyfileobj(content, self.wfile)

    def _refuse(self) -> None:
        text = json.dumps({"errors": [{"code": "NAME_UNKNOWN"}]}).encode()
        self.send_response(404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(text)


if __name__ == "__main__":
    Registry.store = Store(Path(sys.argv[1]))
    host, _, port = sys.argv[2].rpartition(":")
    ThreadingHTTPServer((host, int(port)), Registry).serve_forever()
