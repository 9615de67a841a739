from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
RUSSIAN = "".join(map(chr, range(ord("А"), ord("я") + 1))) + "Ёё"
SIGNS = "0123456789«»„“”’№§–—…\u00a0\u202f°·≤≥≠≈×÷±−′″⅓½αβ→←%‰€£"


def read_manifest() -> dict[str, str]:
    rows = [line.split("|") for line in (VENDOR / "MANIFEST.md").read_text(encoding="utf-8").splitlines()]
    return {cells[1].strip(): cells[6].strip(" `") for cells in rows if len(cells) == 8 and "`" in cells[6]}


def list_fonts(suffix: str) -> list[Path]:
    return sorted(VENDOR.rglob(f"*{suffix}"))


def test_every_listed_file_has_its_hash_and_nothing_unlisted_lies_there() -> None:
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "MANIFEST.md"
    }
    assert found == read_manifest()


def test_every_package_folder_holds_its_licence() -> None:
    folders = [path for path in VENDOR.iterdir() if path.is_dir()]
    assert len(folders) == 6
    assert all(any((folder / name).is_file() for name in ("LICENSE", "OFL.txt")) for folder in folders)


def test_the_vendored_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in VENDOR.rglob("*") if path.is_file()) < 4_000_000


@pytest.mark.parametrize("path", list_fonts(".ttf"), ids=lambda path: path.stem)
def test_pdf_fonts_are_static_and_may_be_embedded(path: Path) -> None:
    with TTFont(path) as font:
        assert "fvar" not in font
        assert font["OS/2"].fsType == 0


@pytest.mark.parametrize("path", list_fonts(".ttf") + list_fonts(".woff2"), ids=lambda path: path.name)
def test_fonts_hold_russian_letters_and_the_signs_of_a_report_with_tabular_figures(path: Path) -> None:
    with TTFont(path) as font:
        glyphs = font.getBestCmap()
        assert [sign for sign in RUSSIAN + SIGNS if ord(sign) not in glyphs] == []
        widths = [font["hmtx"][glyphs[ord(digit)]][0] for digit in "0123456789"]
        assert max(widths) - min(widths) <= 1  # of 1000 to the em: an instance of a variable font is rounded


@pytest.mark.parametrize("path", list_fonts(".woff2"), ids=lambda path: path.name)
def test_web_subsets_do_not_carry_the_reserved_font_name(path: Path) -> None:
    with TTFont(path) as font:
        names = {record.nameID: record.toUnicode() for record in font["name"].names}
    assert not [names[name_id] for name_id in (1, 4, 6, 16) if "Source" in names.get(name_id, "")]


def test_style_sheets_ask_for_no_source_map() -> None:
    assert not [path for path in VENDOR.rglob("*.css") if b"sourceMappingURL" in path.read_bytes()]
