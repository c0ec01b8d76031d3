"""How a place name is compared: script, case, tone marks, spaces and apostrophes do not matter.

The table is built with the same function, so that what is typed meets what is stored.
"""

from __future__ import annotations

import unicodedata

# Letters that Unicode does not take apart, and traditional characters frequent in place names.
_LATIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h"}
)
_TRADITIONAL = (
    "紐約倫東臺灣羅馬蘭華聖爾內亞維納麗黃慶廣寧陽長門雲龍無錫鄭蘇揚鎮連運鹽濟煙濰臨萊濱澤蕪銅"
    "婁張懷瀏紹興義烏溫溝貢樂綿瀘賓達爐遼瀋營錦蘆齊雞鶴雙鴨魯韓國島漢濤關頭閩廈巖贛饒萬潤淺滬"
    "總顧貴畢節銀場謝圖盧賽紮費蓋橋鳳縣區鄉莊郵園縉豐勝緬薩頓騰歐諾傑機葉兒賀撫順陰極稱諸劉項"
    "與軍馮寶鹹鎬遠瑪愛輝璦琿圍頗當鬥瓊衛貝樓嶺蒼漵淶潛棗沖鞏滎開歷陸絲盤錢鐵隨應監鍾嶽陝晉閬"
    "瀧檳吳宮橫戶靜岡歲釧館倉儀邊澗灘窯團風飛淪剛買聯劍閣漣單縱貞嵐隴環參遷轉賢賴鄧錐陣隱靈頁"
    "魚鳥麥齡崗幾幹彌後從戲揀擇擴時書會條楊業標樹檔歸氣減測湯滿漸澆濃燈牆狀獅現瓏畫異眾碼確種"
    "穩筆紅級統經綠線縮績纖聽臉艦莖藝藍蟲蠻補製複視親觀訪語說調論識護變讓資質贊車較農遞選邁鄰"
    "醫釣針鋼錄鍋間陳隊際難電響領題願類飯飲駐驗體鮮"
)
_SIMPLIFIED = (
    "纽约伦东台湾罗马兰华圣尔内亚维纳丽黄庆广宁阳长门云龙无锡郑苏扬镇连运盐济烟潍临莱滨泽芜铜"
    "娄张怀浏绍兴义乌温沟贡乐绵泸宾达炉辽沈营锦芦齐鸡鹤双鸭鲁韩国岛汉涛关头闽厦岩赣饶万润浅沪"
    "总顾贵毕节银场谢图卢赛扎费盖桥凤县区乡庄邮园缙丰胜缅萨顿腾欧诺杰机叶儿贺抚顺阴极称诸刘项"
    "与军冯宝咸镐远玛爱辉瑷珲围颇当斗琼卫贝楼岭苍溆涞潜枣冲巩荥开历陆丝盘钱铁随应监钟岳陕晋阆"
    "泷槟吴宫横户静冈岁钏馆仓仪边涧滩窑团风飞沦刚买联剑阁涟单纵贞岚陇环参迁转贤赖邓锥阵隐灵页"
    "鱼鸟麦龄岗几干弥后从戏拣择扩时书会条杨业标树档归气减测汤满渐浇浓灯墙状狮现珑画异众码确种"
    "稳笔红级统经绿线缩绩纤听脸舰茎艺蓝虫蛮补制复视亲观访语说调论识护变让资质赞车较农递选迈邻"
    "医钓针钢录锅间陈队际难电响领题愿类饭饮驻验体鲜"
)
_SIMPLER = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def simplified(text: str) -> str:
    """Return the text with the traditional characters of common place names simplified."""
    return text.translate(_SIMPLER)


def comparable(text: str) -> str:
    """Return the form in which names are compared.

    >>> comparable("Xī'ān"), comparable("xi an"), comparable("ＸＩ’ＡＮ"), comparable("紐約")
    ('xian', 'xian', 'xian', '纽约')
    """
    if text.isascii():
        return "".join(letter for letter in text.lower() if letter.isalnum())
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_LATIN)
    apart = unicodedata.normalize("NFD", folded)
    kept = "".join(letter for letter in apart if letter.isalnum())
    return unicodedata.normalize("NFC", kept).translate(_SIMPLER)


def is_han(text: str) -> bool:
    """Tell whether every character is a Chinese one."""
    return bool(text) and all("\u3400" <= letter <= "\u9fff" for letter in text)
