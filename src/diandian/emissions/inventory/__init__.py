"""The organiser's inventory: what a scene emitted besides, and with, its guests.

Pure, as the whole room: no storage, no clock, no Django. Import from the files named here.

Sources and activities
    ``categories``: ``CATEGORIES`` (16 by key: ``Category(key, label, group, nzce, broad)``),
    ``GROUPS`` (six groups of China's 2019 guideline), ``NZCE`` (nine categories of the industry).
    ``activities.ACTIVITIES``: ``Activity`` by key (label, categories, unit, guest);
    ``activity.known_at(activity, factors, region) -> bool``.

Entries in
    ``entries.Entry(key, activity, category, amount, unit, quality, share, uses, organiser_pct, own,
    note, evidence)`` with ``to_json``/``from_json``; ``OwnValue(value, source, doubt_pct)``.
    ``entries.Reader(factors, region, names={}, comma_fractions=False).read(raw, key) ->
    ReadEntry``: texts by ``FIELDS`` to an ``entry``, or ``errors`` by field. Words for people in
    ``QUALITIES``.
    ``imports.dry_run(data, factors, region, names=...) -> Import(entries, problems, rows,
    unknown_columns)``, CSV or .xlsx, ``Problem(row, column, error)``; SheetError where it is none.
    ``imports.template(host_sources) -> str`` (CSV).

Estimates out
    ``compute.estimate(entries, factors, region, guests=None, non_co2=True) -> Inventory``:
    ``own`` and ``guests`` (each an ``Estimate``), ``unproven``, ``uncounted_people``,
    ``by_category()``, ``by_group()``, ``by_nzce()``, ``narrowing()``.
    ``compute.replay(inputs, factors) -> Estimate``: a stored ``own`` again, for closed versions.
    ``narrowing.ranked(lines) -> tuple[Narrowing(key, label, line, advice, variance_pct,
    doubt_pct), ...]``, words in ``ADVICE``.

Guests
    ``travel.answer(estimate, city_key=, country=) -> GuestAnswer(stratum, lines)``
    ``travel.attendance_from_total(people, sample) -> {stratum: people}``
    ``travel.extrapolate(sample, strata, attendance, factors=, organiser_pct=100) -> Extrapolation``
    with ``own``, ``others``, ``strata`` (``Stratum``), ``uncounted_people``; words in ``STRATA``
    and ``STATES``.
    ``ownership.debt_g(inventory_g, retired_by_guests_g)``, ``site_without_matched_rooms_g``.

Boundary
    ``SceneKind.host_sources``: ``boundary.HostSource(category, activity, reason, per, amount,
    china)`` of each kind. ``boundary.defaults(sources, people=, days=, country=) -> entries``;
    ``boundary.standings(sources, by_category, entered, declared) -> tuple[Standing, ...]``;
    ``boundary.six_groups(standings)``; ``boundary.cut_off_problems(total_g, declared)``;
    ``boundary.Declared(category, state, reason, expected_g)``.

Measures
    ``measures.Measure(key, label, before, expected, confirmed, evidence)``;
    ``suggestions(entries, factors, region)``; ``effect(measure, factors, region) -> Effect(key,
    expected_g, confirmed_g)``; ``confirm(measure, entry, evidence)``; ``applied(entries,
    measures)``: the only way in which a measure changes an inventory, and only when confirmed.

Composed questions of the kind "other" live with it: ``scene_kinds.other.composed.compose(data,
factors, region, language="en") -> SceneKind``.
*Source:* methodology, sections 2, 5, 7, 10 and 11.
"""
