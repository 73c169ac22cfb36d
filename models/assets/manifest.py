"""The asset manifest, `assets.yaml`: what can be fetched, from where, and what it must be."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from ruamel.yaml import YAML

MANIFEST = Path(__file__).parent.with_name("assets.yaml")


def _inside(path: str) -> str:
    if not path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError(f"{path!r} must stay inside the asset's folder")
    return path


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageSource(_Section):
    """A wheel or sdist on the package index that holds the files."""

    package: str = Field(pattern=r"^[A-Za-z0-9._-]+==[A-Za-z0-9.]+$")
    kind: Literal["wheel", "sdist"] = "wheel"
    root: str = ""
    """Folder inside the package that the files' paths start from, ending in `/`."""
    platform: str | None = None
    """Platform tag, for a wheel with compiled code."""

    def __str__(self) -> str:
        return f"{self.kind} {self.package}"


class OriginSource(_Section):
    """An `https` address of the project the asset comes from."""

    https: str = Field(pattern=r"^https://")
    """Address of the file; ending in `/`, of the folder that the files' paths start from."""
    unpack: str | None = None
    """The address is a zip archive; this folder of it, ending in `/`, holds the files."""

    def address(self, file: AssetFile) -> str:
        """Return the address of `file`."""
        return self.https + file.path if self.https.endswith("/") else self.https

    def __str__(self) -> str:
        return self.https


Source = PackageSource | OriginSource


class AssetFile(_Section):
    """One file of an asset."""

    path: Annotated[str, AfterValidator(_inside)]
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")
    """`None`: recorded when first fetched, and held to from then on."""
    size: int | None = Field(None, ge=0)
    sources: tuple[Source, ...] = ()
    """In order of trial; those of the asset where empty."""


class Asset(_Section):
    """A file, or a folder of files, that is fetched and verified as one."""

    about: str
    licence: str
    files: tuple[AssetFile, ...] = ()
    """Empty where only an archive's origin is known, and not what is inside."""
    sources: tuple[Source, ...] = ()
    optional: str | None = None
    """Why emostream runs without it."""

    @property
    def size(self) -> int | None:
        """Bytes of all files, if known."""
        sizes = [file.size for file in self.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None

    @model_validator(mode="after")
    def _has_sources(self) -> Asset:
        if not self.files and not any(isinstance(s, OriginSource) and s.unpack for s in self.sources):
            raise ValueError("an asset without a list of files needs an archive to unpack")
        if not self.sources and not all(file.sources for file in self.files):
            raise ValueError("a file has no source")
        return self


class Manifest(_Section):
    """All assets by name, and the groups that are fetched together."""

    groups: dict[str, tuple[str, ...]]
    assets: dict[str, Asset]

    @model_validator(mode="after")
    def _groups_name_assets(self) -> Manifest:
        for group, names in self.groups.items():
            for name in names:
                if name not in self.assets:
                    raise ValueError(f"group {group!r} names {name!r}, which is no asset")
        return self


def load_manifest() -> Manifest:
    """Return the manifest.

    Raises:
        pydantic.ValidationError: it is malformed.
    """
    return _load(MANIFEST)


@lru_cache
def _load(path: Path) -> Manifest:
    return Manifest.model_validate(YAML(typ="safe").load(path))
