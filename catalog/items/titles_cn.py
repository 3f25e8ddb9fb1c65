"""Chinese titles and descriptions of the items' files, by asset key; what is not listed keeps its English words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from catalog.archive import METHODS_PNG, PROFILES_PNG, SERIES_PNG, STAKES_PNG, Asset

_TITLES = {
    "elevation_change": "表面高程变化",
    "elevation_change_sigma": "表面高程变化的不确定性",
    "classification": "分类",
    "glaciers": "各冰川及其高程变化",
    "outlines": "各期冰川边界",
    "outlines_geoparquet": "各期冰川边界（GeoParquet）",
    "thumbnail": "带色标的缩略图",
    "figure_dem_checks": "各DEM的空值、尖峰、平坦地面和接边",
    "figure_stable_terrain": "各步骤后稳定地形上的高程差",
    "figure_aspect": "配准前后高程差与坡向的关系",
    "figure_curvature": "高程差与最大曲率的关系",
    "figure_accuracy": "各类地形高程差的均值和NMAD",
    "figure_variogram": "标准化残差的变差函数",
    "figure_patches": "用稳定地块检验所述不确定性",
    "figure_hypsometry": "高程变化和面积随高程的分布",
    "outline": "冰川边界",
    "outline_geoparquet": "冰川边界（GeoParquet）",
    "balance": "年物质平衡",
    "balance_sigma": "年物质平衡的不确定性",
    "isolines": "年物质平衡等值线",
    "profile": "物质平衡随高程的变化及平衡线",
}
# keys that both kinds of items have
_TITLES_BY_KIND = {
    ("map", "elevation_change"): "带冰川边界的高程变化图",
    ("map", "mass_balance"): "等值线、测杆和平衡线图",
    ("visual", "elevation_change"): "表面高程变化彩色图",
    ("visual", "mass_balance"): "年物质平衡彩色图",
}
_DESCRIPTIONS = {
    "elevation_change": "表面高程变化（米），后期减前期，升高为正",
    "elevation_change_sigma": "单个像元高程变化的一倍标准差（米）",
    "classification": "各像元的类别：冰川、稳定地形、排除或空值",
    "visual": "红色为降低，蓝色为升高，叠加于山体阴影之上，并绘出冰川边界",
    "glaciers": "每条冰川各期范围的并集及其统计记录",
    "outlines": "所用的冰川边界，每条冰川每期一个要素",
    "outlines_geoparquet": "同一边界的GeoParquet格式",
    "balance": "年物质平衡，米水当量",
    "balance_sigma": "年物质平衡的一倍标准差，米水当量",
    "isolines": "年物质平衡等值线，以冰川边界裁剪",
    "outline": "计算物质平衡所用的冰川边界",
    "outline_geoparquet": "同一边界的GeoParquet格式",
}
# figures of a mass-balance collection, by file name
COLLECTION_FIGURES_CN = {
    SERIES_PNG: "年、冬季和夏季物质平衡及其误差与累积物质平衡",
    PROFILES_PNG: "各年物质平衡随高程的变化及平衡线",
    METHODS_PNG: "各方法所得年物质平衡及误差来源",
    STAKES_PNG: "各测杆出露长度和累积物质平衡随时间的变化",
}
# steps of ``catalog.items.processing_steps``
STEPS_CN = {
    "one grid": "统一格网",
    "one vertical datum": "统一高程基准",
    "elevation difference": "高程差",
    "stable terrain": "稳定地形",
    "co-registration": "配准",
    "tilt": "倾斜",
    "resolution effect": "分辨率效应",
    "blunders on glaciers": "冰川区粗差",
    "uncertainty of a pixel": "像元的不确定性",
    "uncertainty of a mean": "平均值的不确定性",
    "mass change": "质量变化",
    "stake": "测杆",
    "snow pit": "雪坑",
    "field": "物质平衡场",
    "contour method": "等值线法",
    "zoning": "等高线分带法",
    "published balance": "发布的物质平衡",
    "equilibrium line": "平衡线",
    "uncertainty": "不确定性",
}
CLASSES_CN = {
    "void": ("空值", "无高程变化：两期高程模型之一在此处无值"),
    "stable": ("稳定地形", "冰川外的稳定地形，用于配准和精度评价"),
    "glacier": ("冰川", "任一期轮廓内的冰川"),
    "excluded": ("排除", "冰川外但未使用：靠近轮廓、过平或过陡、水体或异常值"),
}


def with_chinese(assets: Iterable[Asset], kind: str) -> tuple[Asset, ...]:
    """The assets of an item with what is said of them in Chinese; the Chinese words that they have already stay.

    ``kind`` is the definition's: ``elevation_change`` or ``mass_balance``.
    """
    return tuple(
        replace(
            asset,
            title_cn=asset.title_cn or _title(asset.key, kind),
            description_cn=asset.description_cn or _DESCRIPTIONS.get(asset.key, ""),
            extra_cn=asset.extra_cn or _words_of(asset.extra),
        )
        for asset in assets
    )


def step_cn(name: str) -> str:
    """The name of a processing step in Chinese; empty where it has none."""
    kind, comma, surface = name.partition(", ")
    if kind == "radar penetration and season" and comma:
        return f"雷达穿透与季节改正：{surface}"
    return STEPS_CN.get(name, "")


def renders_cn(renders: Mapping[str, Mapping[str, Any]], kind: str) -> dict[str, Any]:
    """The renders of an item with their titles in Chinese; ``kind`` as in ``with_chinese``."""
    return {key: {**said, "title": _title(key, kind) or said["title"]} for key, said in renders.items()}


def _title(key: str, kind: str) -> str:
    return _TITLES_BY_KIND.get((key, kind)) or _TITLES.get(key, "")


def _words_of(extra: dict[str, Any]) -> dict[str, Any]:
    """Fields that hold words, in Chinese: the classes of a classification."""
    classes = extra.get("classification:classes")
    if not classes:
        return {}
    words = {name: {"title": title, "description": text} for name, (title, text) in CLASSES_CN.items()}
    return {"classification:classes": [{**entry, **words.get(entry["name"], {})} for entry in classes]}
