"""Build the publisher factor-set folders from the two compiled tables.

Usage: python tools/build_factor_sets.py emission_factors.csv grid_intensity.csv

Each row keeps its own publisher set; nothing is averaged, filled in or corrected on the way. The
grid table becomes rows ``energy.electricity.grid``. A published folder is never rewritten with
other content: the script stops and asks for a new folder instead (``--replace`` is for drafts).
"""

import csv
import hashlib
import io
import json
import sys
from collections import Counter
from pathlib import Path

Row = dict[str, str]

FOLDER = Path(__file__).parent.parent / "src/diandian/emissions/factor_sets"
COLUMNS = [
    "id",
    "activity",
    "activity_zh",
    "unit",
    "region",
    "proxy_for",
    "value_kgco2e",
    "co2",
    "ch4",
    "n2o",
    "scope_included",
    "year_valid",
    "factor_set",
    "source_id",
    "source_org",
    "source_title",
    "source_year",
    "source_table",
    "licence",
    "uncertainty_pct",
    "quality",
    "quality_reason",
    "status",
    "notes",
]

# publisher set -> (folder, attribution that the product shows)
OGL = "Contains public sector information licensed under the Open Government Licence v3.0."
ADEME = (
    "ADEME, Base Empreinte and Agribalyse, data of 2026, via {}. Licence Ouverte 2.0 (to confirm)."
)
FACTS = "Facts quoted with their source."
SETS = {
    "DESNZ25": ("desnz_2025", OGL + " Hotel rows: Cornell Hotel Sustainability Benchmarking 2021."),
    "DESNZ24": ("desnz_2024", OGL),
    "ADEME-IC": ("ademe_impactco2_2026", ADEME.format("Impact CO2")),
    "ADEME-NGC": ("ademe_nosgestesclimat_2026", ADEME.format("Nos Gestes Climat")),
    "PN18": ("poore_nemecek_2018", "Poore & Nemecek 2018 via Our World in Data, CC BY 4.0."),
    "EPAHUB": ("epa_hub_2024", "US Environmental Protection Agency, public domain."),
    "MEE21": ("mee_2021", "Ministry of Ecology and Environment, NBS: official notice."),
    "MEE22": ("mee_2022", "Ministry of Ecology and Environment, NBS: official notice."),
    "MEE23": ("mee_2023", "Ministry of Ecology and Environment, NBS: official notice."),
    "MEECF23": ("mee_footprint_2023", "Ministry of Ecology and Environment, NBS, NEA: notice."),
    "MEECF24": ("mee_footprint_2024", "Ministry of Ecology and Environment, NBS, NEA: notice."),
    "EMBER": ("ember_2024", "Ember, yearly electricity data, CC BY 4.0, via co2.js."),
    "NDRC-PB": ("ndrc_public_building_2015", FACTS),
    "AR6": ("ipcc_ar6_2021", FACTS),
    "IPCCGPG": ("ipcc_waste_2000", FACTS),
    "TIM3": ("google_tim_2025", "Google Travel Impact Model, CC BY 4.0."),
    "CNR-HSR": ("china_railway_2024", FACTS),
    "CARS15": ("china_economic_report_2015", FACTS),
    "BJTU24": ("bjtu_rail_air_2024", FACTS),
    "ESS24": ("energy_sustainability_society_2024", FACTS),
    "CN-TPH": ("china_tanpuhui_travel_2024", FACTS),
    "CPCD": ("cpcd_2023", FACTS),
    "CDRH22": ("chengdu_ride_hailing_2022", FACTS),
    "CATARC22": ("catarc_2022", FACTS),
    "ICEMET23": ("china_metro_lca_2023", FACTS),
    "SZMET22": ("shenzhen_metro_2022", FACTS),
    "EVF": ("event_footprint_2020", "Event footprint workbook (S. Yang), MIT."),
    "GDHOT": ("guangdong_hotel_quota_2012", FACTS),
    "CNHOTT": ("china_hotel_thesis_2007", FACTS),
    "SHNU15": ("shanghai_hotel_2015", FACTS),
    "TWHOT11": ("taiwan_hotel_2011", FACTS),
    "LJHOT16": ("lijiang_hotel_2016", FACTS),
    "UNEP08": ("unep_tourism_2008", FACTS),
    "CAAS15": ("caas_livestock_2015", FACTS),
    "JSCROP21": ("jiangsu_crop_2021", FACTS),
    "NJUDUM23": ("nanjing_dumpling_2023", FACTS),
    "NWAFU24": ("nwafu_canteen_2024", FACTS),
    "HRBBUF24": ("harbin_buffet_2024", FACTS),
    "CQHP23": ("chongqing_hotpot_2023", FACTS),
    "NATFOOD24": ("nature_food_dish_2024", FACTS),
    "CFCMP": ("china_diet_2013", FACTS),
    "QDMSW23": ("qingdao_waste_2023", FACTS),
}
GRID_IDS = {
    "MEE2021": ("MEE21", "grid"),
    "MEE2021F": ("MEE21", "fossil"),
    "MEE2022": ("MEE22", "grid"),
    "MEE2022F": ("MEE22", "fossil"),
    "MEE2022X": ("MEE22", "grid_ex_green"),
    "MEE2023": ("MEE23", "grid"),
    "MEE2023F": ("MEE23", "fossil"),
    "MEE2023X": ("MEE23", "grid_ex_green"),
    "MEECF2023": ("MEECF23", "lifecycle"),
    "MEECF2024": ("MEECF24", "lifecycle"),
    "DESNZ24": ("DESNZ24", "grid"),
    "DESNZ25": ("DESNZ25", "grid"),
    "EPAHUB": ("EPAHUB", "grid"),
    "EMBER": ("EMBER", "grid"),
}
PUBLISHED = {"MEE21": "2024", "MEE22": "2024", "MEE23": "2025", "EMBER": "2025"}


def grid_grade(row: Row, publisher: str) -> tuple[str, str, str]:
    """Return (grade, uncertainty in per cent, reason): our judgement, written into every row."""
    if publisher == "MEE23":
        return "A", "5", "national statistics; two independent transcriptions agree digit for digit"
    if publisher == "MEE22":
        return (
            "B",
            "15",
            "national statistics; one transcription, partly confirmed by a news report",
        )
    if publisher == "MEE21":
        return "B", "15", "national statistics; one full transcription"
    if float(row["kgco2e_per_kwh"]) < 0.03:  # noqa: PLR2004 - see the reason
        return "D", "60", "near zero: hydro or nuclear, or fuel data are missing"
    if row["region_type"] == "aggregate":
        return "D", "60", "mean of many countries standing in for one of them"
    return "B", "15", "think-tank compilation of national statistics, read in one copy"


def grid_row(row: Row) -> Row:
    """Turn one line of the grid table into a factor row."""
    publisher, kind = GRID_IDS[row["source_id"]]
    grade, uncertainty, reason = grid_grade(row, publisher)
    title, _, rest = row["source"].partition(", ")
    return dict.fromkeys(COLUMNS, "") | {
        "id": f"energy.electricity.{kind}",
        "activity": f"Grid electricity, {row['name']}",
        "activity_zh": f"电网供电({row['name_zh'] or row['name']})",
        "unit": "kWh",
        "region": row["region"],
        "value_kgco2e": row["kgco2e_per_kwh"],
        "scope_included": row["basis"],
        "year_valid": row["year"],
        "factor_set": publisher,
        "source_id": row["source_id"],
        "source_org": title if publisher == "EMBER" else "Ministry of Ecology and Environment, NBS",
        "source_title": row["source"] if publisher == "EMBER" else rest,
        "source_year": PUBLISHED.get(publisher, row["year"]),
        "source_table": row["region_type"],
        "licence": row["licence"],
        "uncertainty_pct": uncertainty,
        "quality": grade,
        "quality_reason": reason,
        "status": row["status"],
        "notes": row["notes"],
    }


def merged(factors: list[Row], grid: list[Row]) -> tuple[dict[str, list[Row]], list[str]]:
    """Return rows by publisher set, and what was left out and why."""
    rows: dict[tuple[str, str, str], Row] = {}
    left_out = []
    for row in factors:
        key = (row["id"], row["region"], row["factor_set"])
        if key in rows:
            raise SystemExit(f"twice: {key}")
        rows[key] = {column: row[column].strip() for column in COLUMNS}
    for line in grid:
        row = grid_row(line)
        key = (row["id"], row["region"], row["factor_set"])
        if key in rows:  # present in both tables: they must agree
            if float(rows[key]["value_kgco2e"]) != float(row["value_kgco2e"]):
                raise SystemExit(f"the two tables disagree on {key}")
        elif float(row["value_kgco2e"]) == 0:
            left_out.append(f"{row['factor_set']} {row['region']}: value 0 (missing fuel data)")
        else:
            rows[key] = row
    by_set: dict[str, list[Row]] = {}
    for row in rows.values():
        by_set.setdefault(row["factor_set"], []).append(row)
    return by_set, left_out


def csv_text(rows: list[Row]) -> str:
    """Return the rows as CSV, sorted, with Unix line ends: the bytes that the digest covers."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: (row["id"], row["region"])))
    return out.getvalue()


def source_text(publisher: str, rows: list[Row], attribution: str, left_out: list[str]) -> str:
    """Return SOURCE.md: who, what, under which terms, how good."""
    first = rows[0]
    status = Counter(row["status"] for row in rows)
    grades = Counter(f"{row['quality']}: {row['quality_reason']}" for row in rows)
    tables = sorted({row["source_table"].partition(" [")[0] for row in rows if row["source_table"]})
    lines = [
        f"# {publisher}: {first['source_org']}",
        "",
        f"- Publication: {first['source_title']} ({first['source_year']})",
        f"- Rows: {len(rows)} ({', '.join(f'{n} {word}' for word, n in status.most_common())})",
        f"- Years of the data: {', '.join(sorted({row['year_valid'] for row in rows}))}",
        f"- Licence as seen: {'; '.join(sorted({row['licence'] for row in rows}))}",
        f"- Attribution shown: {attribution}",
        "",
        "Status: *verified* was read in the publisher's own file, *derived* was computed from such",
        "numbers (the formula is in `notes`), *secondary* was read in a transcription or abstract.",
        "Grades A, B, C, D mean 5, 15, 30, 60 % (95 % half-width). They are our judgement:",
        "",
        *[f"- {n} rows, {words}" for words, n in grades.most_common(8)],
    ]
    if left_out:
        lines += ["", "Left out:", "", *[f"- {words}" for words in left_out]]
    lines += ["", "Tables and pages:", "", *[f"- {name}" for name in tables[:12]]]
    return "\n".join(lines) + "\n"


def write(folder: Path, files: dict[str, str], *, replace: bool) -> None:
    """Write a set's files; refuse to change the rows of one that exists."""
    rows = folder / "factors.csv"
    if rows.exists() and rows.read_text() != files["factors.csv"] and not replace:
        raise SystemExit(f"{folder.name} is frozen: put other rows into a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> None:
    """Read the two tables named on the command line and write every folder."""
    replace = "--replace" in arguments
    paths = [Path(word) for word in arguments if not word.startswith("--")]
    tables = [list(csv.DictReader(p.open(encoding="utf-8-sig", newline=""))) for p in paths]
    by_set, left_out = merged(*tables)
    for publisher, rows in sorted(by_set.items()):
        name, attribution = SETS[publisher]
        text = csv_text(rows)
        years = {row["year_valid"] for row in rows}
        gone = [words for words in left_out if words.startswith(f"{publisher} ")]
        head = {
            "id": publisher,
            "title": rows[0]["source_title"],
            "publisher": rows[0]["source_org"],
            "attribution": attribution,
            "licence": rows[0]["licence"],
            "validity": f"{min(years)}/{max(years)}",
            "review_by": "2027-06-30",
        }
        # A JSON string is a valid TOML basic string.
        toml = [f"{key} = {json.dumps(words, ensure_ascii=False)}" for key, words in head.items()]
        toml += [f"rows = {len(rows)}", f'sha256 = "{hashlib.sha256(text.encode()).hexdigest()}"']
        files = {
            "factors.csv": text,
            "SOURCE.md": source_text(publisher, rows, attribution, gone),
            "set.toml": "\n".join(toml) + "\n",
        }
        write(FOLDER / name, files, replace=replace)
    print(sum(map(len, by_set.values())), "rows in", len(by_set), "folders;", *left_out)


if __name__ == "__main__":
    main(sys.argv[1:])
