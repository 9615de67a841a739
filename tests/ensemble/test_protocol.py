from __future__ import annotations

import json
from decimal import Decimal

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ensemble.protocol import (
    Arm,
    Message,
    Protocol,
    Purpose,
    SaltedText,
    Sampling,
    StoppingRule,
    audit_indexes,
    canonical_json,
    decimal_text,
    derive_seed,
    encode_text,
    salted_sha256,
    sha256_hex,
)

EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ascii_keys = st.text(st.characters(max_codepoint=127), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_keys, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("arm", "index", "seed"), [(0, 0, 2045362864), (0, 1, 1879875103), (0, 2, 218863255), (1, 0, 583424102)]
)
def test_seeds_follow_from_the_protocol_hash(arm: int, index: int, seed: int) -> None:
    assert derive_seed(EMPTY_SHA256, arm, index) == seed


@given(json_values)
def test_canonical_json_is_rfc_8785(value: object) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0.5, [1, 2.0], {"a": float("nan")}])
def test_canonical_json_refuses_floats(value: object) -> None:
    with pytest.raises(TypeError, match="floats"):
        canonical_json(value)


def test_canonical_json_refuses_keys_beyond_ascii() -> None:
    with pytest.raises(TypeError, match="ASCII"):
        canonical_json({"ключ": 1})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.80"), "0.8"),
        (Decimal("1E+2"), "100"),
        (Decimal("-0.0"), "0"),
        (1e-07, "0.0000001"),
        (Decimal("0.03819986979166670000000000000000001"), "0.03819986979166670000000000000000001"),
        (40, "40"),
    ],
)
def test_a_decimal_has_one_plain_form(value: Decimal | float | int, text: str) -> None:
    assert decimal_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_plain_form_of_a_float_gives_the_float_back(value: float) -> None:
    assert float(decimal_text(value)) == value


def test_a_salted_hash_is_over_the_salt_and_then_the_bytes() -> None:
    text = SaltedText(text="да\ud800", salt=b"0123456789abcdef")
    assert text.sha256 == sha256_hex(b"0123456789abcdef" + encode_text("да\ud800"))
    assert text.sha256 == salted_sha256(text.salt, encode_text(text.text))


def test_the_audit_chooses_distinct_indexes_that_count() -> None:
    chosen = audit_indexes(EMPTY_SHA256, 0, 200, 20)
    assert len(set(chosen)) == 20
    assert chosen == sorted(chosen)
    assert set(chosen) <= set(range(200))
    assert chosen != audit_indexes(EMPTY_SHA256, 1, 200, 20)


def example_protocol(rule: StoppingRule) -> Protocol:
    arm = Arm(
        name="as recorded",
        purpose=Purpose.PRIMARY,
        endpoint="Ollama",
        backend="ollama",
        model="llama3.2",
        messages=(Message(role="system", content="Be short."), Message(role="user", content="Who?")),
        sampling=Sampling(temperature=Decimal("0.7"), stop=("\n",)),
    )
    return Protocol(
        arms=(arm,),
        detector={"kind": "text"},
        refusal_phrases=("I cannot",),
        stopping=rule,
        question="How often?",
    )


@pytest.mark.parametrize(
    "rule",
    [
        StoppingRule(kind="fixed", runs=100),
        StoppingRule(
            kind="precision",
            half_width=Decimal("0.05"),
            alpha=Decimal("0.0382"),
            min_coverage=Decimal("0.9503"),
            min_coverage_at=Decimal("0.1147"),
            max_runs=447,
        ),
    ],
)
def test_a_locked_document_gives_the_protocol_back(rule: StoppingRule) -> None:
    protocol = example_protocol(rule)
    salted = [SaltedText(text=text, salt=bytes(16)) for text in protocol.texts()]
    document = json.loads(canonical_json(protocol.document(salted)))
    assert Protocol.from_document(document, {item.sha256: item.text for item in salted}) == protocol


def test_the_document_holds_prompts_by_hash_only() -> None:
    protocol = example_protocol(StoppingRule(kind="fixed", runs=1))
    salted = [SaltedText(text=text, salt=b"x" * 16) for text in protocol.texts()]
    body = canonical_json(protocol.document(salted)).decode()
    assert "Be short." not in body
    assert all(item.sha256 in body for item in salted)
