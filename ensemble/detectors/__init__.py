"""The kinds of detector. Adding one touches its file, its line here, its test and its heading in the docs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from ensemble.detectors.base import Detector, Finding
from ensemble.errors import ProtocolError
from ensemble.protocol import JsonValue

__all__ = ["DETECTORS", "Detector", "Finding", "build_detector"]

DETECTORS = {
    "text": "ensemble.detectors.text:TextDetector",
    "number": "ensemble.detectors.number:NumberDetector",
}


def build_detector(spec: Mapping[str, JsonValue]) -> Detector:
    """The detector that `spec` describes (`spec["kind"]` names it); `ProtocolError` says what is wrong with it."""
    kind = spec.get("kind")
    if kind not in DETECTORS:
        raise ProtocolError(f"There is no detector of the kind “{kind}”.", field="detector")
    module_name, class_name = DETECTORS[kind].split(":")
    detector: Detector = getattr(import_module(module_name), class_name).from_spec(spec)
    return detector
