"""Things in the order in which they came, found by name, by group and page by page."""

from bisect import bisect_left
from collections import deque

from forms import RefusedError


class Shelf:
    """Things of one sort, oldest first, found by name and by group."""

    def __init__(self):
        self.all, self.by_name, self.groups, self._places = [], {}, {}, {}

    def put(self, thing, *groups):
        self._places[thing["id"]] = len(self.all)
        self.all.append(thing)
        self.by_name[thing["id"]] = thing
        for group in groups:
            self.groups.setdefault(group, []).append(thing)
        return thing

    def get(self, name, what):
        if name not in self.by_name:
            text = f"No such {what}: '{name}'"
            raise RefusedError("resource_missing", text, status=404, param="id")
        return self.by_name[name]

    def page(self, params, *, among=None, fits=lambda _: True):
        """Return entries newest first, and whether there are more."""
        found = self.all if among is None else among
        span = params.get("created", {})
        first = 0
        if among is None and "gte" in span:
            first = bisect_left(found, span["gte"], key=lambda each: each["created"])
        end = len(found)
        after = params.get("starting_after")
        if after is not None:
            self.get(after, "object")
            end = self._places[after] if among is None else found.index(self.by_name[after])
        limit = params.get("limit", 10)
        if not 1 <= limit <= 100:
            raise RefusedError("parameter_invalid_integer", "limit is 1 to 100", param="limit")
        page = []
        for place in range(end - 1, first - 1, -1):
            if _within(found[place]["created"], span) and fits(found[place]):
                if len(page) == limit:
                    return page, True
                page.append(found[place])
        return page, False


def _within(stamp, span):
    return (
        span.get("gte", stamp) <= stamp <= span.get("lte", stamp)
        and not stamp <= span.get("gt", stamp - 1)
        and not stamp >= span.get("lt", stamp + 1)
    )


MOST_EVENTS = 5_000


class Recent:
    """The newest few thousand things of a sort."""

    def __init__(self, most=MOST_EVENTS):
        self.all = deque(maxlen=most)

    def put(self, thing):
        self.all.append(thing)
        return thing

    def page(self, params, *, fits):
        shelf = Shelf()
        for thing in self.all:
            shelf.put(thing)
        return shelf.page(params, fits=fits)
