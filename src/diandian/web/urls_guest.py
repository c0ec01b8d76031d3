"""Addresses of the guest's way: find a scene, count, pay, hold a certificate; whether we are up.

What a hall asks for at once stands first: addresses are compared in this order.
"""

from django.urls import include, path, re_path

from diandian.web import (
    attended,
    certificates,
    checkout,
    elsewhere,
    erase,
    footprint,
    home,
    offline,
    order_ways,
    orders,
    payer,
    results,
    scenes,
    sponsor,
    status,
    throttle,
    versions,
)

# However a code is typed: the views forgive case, spaces and dashes.
_CODE = r"(?P<code>[^/.]{1,40}?)"
_CERTIFICATES = [
    re_path(rf"^{_CODE}$", certificates.show, name="certificate"),
    re_path(rf"^{_CODE}\.pdf$", certificates.pdf, name="certificate_pdf"),
    re_path(rf"^{_CODE}-share\.png$", certificates.share, name="certificate_share"),
    re_path(rf"^{_CODE}-preview\.png$", certificates.preview, name="certificate_preview"),
    re_path(rf"^{_CODE}\.png$", certificates.png, name="certificate_png"),
    re_path(rf"^{_CODE}\.json$", certificates.document, name="certificate_json"),
    re_path(rf"^{_CODE}/proof\.tlog$", certificates.proof, name="certificate_proof"),
    re_path(rf"^{_CODE}/erase$", erase.of_certificate, name="certificate_erase"),
]

urlpatterns = [
    path("s/<slug:slug>", scenes.scene, name="scene"),
    path("s/<slug:slug>/go", throttle.footprints(footprint.go), name="scene_go"),
    path("s/<slug:slug>/go/<slug:token>", results.result, name="scene_result"),
    path("s/<slug:slug>/go/<slug:token>/pay", checkout.pay, name="scene_pay"),
    path("o/<slug:token>", orders.order, name="order"),
    path("c/", include(_CERTIFICATES)),
    path("", home.home, name="home"),
    path("scenes", scenes.scene_list, name="scenes"),
    path("s/<slug:slug>/test/<slug:token>", scenes.trial, name="scene_test"),
    path("s/<slug:slug>/total", footprint.total, name="scene_total"),
    path("s/<slug:slug>/places", footprint.places, name="scene_places"),
    path("s/<slug:slug>/report", scenes.report, name="scene_report"),
    path("s/<slug:slug>/sponsor/<slug:token>", sponsor.page, name="scene_sponsor"),
    path("s/<slug:slug>/versions", versions.versions, name="scene_versions"),
    path("s/<slug:slug>/go/<slug:token>/attended", attended.attended, name="scene_attended"),
    path("s/<slug:slug>/go/<slug:token>/elsewhere", elsewhere.page, name="scene_elsewhere"),
    path("s/worker.js", offline.worker, name="offline_worker"),
    path("offline", offline.offline, name="offline"),
    path("offline/payment", offline.payment, name="offline_payment"),
    path("o/<slug:token>/pay", order_ways.other_way, name="order_ways"),
    path("o/<slug:token>/payer", payer.payer, name="order_payer"),
    path("o/<slug:token>/erase", erase.of_order, name="order_erase"),
    path("healthz", status.healthz, name="healthz"),
    path("readyz", status.readyz, name="readyz"),
    path("status", status.status, name="status"),
]
