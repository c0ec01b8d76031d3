"""The carbon footprint of one life: a year from a dozen questions, from bills, or day by day.

Pure: values in, values out, nothing is stored. Masses are whole grams of CO2e. A *region* is a
province of China ("CN-SC") or a country ("NL"); a *factor set* is an edition, ``newest()`` for new
results, the stored one for old ones. Estimates and lines are those of the scenes, so certificates,
quotes and pages need no second form. Message ids are translated by the doors.

A year from questions: ``life.calculator``

    regions() -> tuple[str, ...]
    questions(region) -> tuple[Question, ...]        12 to 15 asked, those for fine-tuning last
    group_of(question_key) -> str                    "home", "moving", "food", "things", "services"
    read(region, raw: Mapping[str, str]) -> ParsedAnswers(values, errors by question key)
    estimate(values, factor_set, region) -> Estimate           with up to five levers
    levers(values, factor_set, region) -> tuple[Lever, ...]    all that apply, largest first
    lever_note(lever_key) -> (effort, cost)                    message ids, our judgement
    running(values, answered, factor_set, region) -> dict[group, grams]     page by page
    by_group(lines) -> dict[group, grams]
    GROUPS: {group: message id}; OUTSIDE: message ids of what is not counted

What "don't know" means: ``life.assumptions``

    reason(question_key, context_of(region)) -> (message id, params) or None

What to compare with: ``life.comparison``

    averages(region) -> tuple[Figure, ...]     like our result first, the world's last, never empty
    climate_levels() -> tuple[Figure, ...]     2030, 2040, 2050
    climate_level(year) -> Figure              the next to be reached
    Figure(region, year, mass_g, basis, org, title, published, status, notes; alike, includes)

Bills, meals and purchases: ``life.detailed``, with ``life.activities`` and ``life.entries``

    activities(context, factor_set) -> tuple[Activity, ...]; units_of(activity) -> tuple[str, ...]
    Activity(key, group, category, label, unit, steps, replaces, shared, lasting)
    read_items(region, raw: Sequence[Mapping[str, str]], factor_set) -> ParsedItems(items, errors)
    Item(entry: Entry(activity, amount, basis), period, years; to_json, from_json)
    item_lines(items, values, factor_set, region) -> list[Line]
    estimate(values, items, factor_set, region) -> Estimate     entered parts replace quick ones
    again(estimate.inputs, factor_set) -> Estimate              also of a plain year's inputs

Day by day: ``life.diary``

    read_entry(region, raw, factor_set, today=date) -> ParsedEntry(entry or None, errors by field)
    DiaryEntry(day, entry, people; to_json, from_json)
    months(entries, factor_set, region) -> tuple[Month, ...]    without gaps
    Month(year, month, mass_g, by_group, lines, days)
    estimate(entries, factor_set, region) -> Estimate           of any entries, such as a month's
    again(estimate.inputs, factor_set) -> Estimate

On a certificate: ``life.certified``, ``life.own_answers``, ``emissions.replay_year``

    certified(estimate) -> dict          five sums and the range, no answers
    carried(estimate) -> dict            with the whole estimate beside them, where it is wished
    of_link(link), of_document(json) -> OwnAnswers; OwnAnswers.estimate(factor_set) -> Estimate
    replay_year(certified, answers=None) -> Replayed

All raise ``UnknownChoiceError`` (field "region") for a region that is not in ``regions()``.
*Source:* methodology, sections 8, 9, 11 and 12.
"""
