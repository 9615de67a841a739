"""Making an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    AccountCreationForm = UserCreationForm[User]
else:
    AccountCreationForm = UserCreationForm


class SignUpForm(AccountCreationForm):
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("Optional. Needed only to set a new password if you forget yours."),
    )

    class Meta:
        model = User
        fields = ("username", "email")
