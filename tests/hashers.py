"""How tests keep passwords: as the product does, at a hundredth of the cost."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """Opens nothing worth guarding, and is asked hundreds of times."""

    time_cost = 1
    memory_cost = 64
    parallelism = 1
