"""The site with the interface for programs in it, for requests below ``/api/`` only."""

from django.urls import include, path

from diandian.config import urls

urlpatterns = [path("api/", include("diandian.api.urls")), *urls.urlpatterns]
handler400 = urls.handler400
handler404 = urls.handler404
handler500 = urls.handler500
