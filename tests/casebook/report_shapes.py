"""The shapes of results that the tests of reports, pages and sentences go through, and what they are made of."""

from __future__ import annotations

from typing import Any

from ensemble.protocol import Message, Purpose
from ensemble.stats.sequential import PrecisionPlan

ANSWERS = {
    "error": (
        "Yes. You can claim the bereavement refund within 90 days after your trip by filling in the form online.",
        "Yes, you may apply for the reduced fare after travel.",
        "Yes! Simply send us the ticket and the death certificate once you are back home.",
    ),
    "no error": (
        "No. The bereavement fare must be requested before you travel.",
        "No, refunds are not possible once the trip is completed.",
        "No. Please contact us before your flight to ask for the bereavement fare.",
    ),
    "unclear": ("It depends on the circumstances of your journey.",),
    "refused": ("I'm sorry, I can't help with that.",),
}
PROMPT = (
    Message(role="system", content="You are the support assistant of an airline. Be brief."),
    Message(
        role="user",
        content="My grandmother died. Can I claim the bereavement refund after the trip? Answer yes or no first.",
    ),
)
RUSSIAN_PROMPT = (Message(role="user", content="Можно ли получить возврат после поездки?"),)
PLAN = PrecisionPlan(
    half_width=0.05,
    level=0.95,
    check_every=1,
    min_runs=10,
    alpha=0.0382,
    min_coverage=0.95,
    min_coverage_at=0.12,
    max_runs=472,
)
FIXED = "fixed"
ANYTIME = "anytime"
DETECTOR = {
    "kind": "text",
    "match": "starts with",
    "error_phrases": ["yes"],
    "correct_phrases": ["no"],
    "otherwise": "unclear",
    "ignore_case": True,
    "fold_yo": True,
    "whole_words": True,
}
NUMBER_DETECTOR = {
    "kind": "number",
    "rule": "differs",
    "truth": "495",
    "disputed": "594",
    "tolerance": "0.5",
    "tolerance_kind": "absolute",
    "pick": "last",
    "decimal_mark": "auto",
    "unit": "",
}
IDENTITY = {
    "name": "SmolLM2-135M-Instruct",
    "digest": "5e2f1c3ab07d" + "0" * 52,
    "family": "llama",
    "parameter_size": "135M",
    "quantisation": "Q8_0",
    "template_sha256": "ab" * 32,
    "context_length": 8192,
    "licence": "apache-2.0",
    "server": "llama.cpp b6789",
    "hardware": "2 CPU cores",
}
TWELVE = (19, 18, 20, 14, 1, 20, 16, 7, 20, 19, 12, 17)  # errors in twenty runs of each paraphrase
SHAPES: dict[str, dict[str, Any]] = {
    "middle": {"counts": {"error": 87, "no error": 204, "refused": 5, "unclear": 4}},
    "zero": {"counts": {"no error": 100}, "differing": 0},
    "all": {"counts": {"error": 60}},
    "precision": {"rule": "precision", "counts": {}, "share": 0.13},
    "anytime": {"rule": ANYTIME, "counts": {"error": 31, "no error": 69}},
    "anytime more": {"rule": ANYTIME, "threshold": "0.2", "counts": {"error": 22, "no error": 24}},
    "anytime less": {"rule": ANYTIME, "threshold": "0.05", "counts": {"no error": 74}},
    "anytime narrow": {"rule": ANYTIME, "half_width": "0.2", "counts": {"error": 31, "no error": 30}},
    "anytime narrow or less": {
        "rule": ANYTIME,
        "threshold": "0.3",
        "half_width": "0.15",
        "counts": {"error": 5, "no error": 69},
    },
    "anytime undecided": {"rule": ANYTIME, "threshold": "0.3", "counts": {"error": 31, "no error": 69}},
    "cancelled": {
        "counts": {"error": 9, "no error": 31, "unclear": 6},
        "stop": "",
        "ended_as": "cancelled",
        "reason": "The endpoint was needed for another case.",
        "checks": 1,
    },
    "failed": {
        "counts": {"no error": 17},
        "stop": "failed",
        "ended_as": "failed",
        "reason": "The endpoint answered HTTP 500 four times.",
    },
    "limit": {
        "counts": {"error": 40, "no error": 20, "unclear": 540},
        "stop": "limit",
        "reason": "600 runs were made, 540 of them without a label",
    },
    "identity": {
        "counts": {"error": 12},
        "stop": "identity",
        "ended_as": "failed",
        "last_identity": {**IDENTITY, "digest": "77" * 32},
    },
    "deterministic": {"counts": {"error": 20, "refused": 1}, "temperatures": ("0",)},
    "two arms": {
        "counts": {"error": 30, "no error": 70},
        "temperatures": ("0.8", "0"),
        "answers": {**ANSWERS, "no error": tuple(f"No. Reason {n}." for n in range(12))},
    },
    "three arms": {
        "counts": {"error": 43, "no error": 57},
        "each": (
            {"answers": {**ANSWERS, "no error": tuple(f"No. Reason {n}." for n in range(57))}},
            {"counts": {"error": 19, "no error": 81}},
            {"counts": {"error": 48, "no error": 52}},
        ),
        "temperatures": ("0.8", "0.4", "1.2"),
    },
    "three arms, cancelled": {
        "counts": {"error": 43, "no error": 57},
        "each": ({}, {"counts": {"error": 7, "no error": 81}}, {"counts": {"unclear": 3}}),
        "temperatures": ("0.8", "0.4", "1.2"),
        "stop": "",
        "ended_as": "cancelled",
    },
    "interval and test disagree": {
        "counts": {"error": 40, "no error": 60},
        "each": ({}, {"counts": {"error": 26, "no error": 74}}, {"counts": {"error": 41, "no error": 59}}),
        "temperatures": ("0.8", "0.4", "1.2"),
    },
    "paraphrases": {
        "counts": {"error": 43, "no error": 57},
        "purposes": (Purpose.PARAPHRASE,) * len(TWELVE),
        "each": ({}, *({"counts": {"error": count, "no error": 20 - count}} for count in TWELVE)),
    },
    "two paraphrases, cut short": {
        "counts": {"error": 43, "no error": 57},
        "purposes": (Purpose.PARAPHRASE,) * 2,
        "each": ({}, {"counts": {"error": 7, "no error": 13}}, {"counts": {"error": 3}, "stop": "failed"}),
        "ended_as": "failed",
    },
    "three days and a control": {
        "counts": {"error": 12, "no error": 8},
        "purposes": (Purpose.DAY, Purpose.DAY, *(Purpose.CONTROL,) * 3),
        "each": (
            {},
            {"counts": {"error": 8, "no error": 12}},
            {"counts": {"error": 10, "no error": 10}},
            {"counts": {"no error": 20}},
            {"counts": {"error": 3, "no error": 17}},
            {"counts": {"error": 20}},
        ),
    },
    "six days": {
        "counts": {"error": 12, "no error": 8},
        "purposes": (Purpose.DAY,) * 5,
        "each": ({}, *({"counts": {"error": count, "no error": 20 - count}} for count in TWELVE[:5])),
    },
    "two paraphrases and two days, the model changed": {
        "counts": {"error": 12, "no error": 8},
        "purposes": (*(Purpose.PARAPHRASE,) * 2, Purpose.DAY),
        "model_changed": True,
    },
    "two days that are one": {
        "counts": {"error": 12, "no error": 8},
        "purposes": (Purpose.DAY,),
        "each": ({}, {"counts": {"error": 8, "no error": 12}}),
        "same_day": True,
    },
    "six days, one of them given up": {
        "counts": {"error": 12, "no error": 8},
        "purposes": (Purpose.DAY,) * 6,
        "each": (
            {},
            *({"counts": {"error": count, "no error": 20 - count}} for count in TWELVE[:5]),
            {"counts": {}, "stop": "skipped"},
        ),
    },
    "a day without the first": {
        "counts": {"unclear": 20},
        "purposes": (Purpose.DAY,),
        "each": ({"stop": "limit"}, {"counts": {"error": 3, "no error": 17}}),
    },
    "a paraphrase and a day, cut short": {
        "counts": {"error": 12, "no error": 8},
        "purposes": (Purpose.PARAPHRASE, Purpose.DAY),
        "each": ({}, {"counts": {"error": 3, "no error": 17}}, {"counts": {"error": 3}, "stop": "failed"}),
        "ended_as": "failed",
    },
    "drift": {"counts": {"error": 42, "no error": 58}, "in_order": True},
    "nothing labelled": {"counts": {"unclear": 25}, "stop": "limit"},
    "no runs": {
        "counts": {},
        "stop": "",
        "ended_as": "cancelled",
        "identity": {"first": None, "last": None, "checks": 0, "changed": False},
    },
    "test failed": {"counts": {"error": 4, "no error": 9}, "stop": "", "ended_as": "failed"},
    "long": {
        "counts": {"error": 200, "no error": 380, "refused": 20},
        "answers": {**ANSWERS, "no error": tuple(f"No. Answer number {n}." for n in range(60))},
        "duplicate_seeds": 1,
        "identity": {"first": None, "last": None, "checks": 4, "changed": False},
    },
    "number": {"counts": {"error": 45, "no error": 5}, "detector": NUMBER_DETECTOR},
    "endpoint": {"counts": {"error": 6, "no error": 14}, "backend": "ollama", "model": "qwen2.5:7b"},
    "scripted": {"counts": {"error": 6, "no error": 14}, "backend": "scripted", "model": "scripted"},
    "Russian prompt": {"counts": {"error": 6, "no error": 14}, "messages": RUSSIAN_PROMPT},
}
HOSTILE = (
    "<script>alert(1)</script><img src=https://evil.example/x.png onerror=alert(2)> {{ view }} "
    '{% now %} &amp; "quoted"'
)
ODD = (
    "NUL \x00, bell \x07, escape \x1b[31m, right-to-left \u202etxet desrever\u202c, zero\u200bwidth, "
    "lone \ud800 half, \u2028 separator, arabic \u0633\u0644\u0627\u0645 and hebrew \u05e9\u05dc\u05d5\u05dd, "
    "chinese \u4f60\u597d, smile \U0001f600, brain \U0001f9e0, private \ue000, e" + "\u0301" * 40 + " end"
)
LONG_WORD = "W" * 1_000_000
