"""Who issues credits, and where the reductions come from."""

from django.db import models


class Programme(models.Model):
    """Who issues the credits and by which numbering."""

    code = models.CharField(max_length=20, unique=True)
    names = models.JSONField()
    level = models.CharField(max_length=20)
    serial_parser = models.CharField(max_length=20, default="generic")
    retires_whole_units = models.BooleanField(default=True)
    registry_url = models.URLField(blank=True)
    is_simulated = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.code


class Project(models.Model):
    """Where the reductions come from. Texts are {"zh-Hans": .., "en": .., "nl": ..}."""

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="projects")
    code = models.SlugField(max_length=40, unique=True)
    names = models.JSONField()
    category_names = models.JSONField()
    place_names = models.JSONField()
    descriptions = models.JSONField()
    supplier_names = models.JSONField()
    supplier_ref = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    methodology_code = models.CharField(max_length=60)
    registry_number = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=10)
    latitude = models.DecimalField(max_digits=9, decimal_places=6)
    longitude = models.DecimalField(max_digits=9, decimal_places=6)
    is_active = models.BooleanField(default=True)
    is_sample = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.code
