from __future__ import annotations

import pytest
from django.test import Client

from casebook import __version__


@pytest.mark.django_db
def test_a_healthy_installation_says_ok_and_its_version(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "version": __version__}
    assert "no-store" in response["Cache-Control"]
