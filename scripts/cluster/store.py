"""Images as files: blobs by digest, and what each name stands for; the registry serves them.

The layout is that of the OCI image specification, without its index.
"""

import hashlib
import json
import stat
import tarfile
import tempfile
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIGURATION = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


class Store:
    """Keeps images in a folder.

    Args:
        folder: It is made where it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._names = folder / "names"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._names.mkdir(exist_ok=True)

    def blob(self, digest: str) -> Path:
        """The file of a blob."""
        return self._blobs / digest.removeprefix("sha256:")

    def digest(self, name: str) -> str:
        """The digest of the manifest that `name:tag` stands for; empty: there is none."""
        file = self._names / name.replace("/", "%")
        return file.read_text() if file.exists() else ""

    def configuration(self, name: str) -> dict[str, Any]:
        """The configuration of an image."""
        found: dict[str, Any] = self._json(self._manifest(name)["config"]["digest"])
        return found

    def layers(self, name: str) -> list[dict[str, Any]]:
        """The layers of an image, as its manifest has them."""
        found: list[dict[str, Any]] = self._manifest(name)["layers"]
        return found

    def put_layer(self, folder: Path) -> dict[str, Any]:
        """Keep what is in a folder as a layer. Everything is root's, and of no time."""
        with (
            tempfile.NamedTemporaryFile(dir=self._blobs, delete=False) as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in sorted(folder.rglob("*")):
                _add(archive, path, str(path.relative_to(folder)))
        return self.put_archive(Path(file.name))

    def put_archive(self, archive: Path) -> dict[str, Any]:
        """Keep a tar file as a layer; it is moved."""
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = archive.stat().st_size
        archive.replace(self._blobs / digest)
        return {"mediaType": _LAYER, "digest": f"sha256:{digest}", "size": size}

    def put_image(
        self, name: str, configuration: dict[str, Any], layers: list[dict[str, Any]]
    ) -> None:
        """Keep an image under a name.

        Args:
            name: `name:tag`.
            configuration: User, command and so on, as the specification calls them.
            layers: What is in it, from the lowest on.
        """
        digests = [layer["digest"] for layer in layers]
        content = {
            "architecture": "amd64",
            "os": "linux",
            "config": configuration,
            "rootfs": {"type": "layers", "diff_ids": digests},
        }
        described = {"mediaType": _CONFIGURATION, **self._put(content)}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": described,
            "layers": layers,
        }
        (self._names / name.replace("/", "%")).write_text(self._put(manifest)["digest"])

    def _manifest(self, name: str) -> Any:
        return self._json(self.digest(name))

    def _json(self, digest: str) -> Any:
        return json.loads(self.blob(digest).read_bytes())

    def _put(self, content: object) -> dict[str, Any]:
        text = json.dumps(content, sort_keys=True).encode()
        digest = hashlib.sha256(text).hexdigest()
        (self._blobs / digest).write_bytes(text)
        return {"digest": f"sha256:{digest}", "size": len(text)}


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    if stat.S_ISCHR(path.lstat().st_mode):
        raise ValueError(f"{path}: an image that is kept takes nothing away of the one below it")
    found = archive.gettarinfo(path, name)
    found.uid = found.gid = 0
    found.uname = found.gname = ""
    found.mtime = 0
    if found.isreg():
        with path.open("rb") as file:
            archive.addfile(found, file)
    else:
        archive.addfile(found)
