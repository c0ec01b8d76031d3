"""How a day of the books is closed, and how sales are stopped and reopened."""
