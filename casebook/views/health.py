"""Is this installation able to work? Asked by load balancers and people, without an account."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from casebook import __version__


@never_cache
@require_safe
def report_health(request: HttpRequest) -> JsonResponse:
    """Return 200 when the database answers and 503 when it does not, with the version either way."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        return JsonResponse({"status": "database unreachable", "version": __version__}, status=503)
    return JsonResponse({"status": "ok", "version": __version__})
