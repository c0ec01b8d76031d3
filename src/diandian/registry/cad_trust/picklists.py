"""The values that the CAD Trust data model allows where it allows only some; pure.

*Source:* CAD Trust data dictionary as its warehouse serves it, version 1: the picklists in the
documentation of the repository Chia-Network/cadt and ``src/models/governance/governance.stub.json``
there; field names and what is required: ``src/validations`` there. Read on 2026-11-28.
"""

UNIT_STATUS = (
    "Held",
    "Retired",
    "Cancelled",
    "Expired",
    "Inactive",
    "Buffer",
    "Exported",
    "Rejected",
    "Pending Export",
)
UNIT_TYPE = (
    "Avoidance",
    "Reduction - nature",
    "Reduction - technical",
    "Removal - nature",
    "Removal - technical",
    "Not Determined",
)
ADJUSTMENT_DECLARATION = ("Committed", "Not Required", "Unknown")
ADJUSTMENT_STATUS = ("Not Applicable", "Not Started", "Pending", "Completed")
PROJECT_STATUS = (
    "Listed",
    "Validated",
    "Registered",
    "Approved",
    "Authorized",
    "Completed",
    "Inactive",
    "Withdrawn",
    "Rejected",
    "De-registered",
)
COVERED_BY_NDC = ("Inside NDC", "Outside NDC", "Unknown")
UNIT_METRIC = ("tCO2e",)

NOT_SPECIFIED = "Not Specified"
# By ISO 3166-1; a country that is not here is "Not Specified", which the list allows too.
COUNTRIES = {
    "AT": "Austria",
    "BE": "Belgium",
    "BR": "Brazil",
    "CN": "China",
    "DE": "Germany",
    "FR": "France",
    "ID": "Indonesia",
    "IN": "India",
    "JP": "Japan",
    "KE": "Kenya",
    "KR": "Republic of Korea",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "SG": "Singapore",
    "ZA": "South Africa",
}
# Where one of our kinds of project says it for certain; others are not determined.
UNIT_TYPES = {"solar": "Reduction - technical", "biogas": "Reduction - technical"}
SECTORS = {
    "solar": "Energy (renewable/non-renewable)",
    "biogas": "Waste handling and disposal",
    "forest": "Agriculture Forestry and Other Land Use (AFOLU)",
}
PROJECT_TYPES = {
    "solar": "Renewable Energy",
    "biogas": "Organic Waste Digestion",
    "forest": "Forestry",
}
# What a batch says about a corresponding adjustment, in the words of this list.
DECLARATIONS = {"committed": "Committed", "not_required": "Not Required", "unknown": "Unknown"}
# Where nobody committed to one, its status is "Not Applicable".
STATUSES = {
    "not_started": "Not Started",
    "pending": "Pending",
    "completed": "Completed",
}
