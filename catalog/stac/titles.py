"""Titles of the files beside a collection, where no other part of the project states them in both languages."""

from __future__ import annotations

from schemas.definition import Bilingual

METADATA_TITLES = {
    "ncdc.json": Bilingual(
        en="Record of the National Cryosphere Desert Data Center", cn="国家冰川冻土沙漠科学数据中心元数据记录"
    ),
    "citation.txt": Bilingual(en="Citation text", cn="引用文本"),
    "CITATION.cff": Bilingual(en="Citation File Format", cn="引用文件（CFF）"),
    "datacite.json": Bilingual(en="DataCite metadata (JSON)", cn="DataCite 元数据（JSON）"),
    "datacite.xml": Bilingual(en="DataCite metadata (XML)", cn="DataCite 元数据（XML）"),
    "iso19139.xml": Bilingual(en="ISO 19139 metadata", cn="ISO 19139 元数据"),
    "dataset.jsonld": Bilingual(en="schema.org Dataset", cn="schema.org 数据集描述"),
    "ro-crate-metadata.json": Bilingual(en="RO-Crate metadata", cn="RO-Crate 元数据"),
}
COLLECTION_FIGURES_CN = {
    "balance_series.png": "年、冬季和夏季物质平衡及其误差与累积物质平衡",
    "balance_profiles.png": "各年物质平衡随高程的变化及平衡线",
    "balance_methods.png": "各方法所得年物质平衡及误差来源",
    "stake_history.png": "各测杆出露长度和累积物质平衡随时间的变化",
}
TABLE_TITLES_CN = {
    "glaciers": "各冰川高程变化",
    "elevation_bands": "各高程带高程变化",
    "region": "全区高程变化",
    "accuracy": "稳定地形上的相对精度",
    "dem_checks": "DEM精度检查",
    "coregistration": "配准迭代过程",
    "dates": "获取日期",
    "corrections": "雷达穿透与季节改正",
    "outlines": "冰川轮廓",
    "stakes": "测杆",
    "readings": "测杆读数",
    "snow_pits": "雪坑",
    "pit_layers": "雪坑分层",
    "probings": "雪深探测",
    "point_balances": "单点物质平衡",
    "zone_balances": "高程带物质平衡",
    "glacier_balances": "全冰川物质平衡",
    "hypsometry": "面积-高程分布",
    "cumulative_balances": "累积物质平衡",
    "error_budgets": "误差构成",
    "leave_one_out": "留一交叉检验",
    "other_time_systems": "其他时间系统的单点物质平衡",
    "filled_balances": "插补的单点物质平衡",
    "linear_model": "线性物质平衡模型",
    "density_fits": "雪密度随深度的变化",
    "quality_flags": "质量标记",
    "geodetic_check": "大地测量法检验",
    "input_notes": "输入说明",
    "quality_gates": "质量门限",
    "data_dictionary": "数据字典",
    "fog2023_mass_balance_overview": "WGMS FoG 2023-09：物质平衡概况",
    "fog2023_mass_balance": "WGMS FoG 2023-09：物质平衡",
    "fog2023_mass_balance_point": "WGMS FoG 2023-09：单点物质平衡",
    "fog2026_mass_balance": "WGMS FoG 2026：物质平衡",
    "fog2026_mass_balance_band": "WGMS FoG 2026：高程带物质平衡",
    "fog2026_mass_balance_point": "WGMS FoG 2026：单点物质平衡",
}
