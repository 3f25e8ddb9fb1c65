"""What is written in the figures, in Chinese: the pages show it below each, for the figures themselves are in English.

A figure with Chinese text would need a font, and its bytes would be those of the machine that drew it.
"""

from __future__ import annotations

from catalog.archive import MAP_PNG, METHODS_PNG, PROFILE_PNG, PROFILES_PNG, SERIES_PNG, STAKES_PNG

Words = tuple[tuple[str, str], ...]

_SYNTHETIC = ("SYNTHETIC SAMPLE — not observations", "合成样本，非观测")
_AXES = (("easting (km)", "东向坐标（千米）"), ("northing (km)", "北向坐标（千米）"))
_ELEVATION = ("elevation (m)", "海拔（米）")
_AREA = ("glacier area (km²)", "冰川面积（平方千米）")
_YEAR = ("mass-balance year", "物质平衡年")
_BALANCE = ("balance (m w.e.)", "物质平衡（米水当量）")
_SEASONS = (("annual", "年"), ("winter", "冬季"), ("summer", "夏季"))

_ELEVATION_CHANGE: dict[str, Words] = {
    MAP_PNG: (
        *_AXES,
        ("elevation change (m), later minus earlier", "高程变化（米），后期减前期"),
        ("glaciers", "冰川数"),
        ("mean", "均值"),
        ("stable terrain", "稳定地形"),
    ),
    "dem_checks.png": (
        ("Each DEM by itself", "各期DEM检查"),
        ("before anything is corrected", "校正之前"),
        ("earlier", "前期"),
        ("later", "后期"),
        ("void", "空洞"),
        ("level ground", "平坦地面"),
        ("spikes", "尖峰"),
        ("spike", "尖峰"),
        ("border of tiles", "分幅边界"),
        ("seam", "接边错位"),
        ("hypsometry", "面积-高程分布"),
        ("share of the area (%)", "面积占比（%）"),
        _ELEVATION,
    ),
    "stable_terrain.png": (
        ("Stable terrain before and after correction", "校正前后的稳定地形"),
        ("as they come", "原始"),
        ("co-registered", "配准后"),
        ("and curvature-corrected", "曲率校正后"),
        ("elevation difference over stable terrain (m)", "稳定地形高程差（米）"),
        ("density (1/m)", "概率密度（1/米）"),
        ("mean", "均值"),
        ("to", "至"),
    ),
    "aspect.png": (
        ("Horizontal offset seen in the aspect", "坡向所示的水平偏移"),
        ("moved by", "平移量"),
        ("east", "东"),
        ("north", "北"),
        ("up", "上"),
        ("before", "配准前"),
        ("after", "配准后"),
        ("enlarged", "放大"),
        ("aspect of the slope", "坡向"),
        ("aspect", "坡向"),
        ("median of dh / tan(slope) (m)", "dh / tan(坡度) 的中值（米）"),
    ),
    "curvature.png": (
        ("Resolution effect over stable terrain", "稳定地形上的分辨率效应"),
        ("taken off by point spread", "按点扩散函数扣除"),
        ("taken off by principal curvatures", "按最大与最小曲率扣除"),
        ("taken off by maximum curvature", "按最大曲率扣除"),
        ("not corrected", "未校正"),
        ("later", "后期"),
        ("earlier", "前期"),
        ("before", "校正前"),
        ("after", "校正后"),
        ("fit", "拟合"),
        ("to", "至"),
        ("maximum curvature (per 100 m)", "最大曲率（每100米）"),
        ("median elevation difference (m)", "高程差中值（米）"),
    ),
    "resolution.png": (
        ("What each form of the correction takes off", "各种校正形式所扣除的量"),
        ("lines: stable terrain by band of 200 m; marks: means", "线：稳定地形每200米高程带；点：均值"),
        ("point spread", "点扩散函数"),
        ("both curvatures", "最大与最小曲率"),
        ("maximum curvature", "最大曲率"),
        ("published", "已发布"),
        ("stable terrain", "稳定地形"),
        ("glaciers", "冰川"),
        ("taken off (m), later minus earlier", "扣除量（米），后期减前期"),
        _ELEVATION,
    ),
    "undulation.png": (
        ("Undulation over stable terrain", "稳定地形上的波状起伏"),
        ("wavelength", "波长"),
        ("removed", "已去除"),
        ("left in", "未去除"),
        ("stable terrain", "稳定地形"),
        ("waves", "拟合的波"),
        ("distance along", "沿方位的距离"),
        ("mean elevation difference (m)", "平均高程差（米）"),
    ),
    "accuracy.png": (
        ("Accuracy by terrain", "各类地形的精度"),
        (
            "bars: NMAD; marks: mean; of the elevation difference over stable terrain",
            "柱：NMAD；点：均值；稳定地形高程差",
        ),
        ("before", "校正前"),
        ("after", "校正后"),
        ("mean", "均值"),
        ("slope (degrees)", "坡度（度）"),
        ("aspect", "坡向"),
        ("maximum curvature (per 100 m)", "最大曲率（每100米）"),
        ("elevation difference (m)", "高程差（米）"),
        _ELEVATION,
    ),
    "variogram.png": (
        ("How far errors are correlated", "误差的相关距离"),
        ("model with ranges of", "模型，变程为"),
        ("model with a range of", "模型，变程为"),
        ("lines are as strong as their parts", "竖线深浅表示各部分的比重"),
        ("stable terrain", "稳定地形"),
        ("model", "模型"),
        ("ranges of", "个变程"),
        ("to", "至"),
        ("with", "含"),
        ("distance (km)", "距离（千米）"),
        ("semivariance of standardised residuals", "标准化残差的半方差"),
    ),
    "patches.png": (
        ("Is the stated uncertainty right?", "所述不确定性是否正确"),
        ("stable patches of", "个稳定地块，每块面积"),
        ("spread", "离散度"),
        ("expected", "期望"),
        ("too few to prove much", "数量不足以证明"),
        ("observed", "观测"),
        ("predicted", "预期"),
        ("mean of a patch / its stated standard deviation", "地块均值与所述标准差之比"),
        ("density", "概率密度"),
    ),
    "hypsometry.png": (
        ("Elevation change by elevation", "高程变化随海拔的分布"),
        ("all glaciers; each band of elevation by itself", "全部冰川，各高程带分别统计"),
        ("mean change", "平均变化"),
        ("elevation change (m)", "高程变化（米）"),
        _ELEVATION,
        _AREA,
    ),
}
_MASS_BALANCE: dict[str, Words] = {
    MAP_PNG: (
        *_AXES,
        ("annual balance (m w.e.)", "年物质平衡（米水当量）"),
        ("annual balance", "年物质平衡"),
        ("ELA", "平衡线高度"),
        ("AAR", "积累区比率"),
    ),
    PROFILE_PNG: (
        ("steps: elevation zones, dotted where extrapolated", "阶梯线：高程带，点线为外推"),
        ("violet and bars: one standard deviation", "紫色带和误差线：一倍标准差"),
        *_SEASONS,
        ("stakes", "花杆"),
        ("snow pits", "雪坑"),
        ("probings", "雪深探测"),
        ("at most (melted out)", "上限（花杆融出）"),
        ("ELA", "平衡线高度"),
        _BALANCE,
        _ELEVATION,
        _AREA,
    ),
    SERIES_PNG: (
        ("Mass balance of", "物质平衡："),
        (
            "whiskers and band: one standard deviation; random errors add in quadrature, systematic ones linearly",
            "误差线和色带：一倍标准差；随机误差按平方和累积，系统误差线性累积",
        ),
        *_SEASONS,
        _BALANCE,
        ("cumulative (m w.e.)", "累积（米水当量）"),
        _YEAR,
    ),
    PROFILES_PNG: (
        ("Balance against elevation", "物质平衡随海拔的变化"),
        (
            "lines: elevation zones; dots: stakes and pits; diamonds on the zero: equilibrium line",
            "线：高程带；点：花杆和雪坑；零线上的菱形：平衡线",
        ),
        ("annual balance (m w.e.)", "年物质平衡（米水当量）"),
        _ELEVATION,
        _YEAR,
    ),
    METHODS_PNG: (
        ("Methods and errors", "方法与误差"),
        (
            "each method less the published balance; grey: one standard deviation of the published one",
            "各方法减去发布值；灰色：发布值的一倍标准差",
        ),
        ("contour", "净平衡等值线法"),
        ("field", "物质平衡场"),
        ("zone", "等高线分区法"),
        ("gradient", "线性梯度"),
        ("quadratic", "二次拟合"),
        ("piecewise", "分段线性"),
        ("index stakes", "指示花杆"),
        ("inverse distance", "反距离加权"),
        ("difference (m w.e.)", "差值（米水当量）"),
        ("σ of the annual balance, parted by share of the variance", "年物质平衡的σ，按方差占比划分"),
        ("area", "面积"),
        ("density", "密度"),
        ("interpolation", "插值"),
        ("method", "方法"),
        ("point", "单点"),
        _YEAR,
    ),
    STAKES_PNG: (
        ("Stake history", "花杆历史"),
        ("all stakes", "全部花杆"),
        ("stakes, evenly by elevation", "根花杆，按海拔均匀选取"),
        ("of", "共"),
        ("the highest first", "由高到低"),
        ("band: one standard deviation", "色带：一倍标准差"),
        ("grey, scale at the right: exposed length (m)", "灰色，右侧标尺：出露长度（米）"),
        ("cumulative balance (m w.e.), red", "累积物质平衡（米水当量），红色"),
    ),
}
_WORDS = {"elevation_change": _ELEVATION_CHANGE, "mass_balance": _MASS_BALANCE}


def words_of(kind: str, name: str, synthetic: bool) -> Words:
    """English and Chinese of what is written in a figure; empty for one that has no words.

    Parameters
    ----------
    kind : the definition's: ``elevation_change`` or ``mass_balance``.
    name : the figure's file name.
    synthetic : whether the figure says that its data are a synthetic sample.
    """
    words = _WORDS[kind].get(name, ())
    return (*words, _SYNTHETIC) if words and synthetic else words
