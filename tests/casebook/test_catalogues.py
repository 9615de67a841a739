from __future__ import annotations

from pathlib import Path

import polib
import pytest
from django.core.exceptions import ValidationError
from django.forms import IntegerField
from django.utils import translation

from casebook.catalogues import Message, collect_messages, find_problems

PYTHON = """
from django.utils.translation import gettext as _, gettext_lazy, ngettext, pgettext
_("plain")
gettext_lazy("joined " "text")
ngettext("%(n)s run", "%(n)s runs", n) % {"n": n}
pgettext("month", "May")
_(variable)
ordinary("not for people")
"""
TEMPLATE = """
{% translate "titled" %} {{ _("constant") }} {# {% translate "commented" %} #}
{% blocktranslate trimmed with name=case.title %}
  Case
  {{ name }}
{% endblocktranslate %}
{% blocktranslate count n=runs %}one run{% plural %}{{ n }} runs{% endblocktranslate %}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("casebook", "ensemble", "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "casebook" / "pages.py").write_text(PYTHON)
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    return tmp_path


def write_catalogue(folder: Path, **changed: str) -> None:
    catalogue = polib.POFile()
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    texts = {"run": "прогон", "%(n)s left": "осталось %(n)s"} | changed
    catalogue.extend(polib.POEntry(msgid=text, msgstr=translation) for text, translation in texts.items())
    catalogue.save(str(folder / "django.po"))
    catalogue.save_as_mofile(str(folder / "django.mo"))


WANTED = {Message("", "run", ""): "page.html", Message("", "%(n)s left", ""): "page.html"}


def test_texts_of_python_and_templates_are_found(project: Path) -> None:
    assert set(collect_messages(project)) == {
        Message("", "plain", ""),
        Message("", "joined text", ""),
        Message("", "%(n)s run", "%(n)s runs"),
        Message("month", "May", ""),
        Message("", "titled", ""),
        Message("", "constant", ""),
        Message("", "Case %(name)s", ""),
        Message("", "one run", "%(n)s runs"),
    }


def test_a_complete_catalogue_has_no_problems(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    assert find_problems(WANTED, tmp_path) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"run": ""}, "not translated: 'run'"),
        ({"%(n)s left": "осталось"}, "placeholders differ from the original's: '%(n)s left'"),
        ({"gone": "ушло"}, "no source has this text any more: 'gone'"),
    ],
)
def test_what_is_wrong_with_a_translation_is_named(
    changed: dict[str, str], problem: str, tmp_path: Path
) -> None:
    write_catalogue(tmp_path, **changed)
    assert find_problems(WANTED, tmp_path) == [problem]


def test_a_text_without_an_entry_is_named_with_its_place(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    assert find_problems(WANTED | {Message("", "new", ""): "casebook/a.py:3"}, tmp_path) == [
        "casebook/a.py:3: not in the catalogue: 'new'"
    ]


def test_a_catalogue_that_was_edited_after_compiling_is_noticed(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    file = tmp_path / "django.po"
    file.write_text(file.read_text().replace("прогон", "пробег"))
    assert find_problems(WANTED, tmp_path) == ["django.mo does not match django.po: run `make messages`"]


def test_our_catalogue_words_the_limits_of_a_field_instead_of_that_of_django() -> None:
    with translation.override("ru"):
        with pytest.raises(ValidationError, match=r"Укажите число не меньше 1\."):
            IntegerField(min_value=1).clean("0")
        with pytest.raises(ValidationError, match=r"Укажите число не больше 5\."):
            IntegerField(max_value=5).clean("6")
