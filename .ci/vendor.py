"""Fetch the front-end files of static/vendor from their npm packages, cut the web fonts, write MANIFEST.md.

Run by hand when a version changes: `.venv/bin/python .ci/vendor.py`. Needs npm, and fontTools with Brotli,
which WeasyPrint brings along. Same versions in, same bytes out: a second run changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

from fontTools import subset
from fontTools.ttLib import TTFont

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"

# What a page of ours can need: Latin with its extensions, combining marks, Greek for formulas, all Cyrillic,
# punctuation, superscripts, currency, fractions, arrows, mathematics, shapes, ticks, ligatures.
WEB_RANGES = (
    *((0x20, 0x24F), (0x2B0, 0x36F), (0x370, 0x3FF), (0x400, 0x52F)),
    *((0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20BF), (0x2100, 0x218F)),
    *(
        (0x2190, 0x21FF),
        (0x2200, 0x22FF),
        (0x25A0, 0x25FF),
        (0x2610, 0x2612),
        (0x2713, 0x2718),
        (0xFB01, 0xFB02),
    ),
)
WEB_FEATURES = [
    *("kern", "mark", "mkmk", "ccmp", "locl", "liga", "calt"),
    *("lnum", "onum", "pnum", "tnum", "frac", "sups", "case", "smcp", "c2sc", "zero"),
]


class Package(NamedTuple):
    name: str
    version: str
    folder: str
    licence: str
    files: dict[str, str]
    web_family: str = ""


def list_faces(prefix: str, *faces: str) -> dict[str, str]:
    """Map the TTFs of a font package ("400Regular_Italic") to the names they get here."""
    fonts = {f"{face}/{prefix}_{face}.ttf": f"{prefix}_{face}.ttf" for face in faces}
    return {**fonts, "LICENSE_FONT": "OFL.txt"}


PACKAGES = (
    Package(
        name="bootstrap",
        version="5.3.9",
        folder="bootstrap",
        licence="MIT",
        files={"dist/css/bootstrap.min.css": "bootstrap.min.css", "LICENSE": "LICENSE"},
    ),
    Package(
        name="htmx.org",
        version="2.0.11",
        folder="htmx",
        licence="0BSD",
        files={"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE"},
    ),
    Package(
        name="@expo-google-fonts/source-serif-4",
        version="0.4.1",
        folder="source-serif-4",
        licence="OFL-1.1",
        files=list_faces(
            "SourceSerif4", "400Regular", "400Regular_Italic", "600SemiBold", "600SemiBold_Italic"
        ),
        web_family="Casebook Serif",
    ),
    Package(
        name="@expo-google-fonts/source-sans-3",
        version="0.4.1",
        folder="source-sans-3",
        licence="OFL-1.1",
        files=list_faces("SourceSans3", "400Regular", "400Regular_Italic", "600SemiBold"),
        web_family="Casebook Sans",
    ),
    Package(
        name="@expo-google-fonts/source-code-pro",
        version="0.4.1",
        folder="source-code-pro",
        licence="OFL-1.1",
        files=list_faces("SourceCodePro", "400Regular"),
        web_family="Casebook Mono",
    ),
    # What the three above lack, for quoted answers in a report: Arabic, Hebrew, Armenian, Georgian, symbols.
    Package(
        name="dejavu-fonts-ttf",
        version="2.37.3",
        folder="dejavu-sans",
        licence="Bitstream-Vera",
        files={"ttf/DejaVuSans.ttf": "DejaVuSans.ttf", "LICENSE": "LICENSE"},
    ),
)


def main() -> None:
    rows: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            rows += vendor_package(package, Path(scratch))
    text = MANIFEST_HEAD + "\n".join(rows) + "\n"
    (VENDOR / "MANIFEST.md").write_text(text, encoding="utf-8")


def vendor_package(package: Package, scratch: Path) -> list[str]:
    """Put the package's files into its folder; return their rows of the manifest."""
    spec = f"{package.name}@{package.version}"
    npm = ["npm", "pack", "--json", spec]
    packed = subprocess.run(npm, cwd=scratch, check=True, capture_output=True)  # noqa: S603
    answer = json.loads(packed.stdout)
    filename = (answer[0] if isinstance(answer, list) else next(iter(answer.values())))["filename"]
    target = VENDOR / package.folder
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    rows = []
    with tarfile.open(scratch / filename) as archive:
        for source, name in package.files.items():
            member = archive.extractfile(f"package/{source}")
            assert member is not None, source
            content = member.read()
            note = ""
            if name.endswith(".css"):
                content, note = drop_source_map(content), ", without its source map line"
            (target / name).write_bytes(content)
            rows.append(describe_file(package, target / name, f"`{source}`{note}"))
            if name.endswith(".ttf") and package.web_family:
                web = cut_web_font(target / name, package.web_family)
                rows.append(describe_file(package, web, f"subset of `{name}`, renamed as its licence asks"))
    return rows


def drop_source_map(css: bytes) -> bytes:
    """Storages with hashed names look for every file a style sheet names; the map is not shipped."""
    return css.split(b"/*# sourceMappingURL=")[0].rstrip() + b"\n"


def cut_web_font(ttf: Path, family: str) -> Path:
    """Write the WOFF2 subset of a TTF beside it, renamed: "Source" is a reserved font name."""
    face = ttf.stem.split("_", 1)[1]
    target = ttf.with_name(f"{family.replace(' ', '')}_{face}.woff2")
    options = subset.Options(layout_features=WEB_FEATURES, flavor="woff2", notdef_outline=True, hinting=False)
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14, 16, 17]
    with TTFont(ttf, recalcTimestamp=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=[code for low, high in WEB_RANGES for code in range(low, high + 1)])
        cutter.subset(font)
        for name_id, value in {1: family, 4: f"{family} {face}", 6: target.stem, 16: family}.items():
            for record in [r for r in font["name"].names if r.nameID == name_id]:
                record.string = value
        subset.save_font(font, str(target), options)
    return target


def describe_file(package: Package, path: Path, origin: str) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    name = path.relative_to(VENDOR).as_posix()
    return f"| {name} | {package.name} | {package.version} | {package.licence} | {origin} | `{digest}` |"


MANIFEST_HEAD = """# Vendored front-end files

Written by `.ci/vendor.py`; `tests/test_vendor.py` compares every file with its hash. The full TrueType files
are for the PDF, the WOFF2 subsets for the pages. The licence text of each package lies in its folder.

| file | npm package | version | licence | from | SHA-256 |
|---|---|---|---|---|---|
"""

if __name__ == "__main__":
    main()
