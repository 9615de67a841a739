"""What people type and upload, as plain functions: each test changes the one thing that it is about."""

from __future__ import annotations

import io
import json
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from casebook.models import Case, Incident

ANSWER = "Yes. Submit the request within 90 days of the date your ticket was issued."
CONVERSATION = (
    f"User: May I claim the bereavement fare after the trip?\nAssistant: {ANSWER}\nUser: Thank you."
)


def make_incident_form(**changes: Any) -> dict[str, Any]:
    """The fields of a complete, acceptable form as a browser posts them."""
    form = {
        "token": str(uuid4()),
        "title": "Bereavement refund promised",
        "summary": "",
        "product": "Northwind Assistant",
        "provider": "Modelhaus AG",
        "deployer": "Northwind Air",
        "occurred_on": "12 May 2024",
        "time_zone": "America/Vancouver",
        "interface": "web chat",
        "system_prompt": "",
        "conversation": CONVERSATION.replace("\n", "\r\n"),
        "disputed_answer": ANSWER,
        "what_is_wrong": "The fare must be asked for before the trip.",
        "wrong_statement": "within 90 days",
        "truth": "No refund is made afterwards.",
        "truth_source": "The tariff, section 5.3",
        "harm_kind": "money",
        "harm_amount": "812.02",
        "harm_currency": "CAD",
        "harm": "The difference between the fares.",
        "disclaimer": "The assistant can make mistakes.",
        "disclaimer_place": "below the input field",
    }
    return {**form, **changes}


def make_png(colour: str = "white") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(written, "PNG")
    return written.getvalue()


def make_png_upload(name: str = "screen.png", colour: str = "white") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make_png(colour), "image/png")


def make_json_upload(name: str = "export.json") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, json.dumps({"messages": []}).encode(), "application/json")


def make_sample(language: str = "en", key: str = "refund") -> Case:
    """A sample case as the command that loads them would store it."""
    case = Case.objects.create(
        title=f"Refund after the trip ({language})",
        summary="A chatbot promised what the tariff refused.",
        language=language,
        is_sample=True,
        sample_key=key,
        background={
            "illustration_notice": "It says nothing about the airline.",
            "outcome": "The claim succeeded.",
        },
    )
    Incident.objects.create(
        case=case,
        product="Help desk",
        conversation="User: May I claim the refund after the trip?",
        disputed_answer="Yes.",
        what_is_wrong="It must be claimed before.",
        wrong_statement="Yes",
        truth="No.",
    )
    return case
