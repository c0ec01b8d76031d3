"""Addresses of the public pages."""

from django.urls import include, path

from diandian.web import (
    boards,
    log,
    lump_sum,
    me,
    method,
    method_diff,
    name_report,
    pages,
    poster,
    projects,
    recalls,
    register,
    reminder,
    throttle,
    verify,
)

_LOG = [
    path("checkpoint", log.checkpoint),
    path("tile/<path:path>", log.tile),
    path("keys.txt", log.keys),
    path("policy", log.policy),
]

urlpatterns = [
    path("s/<slug:slug>/poster.pdf", poster.poster, name="scene_poster"),
    path("s/<slug:slug>/board", boards.scene_board, name="scene_board"),
    path("retire", throttle.footprints(lump_sum.lump_sum), name="lump_sum"),
    path("v", verify.form, name="verify"),
    path("v/<str:code>", verify.result, name="verify_code"),
    path("register", register.page, name="register"),
    path("register.csv", throttle.downloads(register.as_csv), name="register_csv"),
    path("register.json", throttle.downloads(register.as_json), name="register_json"),
    path("log", log.page, name="log"),
    path("log/", include(_LOG)),
    path("log/<int:number>/", include(_LOG)),
    path("recalls", recalls.recall_list, name="recalls"),
    path("recalls/feed", recalls.feed, name="recall_feed"),
    path(
        "recalls/<slug:public_id>.csv",
        throttle.downloads(recalls.as_csv),
        name="recall_csv",
    ),
    path("recalls/<slug:public_id>", recalls.recall_page, name="recall"),
    path("projects", projects.project_list, name="projects"),
    path("projects/<slug:code>/again.ics", reminder.look_again, name="project_again"),
    path("projects/<slug:code>", projects.project_page, name="project"),
    path("board", boards.board, name="boards"),
    path("board/report", name_report.report, name="name_report"),
    path("method", method.method, name="method"),
    path("method/factors", method.factors, name="factors"),
    path("method/factors.csv", method.factors_csv, name="factors_csv"),
    path("method/factors.json", method.factors_json, name="factors_json"),
    path("method/factors/<str:factor_id>", method.factor_page, name="factor"),
    path("method/diff", method_diff.diff, name="factors_diff"),
    path("method/<slug:version>", method.method, name="method_version"),
    path("about", pages.about, name="about"),
    path("privacy", pages.privacy, name="privacy"),
    path("terms", pages.terms, name="terms"),
    path("accessibility", pages.accessibility, name="accessibility"),
    path("me", me.me, name="me"),
]
