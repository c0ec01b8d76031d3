"""Addresses of the organiser's desk."""

from django.urls import include, path

from diandian.office.host import (
    account,
    correct,
    inside,
    organisations,
    overview,
    questions,
    rest,
    scenes,
    sign_in,
    sponsor,
)

urlpatterns = [
    path("", overview.listed, name="host"),
    path("/sign-in", sign_in.ask, name="host_sign_in"),
    path("/sign-in/<slug:token>", sign_in.code, name="host_code"),
    path("/sign-out", sign_in.out, name="host_sign_out"),
    path("/account", account.account, name="host_account"),
    path("/organisation", organisations.new, name="host_organisation_new"),
    path("/organisation/<int:number>", organisations.one, name="host_organisation"),
    path("/new", scenes.new, name="host_new"),
    path("/preview", scenes.preview, name="host_preview"),
    path("/places", scenes.places, name="host_places"),
    path("/sponsor/<slug:slug>", sponsor.page, name="host_sponsor"),
    path("/<slug:slug>", overview.one, name="host_scene"),
    path("/<slug:slug>/edit", scenes.edit, name="host_edit"),
    path("/<slug:slug>/inside", inside.page, name="host_inside"),
    path("/<slug:slug>/correct", correct.correct, name="host_correct"),
    path("/<slug:slug>/sponsors", sponsor.sponsors, name="host_sponsors"),
    path("/<slug:slug>/cover", rest.rest, name="host_cover"),
    path("/<slug:slug>/inventory", include("diandian.office.host.inventory_urls")),
    path("/<slug:slug>/questions", questions.page, name="host_questions"),
]
