"""The Chinese of every sentence that the product makes from words and values, by its English words.

Placeholders are those of the English sentence, all of them; a test holds both together and finds what is left over.
"""

SENTENCES_CN = {
    # --- words that sentences are given -----------------------------------------------------------------------------
    "earlier": "前期",
    "later": "后期",
    "contour": "等值线法",
    "zone": "等高线分带法",
    "observed": "实测",
    "reconstructed": "重建",
    "estimated": "估算",
    "published": "已发表",
    "mixed": "部分实测",
    "removed": "已消除",
    "fitted, but not removed because NMAD did not fall": "已拟合，但因NMAD未减小而未消除",
    # --- what became of the vertical datums ---------------------------------------------------------------------------
    "left to co-registration": "留待配准消除",
    "none needed": "无需转换",
    "PROJ grids": "PROJ格网",
    "both DEMs stand on the same vertical datum": "两期DEM的高程基准相同",
    "a vertical datum is not stated; a constant difference goes into the vertical shift": (
        "高程基准未说明；其常数差异计入垂直偏移"
    ),
    "PROJ lacks the geoid grid ({grids}); the mean difference of the datums is in the vertical shift, its variation"
    " over the area stays in the result": (
        "PROJ缺少大地水准面格网（{grids}）；两基准的平均差异计入垂直偏移，其空间变化留在结果中"
    ),
    "PROJ grids changed {source} heights to {target} by {least:.2f} to {greatest:.2f} m": (
        "PROJ格网将{source}高程转换为{target}，改变{least:.2f}至{greatest:.2f}米"
    ),
    "{role} DEM, Zevenbergen and Thorne 3 x 3 at {pixel_m:g} m": (
        "{role}DEM，Zevenbergen和Thorne 3×3窗口，{pixel_m:g}米"
    ),
    # --- lineage of an elevation change -------------------------------------------------------------------------------
    "Synthetic sample inputs.": "合成样本输入。",
    "{earlier} (earlier) and {later} (later) were checked, brought onto one grid ({crs}, {pixel_m:g} m) and one"
    " vertical datum ({method}: {note}).": (
        "{earlier}（前期）与{later}（后期）经检查后统一到同一格网（{crs}，{pixel_m:g}米）；高程基准：{method}（{note}）。"
    ),
    "The DEM that is not the reference ({reference} is) was co-registered over stable terrain by the cosine relation of"
    " aspect and elevation difference (Nuth and Kaab, 2011): it was moved by {east:.2f} m east, {north:.2f} m north and"
    " {up:.2f} m up.": (
        "以{reference}DEM为参考，在稳定地形上按坡向与高程差的余弦关系配准另一DEM（Nuth和Kääb，2011）："
        "向东{east:.2f}米，向北{north:.2f}米，向上{up:.2f}米。"
    ),
    "The resolution effect by maximum curvature (Gardelle et al., 2012; {source}) was {done}: NMAD {before_m:.2f} to"
    " {after_m:.2f} m.": (
        "与最大曲率有关的分辨率效应（Gardelle等，2012；{source}）{done}：NMAD由{before_m:.2f}米变为{after_m:.2f}米。"
    ),
    "Elevation change is later minus earlier; its uncertainty was estimated from stable terrain.": (
        "高程变化为后期减前期，其不确定性由稳定地形估计。"
    ),
    # --- lineage of a mass balance ------------------------------------------------------------------------------------
    "Point balances from stakes and snow pits ({provenance}, time system {time_system}) were interpolated with their"
    " trend over elevation, clipped to the outline, and integrated between isolines at {isoline_m_we:g} m w.e. (contour"
    " method) and over elevation zones of {band_m:g} m; the published balance is that of the {method} method.": (
        "由测杆和雪坑得到的单点物质平衡（{provenance}，时间系统{time_system}）连同其随高程的趋势进行插值，以冰川边界裁剪，"
        "按{isoline_m_we:g} m w.e.等值线（等值线法）和{band_m:g}米高程带（等高线分带法）积分；发布值采用{method}。"
    ),
}
