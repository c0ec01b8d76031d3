"""Opening a scene to companies that take over a part of it."""
