"""Two clicks, two tabs, two teammates at the same moment: one wins, the other is told, nothing is half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from casebook.custody import CustodyError, add_exhibits
from casebook.intake import CaseChangedError, copy_case, log_incident, update_incident
from casebook.models import Case, Incident, Membership
from casebook.team import LastOwnerError, remove_member
from casebook.uploads import inspect_upload
from tests.casebook.cases_for_tests import add_case
from tests.factories import make_png_upload, make_sample

pytestmark = pytest.mark.django_db(transaction=True)


def run_together(*deeds: Callable[[], Any]) -> list[Any]:
    """The results of the deeds, each in a thread and with a connection of its own; an error is its result."""
    start, results = threading.Barrier(len(deeds)), list[Any]([None] * len(deeds))

    def run(number: int, deed: Callable[[], Any]) -> None:
        start.wait(timeout=10)
        try:
            results[number] = deed()
        except Exception as error:  # whatever it is, the test looks at it
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def make_new_case(public_id: Any = None) -> dict[str, Any]:
    case = Case(title="Refund", **({"public_id": public_id} if public_id else {}))
    incident = Incident(product="P", conversation="Q", disputed_answer="A", what_is_wrong="W", truth="T")
    return {"case": case, "incident": incident}


@pytest.fixture
def people() -> tuple[User, User]:
    return User.objects.create_user("one"), User.objects.create_user("two")


def test_a_double_click_on_save_makes_one_case(people: tuple[User, User]) -> None:
    first = make_new_case()
    second = make_new_case(first["case"].public_id)
    saved = run_together(
        lambda: log_incident(**first, owner=people[0]), lambda: log_incident(**second, owner=people[0])
    )
    assert saved[0].pk == saved[1].pk
    assert Case.objects.count() == Incident.objects.count() == Membership.objects.count() == 1


def test_a_double_click_on_copy_makes_one_copy(people: tuple[User, User]) -> None:
    sample, token = make_sample(), str(Case().public_id)
    saved = run_together(*[lambda: copy_case(sample, owner=people[0], token=token)] * 2)
    assert saved[0].pk == saved[1].pk
    assert Case.objects.filter(is_sample=False).count() == 1


def test_two_teammates_who_save_at_once_do_not_overwrite_one_another(people: tuple[User, User]) -> None:
    case = add_case(*people)
    seen = Case.objects.get().updated_at

    def save(truth: str) -> None:
        mine = Case.objects.get()
        incident = mine.incident()
        incident.truth = truth
        update_incident(case=mine, incident=incident, seen=seen)

    results = run_together(lambda: save("one"), lambda: save("two"))
    assert [type(result) for result in results].count(CaseChangedError) == 1
    winner = "one" if results[0] is None else "two"
    assert case.incident().truth == winner


def test_two_owners_cannot_remove_one_another(people: tuple[User, User]) -> None:
    case = add_case(people[0])
    case.memberships.create(user=people[1], role=Membership.Role.OWNER)
    one, two = (membership.pk for membership in case.memberships.all())
    results = run_together(
        lambda: remove_member(case, membership_id=one), lambda: remove_member(case, membership_id=two)
    )
    assert [type(result) for result in results].count(LastOwnerError) == 1
    assert case.memberships.count() == 1


def test_exhibits_that_arrive_together_get_numbers_of_their_own(people: tuple[User, User]) -> None:
    case = add_case(people[0])

    def add(colour: str) -> Any:
        return add_exhibits(case, [inspect_upload(make_png_upload(colour=colour))], received_from=people[0])

    run_together(lambda: add("red"), lambda: add("green"), lambda: add("blue"))
    assert [exhibit.number for exhibit in case.exhibits.all()] == [1, 2, 3]


def test_the_same_file_sent_twice_at_once_is_one_exhibit(people: tuple[User, User]) -> None:
    case = add_case(people[0])

    def add() -> Any:
        return add_exhibits(case, [inspect_upload(make_png_upload())], received_from=people[0])

    results = run_together(add, add)
    assert [type(result) for result in results].count(CustodyError) == 1
    assert case.exhibits.count() == 1
