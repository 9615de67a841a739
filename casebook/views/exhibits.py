"""Exhibits: adding files, sending them as attachments, previews of images, removal while nothing was measured."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casebook.access import find_case, find_exhibit, find_team_case
from casebook.custody import CustodyError, add_exhibits, remove_exhibit
from casebook.downloads import send_stored
from casebook.forms.exhibits import AddExhibitsForm
from casebook.uploads import preview_image


@require_http_methods(["GET", "HEAD", "POST"])
def exhibit_add(request: HttpRequest, public_id: UUID) -> HttpResponse:
    case = find_team_case(request, public_id)
    form = AddExhibitsForm(request.POST, request.FILES) if request.method == "POST" else AddExhibitsForm()
    if form.is_valid():
        uploads, description = form.cleaned_data["attachments"], form.cleaned_data["description"]
        try:
            added = add_exhibits(case, uploads, description=description, received_from=request.user)
        except CustodyError as error:
            form.add_error("attachments", str(error))
        else:
            text = ngettext(
                "%(count)s exhibit has been added.", "%(count)s exhibits have been added.", len(added)
            )
            messages.success(request, text % {"count": len(added)})
            return redirect(f"{case.get_absolute_url()}#exhibits")
    return render(request, "casebook/exhibit_add.html", {"case": case, "form": form})


@require_safe
def exhibit_download(request: HttpRequest, public_id: UUID, number: int) -> FileResponse:
    """The bytes as they came, always as an attachment: nothing of an exhibit is ever shown inline."""
    exhibit = find_exhibit(find_case(request, public_id), number)
    return send_stored(exhibit.file, exhibit.name, exhibit.media_type)


@require_safe
def exhibit_preview(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    """A small picture of an image, drawn anew: none of the uploaded bytes reach the page."""
    exhibit = find_exhibit(find_case(request, public_id), number)
    try:
        picture = preview_image(exhibit.file) if exhibit.is_image else None
    except FileNotFoundError as error:
        raise Http404 from error
    if picture is None:
        raise Http404
    headers = {"Cache-Control": "private, no-cache"}  # the right to see it may end
    return HttpResponse(picture, content_type="image/png", headers=headers)


@require_POST
def exhibit_delete(request: HttpRequest, public_id: UUID, number: int) -> HttpResponse:
    case = find_team_case(request, public_id)
    exhibit = find_exhibit(case, number)
    try:
        remove_exhibit(exhibit)
    except CustodyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Exhibit %(number)s has been deleted.") % {"number": number})
    return redirect(f"{case.get_absolute_url()}#exhibits")
