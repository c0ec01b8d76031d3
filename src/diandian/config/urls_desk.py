"""The site with the operator's desk in it, for requests below ``/admin/`` only."""

from django.contrib import admin
from django.urls import path

from diandian.config import urls

admin.autodiscover()

urlpatterns = [path("admin/", admin.site.urls), *urls.urlpatterns]
handler400 = urls.handler400
handler404 = urls.handler404
handler500 = urls.handler500
