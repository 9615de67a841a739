"""The URLs of Casebook's own pages, one list for each area."""

from __future__ import annotations

from django.urls import URLPattern, path

from casebook.views import (
    accounts,
    appraisals,
    arms,
    cases,
    endpoints,
    exhibits,
    guide,
    home,
    planning,
    proposals,
    reports,
    team,
    tests,
)

app_name = "casebook"

CASE = "cases/<uuid:public_id>/"

public_routes = [
    path("", home.home, name="home"),
    path("samples/", home.sample_list, name="sample-list"),
    path("help/", guide.show_guide, name="help"),
    path("help/<slug:name>/", guide.show_guide, name="help-page"),
]
case_routes = [
    path("cases/", cases.case_list, name="case-list"),
    path("cases/add/", cases.case_add, name="case-add"),
    path("cases/add/preview/", cases.conversation_preview, name="conversation-preview"),
    path(CASE, cases.case_detail, name="case-detail"),
    path(f"{CASE}edit/", cases.case_edit, name="case-edit"),
    path(f"{CASE}delete/", cases.case_delete, name="case-delete"),
    path(f"{CASE}copy/", cases.case_copy, name="case-copy"),
]
team_routes = [
    path(f"{CASE}team/add/", team.member_add, name="member-add"),
    path(f"{CASE}team/<int:membership_id>/remove/", team.member_remove, name="member-remove"),
]
exhibit_routes = [
    path(f"{CASE}exhibits/add/", exhibits.exhibit_add, name="exhibit-add"),
    path(f"{CASE}exhibits/<int:number>/", exhibits.exhibit_download, name="exhibit-download"),
    path(f"{CASE}exhibits/<int:number>/preview/", exhibits.exhibit_preview, name="exhibit-preview"),
    path(f"{CASE}exhibits/<int:number>/delete/", exhibits.exhibit_delete, name="exhibit-delete"),
]
TEST = f"{CASE}tests/<int:number>/"
test_routes = [
    path(f"{CASE}tests/add/", tests.test_add, name="test-add"),
    path(TEST, tests.test_detail, name="test-detail"),
    path(f"{TEST}protocol/", tests.test_edit, name="test-edit"),
    path(f"{TEST}tryouts/", tests.test_tryouts, name="test-tryouts"),
    path(f"{TEST}effort/", tests.test_effort, name="test-effort"),
    path(f"{CASE}planning/", planning.case_planning, name="case-planning"),
    path(f"{TEST}planning/", planning.test_planning, name="test-planning"),
    path(f"{TEST}arms/add/", arms.arm_add, name="arm-add"),
    path(f"{TEST}arms/proposals/", proposals.proposal_list, name="proposal-list"),
    path(f"{TEST}arms/proposals/poll/", proposals.proposal_poll, name="proposal-poll"),
    path(f"{TEST}arms/proposals/<int:pk>/", proposals.proposal_decide, name="proposal-decide"),
    path(f"{TEST}arms/<int:position>/start/", arms.arm_start, name="arm-start"),
    path(f"{TEST}arms/<int:position>/give-up/", arms.arm_give_up, name="arm-give-up"),
    path(f"{TEST}arms/<slug:key>/", arms.arm_edit, name="arm-edit"),
    path(f"{TEST}arms/<slug:key>/remove/", arms.arm_remove, name="arm-remove"),
    path(f"{TEST}delete/", tests.test_delete, name="test-delete"),
    path(f"{TEST}live/", tests.test_live, name="test-live"),
    path(f"{TEST}steer/", tests.test_steer, name="test-steer"),
    path(f"{TEST}cancel/", tests.test_cancel, name="test-cancel"),
    path(f"{TEST}runs/", tests.run_list, name="run-list"),
    path(f"{TEST}runs/<int:run_id>/", tests.run_detail, name="run-detail"),
    path(f"{TEST}appraisal/", appraisals.test_appraise, name="test-appraise"),
    path(f"{TEST}appraisal/<int:version>/", appraisals.appraisal_version, name="appraisal-version"),
    path(f"{TEST}files/<str:name>", tests.test_file, name="test-file"),
]
report_routes = [
    path(f"{CASE}reports/add/", reports.report_add, name="report-add"),
    path(f"{CASE}reports/<uuid:report_id>/", reports.report_detail, name="report-detail"),
    path(f"{CASE}reports/<uuid:report_id>/download/", reports.report_download, name="report-download"),
]
endpoint_routes = [
    path("endpoints/", endpoints.endpoint_list, name="endpoint-list"),
    path("endpoints/add/", endpoints.endpoint_add, name="endpoint-add"),
    path("endpoints/<int:pk>/edit/", endpoints.endpoint_edit, name="endpoint-edit"),
    path("endpoints/<int:pk>/check/", endpoints.endpoint_check, name="endpoint-check"),
]
account_routes = [
    path("account/", accounts.account, name="account"),
    path("account/signup/", accounts.signup, name="signup"),
    path("account/export/", accounts.account_export, name="account-export"),
]

urlpatterns: list[URLPattern] = [
    *public_routes,
    *case_routes,
    *team_routes,
    *exhibit_routes,
    *test_routes,
    *report_routes,
    *endpoint_routes,
    *account_routes,
]
