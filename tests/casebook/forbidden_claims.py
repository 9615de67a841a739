"""Claims that no sentence may make, as patterns in both languages, with what each of them has to catch.

The numbers are those of the list “Limitations, and claims that must not be made” in every report.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Claim:
    """`caught` are claims of this kind: each must match one of the patterns, and each pattern one of them."""

    number: int
    language: str
    patterns: tuple[str, ...]
    caught: tuple[str, ...]


CLAIMS = (
    Claim(
        number=1,
        language="en",
        patterns=(
            r"\b(on|at) (the|that) (day|date|time) of the (incident|dispute)",
            r"\b(model|product|system) (gave|would have given|did give|behaved|answered wrongly)\b",
        ),
        caught=("On the day of the incident the share was 30%.", "The product gave the wrong answer."),
    ),
    Claim(
        number=1,
        language="ru",
        patterns=(
            r"\bв (день|момент) (инцидента|происшествия|спора)",
            r"\b(модель|продукт|система) (дал|повела|повёл|ответил)\w*",
        ),
        caught=("В день инцидента доля была 30 %.", "Модель ответила неверно."),
    ),
    Claim(
        number=2,
        language="en",
        patterns=(
            r"\b(can ?not|can’t|can't|could not|will not|will never|never) (happen|occur|recur|come back)",
            r"\b(always|invariably|inevitably|every time|certainly|surely)\b",
            r"\b(proves?|proven|proof|demonstrates?|establishe[sd]|rules? out)\b",
        ),
        caught=(
            "The error cannot happen.",
            "The error always happens.",
            "0 of 100 proves that there is no error.",
            "The error will never recur.",
        ),
    ),
    Claim(
        number=2,
        language="ru",
        patterns=(
            r"не (может|могла|могло|сможет) (произойти|возникнуть|повториться|случиться|быть)",
            r"\b(невозможн|исключен[аоы]?\b|всегда|неизбежно|никогда(?! не больше)|несомненно|безусловно)",
            r"\bкаждый раз\b[^.;]{0,30}\b(ошиб|ошиба|повтор)\w*|\b(ошиб|повтор)\w*[^.;]{0,30}\bкаждый раз\b(?!: в)",
            r"\bдоказ(ыва|ан|ательств|ал)\w*",
        ),
        caught=(
            "Ошибка не может произойти.",
            "Ошибка происходит всегда.",
            "Это доказывает, что ошибки нет.",
            "Повторение ошибки невозможно.",
            "Ошибка повторяется каждый раз.",
        ),
    ),
    Claim(
        number=3,
        language="en",
        patterns=(
            r"\bconfirm(s|ed|ation|ations|ing)?\b",
            r"\bcorroborat\w+",
            r"\bindependently (repeated|verified)\b",
        ),
        caught=(
            "Twenty repeats confirm the error.",
            "The repeats corroborate it.",
            "It was independently verified by repeating the seed.",
        ),
    ),
    Claim(
        number=3,
        language="ru",
        patterns=(r"\bподтвержд(а|ён|ен)\w*", r"\bнезависим\w+ (повтор|проверк)\w*"),
        caught=("Повторы подтверждают ошибку.", "Это независимые повторы."),
    ),
    Claim(
        number=4,
        language="en",
        patterns=(
            r"\b(probability|probable|likely|likelihood|chance)\b[^.;]{0,60}\b(defect|fault|defective)\b",
            r"\bdefect\b[^.;]{0,40}\b(probable|likely)\b",
            r"\b(probability|chance)\b[^.;]{0,30}\bthat the (true )?(share|rate)\b",
            r"\b\d+(\.\d+)?\s?% (sure|certain|probability)\b",
        ),
        caught=(
            "The probability that the defect exists is 95%.",
            "The defect is 20 times more likely.",
            "With a probability of 95%, that the true share is over 10% follows.",
            "We are 95% sure.",
        ),
    ),
    Claim(
        number=4,
        language="ru",
        patterns=(
            r"\bвероятност\w+[^.;]{0,60}\b(дефект|недостат|неисправн)\w*",
            r"\bвероятност\w+[^.;]{0,30}\bчто (истинная )?доля\b",
            r"\b\d+(,\d+)?\s?% (уверен|вероятност)",
        ),
        caught=(
            "Вероятность наличия недостатка равна 95 %.",
            "Вероятность того, что истинная доля больше 10 %, равна 95 %.",
            "Мы на 95 % уверены.",
        ),
    ),
    Claim(
        number=5,
        language="en",
        patterns=(
            r"\b(product|model|system|assistant|chatbot|AI) (errs|fails|is wrong|makes mistakes|is unreliable)\b",
            r"\b(error rate|accuracy|reliability) of (the|this) (product|model|system|assistant)",
            r"\b(in general|overall|all (prompts|models|users|products)|any (prompt|model))\b",
        ),
        caught=(
            "The product errs in 30% of cases.",
            "The error rate of the model is 30%.",
            "The same holds for all models.",
        ),
    ),
    Claim(
        number=5,
        language="ru",
        patterns=(
            r"\b(продукт|модель|система|помощник|нейросеть) (ошиба|неверн|ненадёжн|даёт сбо)\w*",
            r"\b(частот|дол)\w+ ошибок (продукта|модели|системы|помощника)",
            r"\b(в целом|вообще|все(х|ми)? (модел|запрос|продукт)\w*|люб(ой|ая|ого) (модел|запрос)\w*)",
        ),
        caught=(
            "Продукт ошибается в 30 % случаев.",
            "Доля ошибок модели равна 30 %.",
            "То же верно для всех моделей.",
        ),
    ),
    Claim(
        number=6,
        language="en",
        patterns=(
            r"\bcaus(e|es|ed|ation|al)\b",
            r"\b(liable|liability|negligen\w+|breach\w*|at fault|blame\w*|careless\w*|reckless\w*)\b",
            r"\b(standard of care|duty of care|due care|should have)\b",
        ),
        caught=(
            "The error caused the harm.",
            "The provider is liable.",
            "The provider should have warned.",
        ),
    ),
    Claim(
        number=6,
        language="ru",
        patterns=(
            r"\bпричин(а|ой|ил|ён|ен|енн)\w*\b",
            r"\b(ответственност|виновн|вина|вины|небрежн|неосторожн|халатн|противоправн)\w*",
            r"\b(долж(ен|на|но|ны) был[аио]?|обязан[аоы]? был[аио]?|надлежащ)\w*",
        ),
        caught=(
            "Ошибка причинила вред.",
            "Ответственность несёт поставщик.",
            "Поставщик должен был предупредить.",
        ),
    ),
    Claim(
        number=7,
        language="en",
        patterns=(
            r"\b(exact|actual|real) (share|rate|frequency)\b",
            r"\bthe (share|rate) is (exactly|precisely)\b",
        ),
        caught=("This is the exact rate.", "The share is exactly 30%."),
    ),
    Claim(
        number=7,
        language="ru",
        patterns=(r"\b(точная|фактическая|реальная) (доля|частота)", r"\bдоля (в точности|ровно) "),
        caught=("Это точная доля ошибок.", "Доля в точности равна 30 %."),
    ),
    Claim(
        number=8,
        language="en",
        patterns=(
            r"\boverlap\w*",
            r"\b(better|worse|superior|inferior|safer) (than|to)\b",
            r"\b(mitigat\w+|prevents?|prevented|improves?|improved|reduce[sd]?) (the )?(error|harm)",
        ),
        caught=(
            "The intervals do not overlap.",
            "Arm 2 is better than arm 1.",
            "The notice reduces the error.",
        ),
    ),
    Claim(
        number=8,
        language="ru",
        patterns=(
            r"\bпересека\w+",
            r"\b(лучше|хуже|безопаснее|превосходит|эффективнее)\b",
            r"\b(устраня|предотвраща|снижа|уменьша)\w+ (ошибк|вред)\w*",
        ),
        caught=(
            "Интервалы не пересекаются.",
            "Условие 2 лучше условия 1.",
            "Уведомление снижает ошибки.",
        ),
    ),
    Claim(
        number=9,
        language="en",
        patterns=(
            r"\b(same|identical) (conditions|circumstances)\b",
            r"\bas (they|it) (were|was) (then|that day)\b",
        ),
        caught=("It was run under the same conditions.", "The settings are as they were then."),
    ),
    Claim(
        number=9,
        language="ru",
        patterns=(
            r"\b(тех|те|одинаков\w+|тождественн\w+) же услови\w*|\bтождественн\w+ услови\w*",
            r"\bкак тогда\b",
        ),
        caught=("Испытание проведено в тех же условиях.", "Настройки такие, как тогда."),
    ),
    Claim(
        number=10,
        language="en",
        patterns=(r"\b(nothing else|no other test|no other run)\b", r"\bthe only (test|arm)\b"),
        caught=("Nothing else was run.", "It is the only test."),
    ),
    Claim(
        number=10,
        language="ru",
        patterns=(
            r"\b(больше ничего|других (испытаний|прогонов) не)\b",
            r"\bединственн\w+ (испытани|услови)\w*",
        ),
        caught=("Других прогонов не было.", "Это единственное испытание."),
    ),
)

# Words with which a sentence denies a claim. Nothing else in a sentence may look like one.
DENIALS = {
    "en": (
        "It does not show that the error cannot happen",
        "that is not proof that there is none",
        "It is not the probability that the share is over the threshold",
    ),
    "ru": (
        "Это не доказывает, что ошибка невозможна",
        "это не доказывает, что его нет",
        "Это не вероятность того, что доля выше порога",
    ),
}


def find_claims(text: str, language: str) -> list[str]:
    """What in a text looks like a claim that must not be made, denials left out."""
    for denial in DENIALS[language]:
        text = text.replace(denial, "…")
    return [
        f"{claim.number}: {found[0]}"
        for claim in CLAIMS
        if claim.language == language
        for pattern in claim.patterns
        if (found := re.search(pattern, text, re.IGNORECASE))
    ]
