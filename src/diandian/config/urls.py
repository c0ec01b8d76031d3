"""Joins the sites: guest pages and the organiser's desk; LATER are those loaded when asked for."""

from django.urls import include, path

urlpatterns = [
    path("", include("diandian.web.urls")),
    path("host", include("diandian.office.host.urls")),
]
# Each is large and has no visitor for hours; it knows this site too, to lead to its pages.
LATER = {
    "/admin/": "diandian.config.urls_desk",
    "/api/": "diandian.config.urls_api",
}
handler400 = "diandian.web.errors.bad_request"
handler404 = "diandian.web.errors.not_found"
handler500 = "diandian.web.errors.server_error"
