"""Addresses of the site: the guest's pages, the public pages and the sandbox gateway's own page."""

from django.urls import include, path

from diandian.web import sandbox

urlpatterns = [
    path("", include("diandian.web.urls_guest")),
    path("", include("diandian.web.urls_public")),
    path("sandbox/<slug:token>", sandbox.pay, name="sandbox_pay"),
]
