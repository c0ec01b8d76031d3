"""Why a line took another row than the one asked for: a code in the line, a sentence for people."""

from diandian.kernel.errors import N_

REASONS = {
    "country_row": N_("There is no value for the province; the country's is used."),
    "outside_boundary": N_("Outside the boundary of this scene; counted as zero here."),
    "stand_in": N_("There is no value for this place; another place's stands in, one grade worse."),
    "own_value": N_("A value of its own, with its own source."),
}
