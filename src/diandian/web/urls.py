"""Addresses of the site: the pages of guests, the public pages, a life, the sandbox gateway."""

from django.urls import include, path

from diandian.web import sandbox, sandbox_desk

urlpatterns = [
    path("", include("diandian.web.urls_guest")),
    path("sandbox/<slug:token>", sandbox.pay, name="sandbox_pay"),
    path("sandbox/<slug:token>/desk", sandbox_desk.desk, name="sandbox_desk"),
    path("", include("diandian.web.urls_public")),
    path("life", include("diandian.web.life.urls")),
]
