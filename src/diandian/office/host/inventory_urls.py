"""Addresses of a scene's inventory, below /host/SLUG/inventory."""

from django.urls import path

from diandian.office.host import (
    inventory,
    inventory_close,
    inventory_entry,
    inventory_import,
    inventory_measures,
    inventory_travel,
)

urlpatterns = [
    path("", inventory.table, name="host_inventory"),
    path("/new", inventory_entry.new, name="host_entry_new"),
    path("/entry/<slug:key>", inventory_entry.one, name="host_entry"),
    path("/source/<slug:category>", inventory.source, name="host_inventory_source"),
    path("/import", inventory_import.import_page, name="host_inventory_import"),
    path("/template", inventory_import.template, name="host_inventory_template"),
    path("/travel", inventory_travel.travel, name="host_inventory_travel"),
    path("/reductions", inventory_measures.page, name="host_inventory_measures"),
    path("/close", inventory_close.close, name="host_inventory_close"),
    path("/files", inventory_close.evidence, name="host_evidence"),
    path("/files/<slug:digest>", inventory_close.evidence_file, name="host_evidence_file"),
]
