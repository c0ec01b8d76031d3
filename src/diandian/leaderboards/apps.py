"""Makes the room a Django app."""

from django.apps import AppConfig


class LeaderboardsConfig(AppConfig):
    """The room ``leaderboards``."""

    name = "diandian.leaderboards"
    label = "leaderboards"
