"""What tells that a model wrote no paraphrase: words of its instruction in the answer, or none of the question's."""

from __future__ import annotations

import re

from ensemble.detectors.normalise import normalise_text

ECHOED_WORDS = 5  # so many words of the instruction in a row are no accident
STEM = 4  # letters by which two forms of a word are known: claim, claimed; поездки, поездкой
LEAST_LETTERS = 3
# Scripts whose words are parted by spaces; of others nothing is said.
_WORDS = re.compile("[^\\W_\u0e00-\U0010ffff]+")
# Words that any two questions may share.
_IDLE_WORDS = """
    about after all also and any are because been before being both but can could did does don down each every for
    from had has have having her here him his how into its just like may might more most much must not now off once one
    only other our out over own same shall she should some such than that the their them then there these they this
    those through too under until use used very want was were what when where which while who whom whose why will with
    would yes you your
    без был была были было быть вам вас весь вот все где для его если есть еще или как какая какие какой когда кто
    ли лишь меня мне мной может можно мои мой моя надо наш нет них однако она они оно при про раз сам свой себя так
    также такой там тебя тем того тоже только тот три тут уже хотя чего чем что чтобы эта эти это этот
"""
_IDLE = frozenset(_IDLE_WORDS.split())


def echoes_instruction(text: str, *, boundary: str, instruction: str, prompt: str) -> bool:
    """Whether `text` holds the mark of the boundary, or words of the instruction in a row that the prompt has not."""
    if boundary in text.casefold():
        return True
    return bool(_list_rows(text) & _list_rows(instruction) - _list_rows(prompt))


def shares_content(text: str, prompt: str) -> bool:
    """Whether a word of the prompt that carries meaning, or a number, recurs in some form; True if it has none."""
    sought = _list_stems(prompt)
    return not sought or bool(sought & _list_stems(text))


def _list_words(text: str) -> list[str]:
    return _WORDS.findall(normalise_text(text))


def _list_rows(text: str) -> set[tuple[str, ...]]:
    words = _list_words(text)
    return {tuple(words[at : at + ECHOED_WORDS]) for at in range(len(words) - ECHOED_WORDS + 1)}


def _list_stems(text: str) -> set[str]:
    words = (word for word in _list_words(text) if word not in _IDLE)
    return {word[:STEM] for word in words if len(word) >= LEAST_LETTERS or word.isdigit()}
