"""Joins the sites: guest pages, API, desks."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("host", include("diandian.office.host.urls")),
    path("api/", include("diandian.api.urls")),
    path("", include("diandian.web.urls")),
]
handler404 = "diandian.web.errors.not_found"
handler500 = "diandian.web.errors.server_error"
