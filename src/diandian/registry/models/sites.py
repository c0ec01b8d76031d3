"""The ground on which a project grows what it is credited for."""

from django.db import models
from django.db.models import F, Q

from diandian.registry.models.catalogue import Project


class ProjectSite(models.Model):
    """A piece of new forest, its boundary and its plans; no ground serves two projects.

    ``corners``: the ring in whole 1e-7 degrees, longitude first; the four sides are its box.
    *Source:* market study, b1-14.
    """

    project = models.ForeignKey(Project, models.PROTECT, related_name="sites")
    code = models.SlugField(max_length=40)
    corners = models.JSONField()
    west = models.BigIntegerField()
    south = models.BigIntegerField()
    east = models.BigIntegerField()
    north = models.BigIntegerField()
    area_m2 = models.BigIntegerField()
    boundary_digest = models.CharField(max_length=64)
    species_names = models.JSONField()
    planted_on = models.DateField()
    methodology_code = models.CharField(max_length=60)
    monitoring_plan = models.CharField(max_length=300)
    is_sample = models.BooleanField(default=False)
    entered_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(area_m2__gt=0), name="site_has_area"),
            models.CheckConstraint(
                condition=Q(west__lt=F("east")) & Q(south__lt=F("north")), name="site_box_order"
            ),
            models.UniqueConstraint(
                fields=["project", "code"],
                condition=Q(withdrawn_at__isnull=True),
                name="site_code_once",
            ),
        ]
        indexes = [models.Index(fields=["west", "east"], name="site_by_longitude")]

    def __str__(self) -> str:
        return self.code
