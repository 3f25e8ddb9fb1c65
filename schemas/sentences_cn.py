"""The Chinese of every sentence that the product makes from words and values, by its English words.

Placeholders are those of the English sentence, all of them; a test holds both together and finds what is left over.
"""

SENTENCES_CN = {
    # --- words that sentences are given -----------------------------------------------------------------------------
    "earlier": "前期",
    "later": "后期",
    "contour": "净平衡等值线法",
    "zone": "等高线分区法",
    "observed": "实测",
    "reconstructed": "重建",
    "estimated": "估算",
    "published": "已发表",
    "mixed": "部分实测",
    "small": "小",
    "large": "大",
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
    "the settings leave it out": "设置中未要求",
    "both DEMs resolve the same detail, whatever their pixel sizes": "无论像元大小，两个DEM所分辨的细节相同",
    "it does not narrow the spread of stable terrain": "它不能减小稳定地形的离散程度",
    "it would move the mean of stable terrain from {before:+.2f} to {after:+.2f} m": (
        "它会使稳定地形的均值由{before:+.2f}米变为{after:+.2f}米"
    ),
    "it would move the mean of stable terrain at {lower:g} to {upper:g} m from {before:+.2f} to {after:+.2f} m": (
        "它会使{lower:g}至{upper:g}米稳定地形的均值由{before:+.2f}米变为{after:+.2f}米"
    ),
    "{radars}: a radar looks into snow and firn, by up to some metres where they are cold and dry, and no"
    " penetration is given (--penetration-earlier, --penetration-later, --sigma-penetration): the change of"
    " glaciers may be off by it, beyond its stated error": (
        "{radars}：雷达会穿透雪和粒雪，在寒冷干燥处可达数米，而未给出穿透深度（--penetration-earlier、--penetration-later、"
        "--sigma-penetration）：冰川的变化可能因此有偏，且超出所述误差"
    ),
    "no glacier outlines are given: glaciers count as stable terrain where they are measured, and no change of a"
    " glacier is summed up; give them (--glaciers)": (
        "未给出冰川轮廓：有测量值的冰川计入稳定地形，且不汇总冰川的变化；请给出轮廓（--glaciers）"
    ),
    "a date of the DEMs is not known: the change has no rate; give both (--date-earlier, --date-later)": (
        "DEM的日期不全：变化没有速率；请给出两个日期（--date-earlier、--date-later）"
    ),
    "a residual tilt explains {share:.0%} of the NMAD of stable terrain: it can be removed (--remove-tilt,"
    " setting correct_tilt)": "残余倾斜解释了稳定地形NMAD的{share:.0%}：可予去除（--remove-tilt，设置correct_tilt）",
    "dh of stable terrain changes by {metres:+.2f} ± {sigma:.2f} m per 1000 m of elevation, a scale error of one of the"
    " DEMs, which passes into the glaciers: it can be removed (--remove-elevation-scale, setting"
    " correct_elevation_scale)": (
        "稳定地形的高程差随海拔每1000米变化{metres:+.2f} ± {sigma:.2f}米，系其中一个DEM的比例误差，并传入冰川："
        "可予去除（--remove-elevation-scale，设置correct_elevation_scale）"
    ),
    "dh of stable terrain undulates by {amplitude:.2f} ± {sigma:.2f} m with a wavelength of {length:.1f} km: it can be"
    " removed (--remove-undulation, setting correct_undulation)": (
        "稳定地形的高程差呈波状起伏，振幅{amplitude:.2f} ± {sigma:.2f}米，波长{length:.1f}千米："
        "可予去除（--remove-undulation，设置correct_undulation）"
    ),
    "the smoothest fifth of stable terrain lies {mean:+.2f} of its stated sigma off zero on average ({count}"
    " patches): glaciers are smooth too, and may be off as much": (
        "最平滑的五分之一稳定地形平均偏离零{mean:+.2f}倍所述标准差（{count}个地块）：冰川同样平滑，可能有同样的偏差"
    ),
    "no undulation stands out of the errors of stable terrain: none is removed": (
        "稳定地形的误差中没有突出的波状起伏，未作去除"
    ),
    "stable terrain does not differ at all: one DEM was made from the other there, and nothing tells the error of the"
    " change": "稳定地形毫无差异：其中一个DEM在该处由另一个制成，高程变化的误差无从得知",
    "the long range of the errors is not resolved: means of {size} x {size} pixels spread {ratio:.1f} times as"
    " widely as the fitted variogram says; the stated errors were widened by what is missing": (
        "误差的长程相关未能分辨：{size}×{size}像元的均值离散程度为拟合变差函数所示的{ratio:.1f}倍；所述误差已按缺失部分放大"
    ),
    "no correction of the resolution effect is taken off: {reason}": "未扣除分辨率效应：{reason}",
    # --- accuracy checks of a DEM -------------------------------------------------------------------------------------
    "{count} tiles, {first} to {last}": "{count}个分幅，{first}至{last}",
    "missing: {tiles}": "缺少：{tiles}",
    "the tile around {place}": "{place}一带的分幅",
    "{one} and {other} overlap by {share:.0%}": "{one}与{other}重叠{share:.0%}",
    "no ground held twice": "没有重复覆盖的地面",
    "{crs}, heights {datum}": "{crs}，高程基准{datum}",
    "a CRS without code": "无代码的坐标系",
    "in an unknown vertical datum": "未知",
    "without a height, of {pixels} pixels": "{pixels}个像元中的空洞",
    "without a height, of {pixels} glacier pixels": "{pixels}个冰川像元中的空洞",
    "as high as the neighbours to the east and south: constant, terraced, or water": (
        "与东侧和南侧相邻像元等高：常数、阶梯状或水体"
    ),
    "{note}; {share:.0%} of all heights are whole metres": "{note}；{share:.0%}的高程为整米数",
    "no height stands far off its neighbours": "没有远离相邻像元的高程",
    "{count} pixels far off their neighbours": "{count}个像元远离相邻像元",
    "{spikes}, the worst by {off_m:+.0f} m at row {row}, column {column} ({place}) of {tile}": (
        "{spikes}，最甚者相差{off_m:+.0f}米，位于{tile}第{row}行第{column}列（{place}）"
    ),
    "no height at all": "没有任何高程",
    "lowest height, near {place}": "最低高程，位于{place}附近",
    "highest height, near {place}": "最高高程，位于{place}附近",
    "highest minus lowest; the limit is the least, below it the DEM is constant": (
        "最高减最低；限值为最小值，低于它则DEM为常数"
    ),
    "{note}; in {tiles}": "{note}；见于{tiles}",
    "too few heights on both sides to tell": "两侧高程过少，无法判断",
    "mean step +- {noise_m:.2f} m over {pixels} pixels, from {begin} to {end}": (
        "{pixels}个像元的平均阶差，误差±{noise_m:.2f}米，自{begin}至{end}"
    ),
    "{note}, and {count} more in the table of the checks": "{note}，另有{count}项见检查表",
    "{value:.3g}{unit}, limit {limit:.3g}{unit} ({note})": "{value:.3g}{unit}，限值{limit:.3g}{unit}（{note}）",
    "{dem} DEM fails the check {check}: {values}": "{dem}DEM未通过精度检验{check}：{values}",
    "{dem} DEM fails the check {check} of {tile}: {values}": "{dem}DEM未通过{tile}的精度检验{check}：{values}",
    # --- what is odd about the inputs of an elevation change ----------------------------------------------------------
    "{role} DEM": "{role}DEM",
    "{role} DEM, {tile}: {note}": "{role}DEM，{tile}：{note}",
    "{percent:.2g} % of the pixels hold {value:g}, no height on Earth and not declared as nodata; void": (
        "{percent:.2g}%的像元值为{value:g}，并非地球上的高程，也未声明为无数据值；按空洞处理"
    ),
    "no height in the whole tile": "整个分幅没有高程",
    "the height {height_m:g} m in the whole tile": "整个分幅的高程均为{height_m:g}米",
    "the DEMs overlap in {percent:.1f} % of the smaller one alone: are they of the same area?": (
        "两期DEM仅在较小一幅的{percent:.1f}%范围内重叠：是否为同一地区？"
    ),
    "heights of {aligned} are {offset_m:+.1f} m off those of {reference} (median) before the co-registration;"
    " is a vertical datum wrong?": (
        "配准之前{aligned}的高程与{reference}相差{offset_m:+.1f}米（中值）；高程基准是否有误？"
    ),
    "heights of {aligned} are {offset_m:+.1f} m off those of {reference} (median) before the co-registration; the"
    " geoid lies at {geoid_m:+.1f} m there; is a vertical datum wrong?": (
        "配准之前{aligned}的高程与{reference}相差{offset_m:+.1f}米（中值）；该处大地水准面位于{geoid_m:+.1f}米；"
        "高程基准是否有误？"
    ),
    "heights of {aligned} explain {percent:.0f} % of the relief of {reference}; is it the same ground, and is the"
    " shift small?": "{aligned}的高程仅解释{reference}起伏的{percent:.0f}%；是否为同一地面，偏移是否较小？",
    # --- blunders and the uncertainty of an elevation change ----------------------------------------------------------
    "{count} of {measured} measured glacier pixels stand apart from the change around them and count as voids"
    " (setting glacier_outlier_nmad)": (
        "{measured}个有实测变化的冰川像元中有{count}个与周围变化相差悬殊，按空洞处理（设置glacier_outlier_nmad）"
    ),
    "means over stable patches spread {spread:.2f} times as widely as the stated uncertainty says ({least:g} to"
    " {greatest:g} expected): that of a glacier's mean is probably too {wrong} by this factor": (
        "稳定地块均值的离散程度为所述不确定性的{spread:.2f}倍（应为{least:g}至{greatest:g}）："
        "冰川平均值的不确定性可能按此倍数偏{wrong}"
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
        "以{reference}DEM为参考，在稳定地形上按坡度坡向与高程差的余弦关系配准另一DEM（Nuth和Kääb，2011）："
        "向东{east:.2f}米，向北{north:.2f}米，向上{up:.2f}米。"
    ),
    "No correction of the resolution effect was taken off: {reason}.": "未扣除分辨率效应：{reason}。",
    "The resolution effect was taken off by the coarser DEM's point spread ({coefficient:.2f} times what it takes from"
    " the finer DEM's heights), fitted in turn with the shift, instead of the description's maximum curvature, which"
    " takes something off smooth glaciers that is not there.": (
        "分辨率效应按较粗DEM的点扩散函数扣除（为其从较细DEM高程中平滑掉部分的{coefficient:.2f}倍），与平移量交替求解；"
        "未采用原描述的最大曲率法，因其会从平滑的冰川表面扣除并不存在的偏差。"
    ),
    "The resolution effect was taken off by the description's maximum curvature, to which the minimum curvature was"
    " added, both curves zero on a plane, fitted in turn with the shift ({source}).": (
        "分辨率效应按原描述的最大曲率并补充最小曲率扣除，两条曲线在平面上均为零，与平移量交替求解（{source}）。"
    ),
    "The resolution effect was taken off by maximum curvature alone (Gardelle et al., 2012; {source}), as the"
    " description says.": "分辨率效应按原描述仅用最大曲率扣除（Gardelle等，2012；{source}）。",
    "What the point spread, maximum and minimum curvature together, and maximum curvature alone take off stable"
    " terrain, its elevation bands and the glaciers stands side by side in the table resolution.csv; the distance of"
    " the first two is a term of the error.": (
        "点扩散函数法、最大与最小曲率法以及仅用最大曲率法从稳定地形、各高程带和冰川扣除的量并列于表resolution.csv；"
        "前两者之差计入误差。"
    ),
    "Elevation change is later minus earlier; its uncertainty was estimated from stable terrain.": (
        "高程变化为后期减前期，其不确定性由稳定地形估计。"
    ),
    # --- lineage of a mass balance ------------------------------------------------------------------------------------
    "Point balances from stakes and snow pits ({provenance}, time system {time_system}) were interpolated with their"
    " trend over elevation, clipped to the outline, and integrated between isolines at {isoline_m_we:g} m w.e. (contour"
    " method) and over elevation zones of {band_m:g} m; the published balance is that of the {method} method.": (
        "由花杆和雪坑得到的单点物质平衡（{provenance}，时间系统{time_system}）连同其随高程的趋势进行插值，以冰川边界裁剪，"
        "按{isoline_m_we:g} m w.e.等值线（净平衡等值线法）和{band_m:g}米高程带（等高线分区法）积分；"
        "发布值采用{method}。"
    ),
    # --- files of the items and their pictures ------------------------------------------------------------------------
    "Voids, spikes, level ground and seams of each DEM": "各DEM的空洞、尖峰、平坦地面和接边",
    "Elevation difference over stable terrain after each step": "各步骤后稳定地形上的高程差",
    "Elevation difference against aspect, before and after co-registration": "配准前后高程差与坡向的关系",
    "Elevation difference against maximum curvature": "高程差与最大曲率的关系",
    "Mean and NMAD of the elevation difference by class of terrain": "各类地形高程差的均值和NMAD",
    "Variogram of the standardised residuals": "标准化残差的变差函数",
    "Stated uncertainty tested on stable patches": "用稳定地块检验所述不确定性",
    "What each form of the resolution correction takes off": "各种分辨率校正形式所扣除的量",
    "Undulation of stable terrain": "稳定地形上的波状起伏",
    "Elevation change and area by elevation": "高程变化和面积随高程的分布",
    "Annual, winter and summer balances with their errors, and the cumulative balance": (
        "年、冬季和夏季物质平衡及其误差与累积物质平衡"
    ),
    "Balance against elevation in every year, with the equilibrium lines": "各年物质平衡随高程的变化及平衡线",
    "What each method makes of the annual balance, and the error by source": "各方法所得年物质平衡及误差来源",
    "Exposed length and cumulative balance of each stake over time": "各花杆出露长度和累积物质平衡随时间的变化",
    "Elevation change": "表面高程变化",
    "Surface elevation change in metres, later minus earlier; gain is positive": (
        "表面高程变化（米），后期减前期，升高为正"
    ),
    "Uncertainty of the elevation change": "表面高程变化的不确定性",
    "One standard deviation of the elevation change of a pixel, in metres": "单个像元高程变化的一倍标准差（米）",
    "Classification": "分类",
    "What each pixel is: glacier, stable terrain, excluded or void": "各像元的类别：冰川、稳定地形、排除或空洞",
    "Elevation change in colour": "表面高程变化彩色图",
    "Thumbnail with colour scale": "带色标的缩略图",
    "Map of the elevation change with glacier outlines": "带冰川边界的高程变化图",
    "Glaciers with their elevation change": "各冰川及其高程变化",
    "The area of all epochs together of each glacier, with its row of the table glaciers": (
        "每条冰川各期范围的并集及其统计记录"
    ),
    "Glacier outlines of each epoch": "各期冰川边界",
    "Outlines as used, one feature a glacier and epoch": "所用的冰川边界，每条冰川每期一个要素",
    "Glacier outlines of each epoch (GeoParquet)": "各期冰川边界（GeoParquet）",
    "The same outlines as GeoParquet": "同一边界的GeoParquet格式",
    "Map of the isolines, stakes and equilibrium line": "等值线、花杆和平衡线图",
    "Balance against elevation, with the equilibrium line": "物质平衡随高程的变化及平衡线",
    "Annual balance in colour": "年物质平衡彩色图",
    "Isolines of the annual balance": "年物质平衡等值线",
    "Glacier outline": "冰川边界",
    "Glacier outline (GeoParquet)": "冰川边界（GeoParquet）",
    "The same outline as GeoParquet": "同一边界的GeoParquet格式",
    "Annual balance": "年物质平衡",
    "Uncertainty of the annual balance": "年物质平衡的不确定性",
    "Void": "空洞",
    "Stable": "稳定地形",
    "Glacier": "冰川",
    "Excluded": "排除",
    "No elevation change: one of the two elevation models has no value here, or a blunder on a glacier": (
        "无高程变化：两期DEM之一在此处无值，或为冰川上的粗差"
    ),
    "Stable terrain off glaciers, used for co-registration and accuracy": "非冰川区的稳定地形，用于配准和精度评价",
    "Glacier in the outlines of any epoch": "任一期边界内的冰川",
    "Off glaciers but not used: near an outline, too flat or steep, water, or an outlier": (
        "非冰川区但未使用：靠近边界、过平或过陡、水体或异常值"
    ),
    "void, stable, glacier or excluded": "空洞、稳定地形、冰川或排除",
    "elevation change, later minus earlier": "高程变化，后期减前期",
    "one standard deviation of the elevation change": "高程变化的一倍标准差",
    "annual balance": "年物质平衡",
    "one standard deviation of the annual balance": "年物质平衡的一倍标准差",
    "Annual balance, metres of water equivalent": "年物质平衡，米水当量",
    "One standard deviation of the annual balance, metres of water equivalent": "年物质平衡的一倍标准差，米水当量",
    "Red for loss, blue for gain, from -{limit:g} to {limit:g} m, over shaded relief; glaciers outlined": (
        "红色为降低，蓝色为升高，色标-{limit:g}至{limit:g}米，叠加于山体阴影之上，并绘出冰川边界"
    ),
    "Red for loss, blue for gain, from -{limit:g} to {limit:g} m w.e., over shaded relief, with isolines and the"
    " glacier outlined; drawn on finer pixels than those of the balance": (
        "红色为亏损，蓝色为盈余，色标-{limit:g}至{limit:g} m w.e.，叠加于山体阴影之上，"
        "并绘出等值线和冰川边界；像元比物质平衡栅格更细"
    ),
    "Lines of equal annual balance at {interval:g} m w.e., clipped to the outline": (
        "间隔{interval:g} m w.e.的年物质平衡等值线，以冰川边界裁剪"
    ),
    "The outline within which the balance is computed": "计算物质平衡所用的冰川边界",
    "QGIS style: {of}": "QGIS样式：{of}",
    "QGIS opens {file} in these colours when this file stands beside it": (
        "与{file}置于同一文件夹时，QGIS按此配色打开该文件"
    ),
    "elevation change": "高程变化",
    "its uncertainty": "其不确定性",
    "classification": "分类",
    "glaciers": "冰川",
    "outlines": "冰川边界",
    "isolines": "物质平衡等值线",
    "outline": "冰川边界",
    "stable terrain {pair}": "稳定地形{pair}",
    "radar penetration and season, {surface}": "雷达穿透与季节改正：{surface}",
    # --- processing steps ---------------------------------------------------------------------------------------------
    "one grid": "统一格网",
    "one vertical datum": "统一高程基准",
    "elevation difference": "高程差",
    "stable terrain": "稳定地形",
    "co-registration": "配准",
    "tilt": "倾斜",
    "scale error": "比例误差",
    "undulation": "波状起伏",
    "resolution effect": "分辨率效应",
    "blunders on glaciers": "冰川区粗差",
    "uncertainty of a pixel": "像元的不确定性",
    "uncertainty of a mean": "平均值的不确定性",
    "mass change": "质量变化",
    "stake": "花杆",
    "snow pit": "雪坑",
    "field": "物质平衡场",
    "contour method": "净平衡等值线法",
    "zoning": "等高线分区法",
    "published balance": "发布的物质平衡",
    "equilibrium line": "平衡线",
    "uncertainty": "不确定性",
    "dh / tan(slope) = a cos(b - aspect) + c; position of the aligned DEM += ({east:.4f}, {north:.4f}, {up:.4f})"
    " m east, north, up": (
        "dh / tan(坡度) = a cos(b - 坡向) + c；被配准DEM的位置 += ({east:.4f}, {north:.4f}, {up:.4f}) 米（东、北、上）"
    ),
    "dh - {share:.3g} (z - mean z of stable terrain)": "dh - {share:.3g} (z - 稳定地形平均高程)",
    "dh - waves by least squares over stable terrain: {waves}": "dh - 稳定地形上最小二乘拟合的波：{waves}",
    "dh - ({east:.3g} easting + {north:.3g} northing)": "dh - ({east:.3g} 东向坐标 + {north:.3g} 北向坐标)",
    "void where fewer than 1/4 of the glacier pixels about it (5 x 5 posts) reach dh to within {limit:g}"
    " max(NMAD of dh from post to post in the elevation band, sigma_dh)": (
        "周围冰川像元（5×5格点）中达到dh者不足1/4处按空洞处理，"
        "容差为{limit:g} max(高程带内相邻格点dh之差的NMAD, sigma_dh)"
    ),
    "h_earlier, h_later = resample(DEM; {crs}, {pixel_m:g} m, {resampling})": (
        "h_前期, h_后期 = 重采样(DEM；{crs}，{pixel_m:g}米，{resampling})"
    ),
    "cubic where the resolutions differ, else bilinear": "分辨率不同时用三次卷积，否则用双线性",
    "{earlier} to {later}: {method}": "{earlier}至{later}：{method}",
    "outside all outlines by {buffer_m:g} m, measured, no water, slope <= {slope_deg:g} degrees, |dh -"
    " median(dh)| <= {limit:g} NMAD(dh)": (
        "距所有冰川边界{buffer_m:g}米以外，有实测值，非水体，坡度 <= {slope_deg:g}°，"
        "|dh - 中值(dh)| <= {limit:g} NMAD(dh)"
    ),
    "dh - c (z - K * z), c = {coefficient:.3f}, z the finer DEM, K the coarser one's cell, its resampling and a"
    " Gaussian of {sigma_m:.1f} m; fitted in turn with the shift ({source})": (
        "dh - c (z - K * z)，c = {coefficient:.3f}，z为较细DEM，K为较粗DEM的像元、"
        "其重采样与{sigma_m:.1f}米的高斯函数；与平移量交替求解（{source}）"
    ),
    "dh - f(k_max) - g(k_min), f(0) = g(0) = 0, maximum and minimum curvature; fitted in turn with the shift"
    " ({source})": ("dh - f(k_max) - g(k_min)，f(0) = g(0) = 0，最大与最小曲率；与平移量交替求解（{source}）"),
    "dh - f(k); f(k): median of dh over stable terrain by class of maximum curvature k ({source})": (
        "dh - f(k)；f(k)为稳定地形上按最大曲率k分类的dh中值（{source}）"
    ),
    "sigma_dh = NMAD of dh over stable terrain by class of slope and curvature": (
        "sigma_dh = 稳定地形上按坡度和曲率分类的dh的NMAD"
    ),
    "sigma^2 = sum_i sum_j sigma_i sigma_j rho(|i - j|) / n^2, rho from the variogram of stable terrain": (
        "sigma^2 = sum_i sum_j sigma_i sigma_j rho(|i - j|) / n^2，rho由稳定地形的变差函数得到"
    ),
    "b = [-rho_ice d(m + h_s + h_si) + d(rho_s h_s) + rho_si d(h_si)] / 1000, d: later minus earlier visit;"
    " rho_ice = {ice:g}, rho_si = {superimposed:g} kg m-3": (
        "b = [-rho_ice d(m + h_s + h_si) + d(rho_s h_s) + rho_si d(h_si)] / 1000，d为后一次减前一次观测；"
        "rho_ice = {ice:g}，rho_si = {superimposed:g} kg m-3"
    ),
    "b(E, N) = trend(elevation) + residual by {method}, clipped to the outline, {pixel_m:g} m": (
        "b(E, N) = 随高程的趋势 + {method}插值的残差，以冰川边界裁剪，{pixel_m:g}米"
    ),
    "B = sum_c b_c A_c / sum_c A_c, c: classes of {interval:g} m w.e. between isolines, b_c their middle": (
        "B = sum_c b_c A_c / sum_c A_c，c为等值线之间{interval:g} m w.e.的各级，b_c为其中值"
    ),
    "B = sum_i A_i b_i / sum_i A_i, i: zones of {band_m:g} m": (
        "B = sum_i A_i b_i / sum_i A_i，i为{band_m:g}米的高程带"
    ),
    "B_{year} = B of the {method} method": "B_{year} = {method}的B",
    "b(ELA) = 0 on the profile; AAR = A(b > 0) / A": "廓线上b(ELA) = 0；AAR = A(b > 0) / A",
    "sigma_B^2 = sum of the squares of the sources in glacier:budget": "sigma_B^2 = glacier:budget各来源的平方和",
    "cubic": "三次卷积",
    "bilinear": "双线性",
    "kriging": "克里金法",
    # --- what a definition says in both languages itself --------------------------------------------------------------
    "{gate}": "{gate}",
    "{note}": "{note}",
    "{flag}": "{flag}",
    # --- quality flags of a mass balance ------------------------------------------------------------------------------
    "{flag}:{detail}": "{flag}：{detail}",
    "{days} days": "{days}天",
    "nobody visited the glacier to close or open this year": "该年首尾均无人观测",
    "no visit is close enough to the year's first day to open it": "无观测接近该年首日，无法起算",
    "no visit is close enough to the year's last day to close it": "无观测接近该年末日，无法结算",
    "the annual balance is the sum of winter and summer balance, each of its own points": (
        "年物质平衡为冬季与夏季物质平衡之和，二者各用自己的测点"
    ),
    "a point without an elevation, and no DEM to take it from: not used": "测点无高程且无DEM可取，未采用",
    "no visit comes closer to any year's end: is year_start that of the glacier?": (
        "有观测，但与各年起止日均相距过远，请检查 year_start"
    ),
    "fewer annual point balances than the settings ask for: no glacier-wide balance": (
        "年物质平衡测点少于设定数目，未计算全冰川值"
    ),
    "the glacier-wide balance rests on a single point": "全冰川物质平衡仅依据一个测点",
    "all points lie in one elevation zone: the rest of the glacier is extrapolated": (
        "全部测点位于同一高程带，其余为外推"
    ),
    "part of the glacier lost mass, but no point that did was measured": "消融区无测点",
    "part of the glacier gained mass, but no point that did was measured": "积累区无测点",
    "too few points for a balance field: zones only": "测点过少，仅作分区",
    "no DEM and outline: no balance field, no contour method": "无DEM和边界，未作净平衡等值线法",
    "no areas known: no glacier-wide balance": "面积未知，未计算全冰川值",
    "more than a quarter of the area lies above the highest or below the lowest point": (
        "四分之一以上的面积高于最高测点或低于最低测点"
    ),
    "more than a quarter of the error's variance comes from elevations nobody measured": (
        "误差方差的四分之一以上来自无人观测的高程"
    ),
    "all points lie in one elevation band and contradict each other: no glacier-wide value": (
        "全部测点位于同一高程带且相互矛盾，未计算全冰川值"
    ),
    "the area-altitude distribution is that of another year": "采用其他年份的面积-高程分布",
    "no outline was surveyed that year: that of another year was used": "该年无冰川边界，采用其他年份的边界",
    "the balance profile turns from loss to gain more than once": "物质平衡廓线不止一次由亏转盈",
    "the balance gradient (m w.e. per 100 m) is outside what glaciers show": (
        "物质平衡梯度（m w.e./100 m）超出冰川常见范围"
    ),
    "annual balance is not winter plus summer, beyond error and rounding": "年物质平衡与冬夏之和不符",
    "a winter of loss and a summer of gain: is year_start that of the hemisphere?": (
        "冬季为亏损而夏季为盈余：year_start 是否属于该半球？"
    ),
    "elevation bands leave a gap between them": "高程带之间有空缺",
    "an elevation band begins below the end of the one before": "高程带重叠",
    "an elevation band has no area: it counts for nothing in the mean": "某高程带无面积",
    "the bands' mean minus the published glacier-wide balance (m w.e.) is no rounding": (
        "高程带平均与已发表全冰川值之差（m w.e.）超出舍入误差"
    ),
    "so many stakes without a value were filled by the linear model": "由线性模型插补的花杆数",
    "an upper bound, not a value: left out of the glacier-wide balance": "仅为上限，未用于全冰川值",
    "two stakes share a position": "两根花杆位置相同",
    "a point used lies off the glacier's outline": "所用测点位于冰川边界之外",
    "a point's stated elevation is more than 50 m from the DEM's": "测点高程与DEM相差超过50 m",
    "the other points and the elevation predict another balance (standard deviations)": (
        "与其他测点及高程的预测不符（标准差倍数）"
    ),
    "a stake visited around both ends of the year gives no annual balance: no unbroken chain of readings": (
        "花杆未得到年物质平衡"
    ),
    "a pit beside a stake that has a value itself: published, not used": "旁边花杆已有值的雪坑，未采用",
    "snow density of the pit beside the stake": "雪密度取自旁边雪坑",
    "snow density from the campaign's line of density against depth": "雪密度由深度关系得到",
    "mean snow density of the campaign": "雪密度取该观测期平均",
    "snow density of the settings: none was measured": "雪密度为设定值",
    "a density that snow, or the layer's kind, does not have": "密度超出合理范围",
    "leaning stake: vertical height is length times the cosine of the tilt": "花杆倾斜，已按倾角换算",
    "bent stake: larger reading error": "花杆弯曲，读数误差较大",
    "the surface rose without snow to show for it: taken as snow of a density that is assumed": (
        "冰面上升而无积雪记录，按设定密度的雪计"
    ),
    "counted from the last summer's surface, which the snow of a visit in spring covers": (
        "自春季积雪所覆盖的上一夏季表面起算"
    ),
    "a leg followed some days after another: nothing is taken to have happened in between": (
        "两段花杆相隔数日，其间按无变化计"
    ),
    "mean snow density of another campaign of the season": "雪密度取同季其他观测期平均",
    "surface not stated, taken as ice though an earlier year left snow there, which may be firn": (
        "未记录表面类型，按冰计；往年曾留有积雪，可能为粒雪"
    ),
    "snow of an earlier year lay under this year's: the balance counts from its surface": (
        "往年积雪未融尽，自其表面起算"
    ),
    "the stake melted out: the balance is at most this": "花杆融出，物质平衡至多为该值",
    "the stake was buried: the balance is the probed snow": "花杆被埋，取探测雪深",
    "summed over redrillings on a common day": "多段花杆读数相接求和",
    "mean of legs read side by side": "并列花杆读数取平均",
    "the winter lost mass: does the region have such seasons, and was the visit before the melt? see no-seasons": (
        "冬季为亏损：该地区是否有此季节之分，观测是否早于消融？参见 no-seasons"
    ),
    "given as a balance, not as readings: taken as it is": "以物质平衡值给出而非读数，原样采用",
    "the days of the period are not told: those of the mass-balance year are taken": (
        "未注明时段日期，取物质平衡年的日期"
    ),
    "superimposed ice below the snow was out of reach": "未测到附加冰",
    "snow below the pit's floor is taken as dense as its lowest metre": "坑底以下的雪取最下一米密度",
    "one period over several years, never split": "跨多年的时段，未拆分",
    "the balance between two visits around a fixed date is taken to run evenly in time": "按时间均匀内插至固定日期",
    "the stake moved far during the period: the balance stands for the middle of its way": (
        "花杆移动较远，取移动路径中点"
    ),
    "the stake was not found: this reading gives no balance": "未找到花杆",
    "buried, and no snow depth was probed: this reading gives no balance": "花杆被埋且未探测雪深",
    "melted out, and its length is unknown: not even a bound": "花杆融出且长度未知",
    "no exposed length: this reading gives no balance": "无出露长度读数",
    "no earlier reading of the leg to compare with": "该段无更早读数",
    "dated before the reading above it in the sheet: readings are taken in order of their dates": "日期顺序颠倒",
    "a leg was first read before the leg that it follows": "花杆段顺序颠倒",
    "read before the day on which the stake was installed": "读数早于布设日期",
    "further from its last surveyed position than ice carries a stake": "位置变化超出冰流可及",
    "the sum of these years' balances disagrees with the elevation change of the period": "与同期高程变化不符",
    "the pit went deeper than the last summer's surface: what lies below is left out": (
        "雪坑挖至上一夏季表面以下，其下部分不计入"
    ),
    "the pit did not reach the last summer's surface, and nothing was probed: not used": (
        "雪坑未达上一夏季表面且未探测，未采用"
    ),
    # --- inputs as people have them -----------------------------------------------------------------------------------
    "{role} DEM: its vertical datum, {datum}, is that of {product}, as the name {name} says; state it if it is"
    " another": ("{role}DEM：其高程基准{datum}取自{product}，依据文件名{name}；若非如此请另行说明"),
    "no glacier outlines are given, so that glaciers count as stable terrain: about {area_km2:.2g} km2 of level,"
    " cold, high ground moved, by {mean_m:+.1f} m on average; give outlines (--glaciers)": (
        "未给出冰川边界，冰川被当作稳定地形：约{area_km2:.2g} km2平缓、寒冷的高海拔地面发生变化，平均{mean_m:+.1f}米；"
        "请提供边界（--glaciers）"
    ),
    "texts of {file} are read as {encoding}, which it does not state (a .cpg file would)": (
        "{file}未注明编码（可用.cpg文件注明），其文字按{encoding}读取"
    ),
    "{file}: {count} outlines of rock within glaciers are holes": "{file}：冰川内{count}个基岩边界按孔洞处理",
    "{file}: {count} shapes that are no boundary of a glacier ({types}) are left out": (
        "{file}：{count}个非冰川边界的图形（{types}）不采用"
    ),
    "{count} outlines of epoch {epoch} bear other names than those of the epoch before and are linked to them by"
    " overlap": "第{epoch}期有{count}条冰川边界与前期编号不同，按重叠关系对应",
    "the outlines of {count} glaciers overlap others of the same epoch: the ground they share counts once": (
        "{count}条冰川的边界与同期其他冰川重叠：重叠部分只计一次"
    ),
    "{file}: lines are taken {width:g} m wide to either side": "{file}：线状图形两侧各取{width:g}米宽",
    "{file}: nothing of it lies within the DEMs": "{file}：没有图形位于DEM范围内",
    "the inputs' own geoid grids ({grids}) changed {source} heights to {target} by {least:.2f} to {greatest:.2f} m": (
        "输入自带的大地水准面格网（{grids}）将{source}高程转换为{target}，改变{least:.2f}至{greatest:.2f}米"
    ),
    "{role} DEM: tiles of other pixels fill what the others leave: {tiles}": (
        "{role}DEM：以其他像元大小的分幅填补其余分幅未覆盖之处：{tiles}"
    ),
    "{percent:.2g} % of the pixels come from other data, as {mask} says: another sensor and time; void": (
        "据{mask}，{percent:.2g}%的像元取自其他数据，传感器与时间均不同；按空洞处理"
    ),
    # --- what to trust of a result, and what would make it better -----------------------------------------------------
    "on the smoothest fifth of stable terrain, which resembles glaciers, the change lies {mean:+.2f} of its stated"
    " error off zero (0.5 at most expected)": (
        "最平滑的五分之一稳定地形与冰川相似，其变化偏离零{mean:+.2f}倍所述误差（预期不超过0.5）"
    ),
    "vertical datum: {method}; {note}": "高程基准：{method}；{note}",
    "over {count:,} stable pixels the corrected change is {mean:.2f} m (mean) and spreads by {nmad:.2f} m (NMAD;"
    " {before:.2f} m as delivered)": (
        "{count:,}个稳定像元校正后的变化均值为{mean:.2f}米，离散度为{nmad:.2f}米（NMAD；原始为{before:.2f}米）"
    ),
    "two ways of co-registration differ by {east:.2f} m east, {north:.2f} m north and {up:.2f} m up (stated errors"
    " {sigma_east:.2f}, {sigma_north:.2f} and {sigma_up:.2f} m)": (
        "两种配准方法相差东{east:.2f}米、北{north:.2f}米、上{up:.2f}米"
        "（所述误差{sigma_east:.2f}、{sigma_north:.2f}和{sigma_up:.2f}米）"
    ),
    "the stated uncertainty of a glacier's mean could not be tested: {count} stable patches of {area_km2:.2g} km2 are"
    " too few": "冰川均值的所述不确定度无法检验：仅有{count}个{area_km2:.2g}平方千米的稳定地块，过少",
    "means over {count} stable patches of {area_km2:.2g} km2 spread {spread:.2f} times as widely as the stated"
    " uncertainty says ({least:g} to {greatest:g} expected)": (
        "{count}个{area_km2:.2g}平方千米稳定地块的均值离散程度为所述不确定度的{spread:.2f}倍（预期{least:g}至{greatest:g}）"
    ),
    "no outlines: the change of glaciers is in the map and in no number": "无轮廓：冰川的变化仅见于地图，没有数值",
    "{share:.1%} of the area of the glaciers is observed; the rest is filled from their elevation bands": (
        "冰川面积的{share:.1%}有观测；其余由各高程带填补"
    ),
    "{known} of {years} years have an annual balance": "{years}年中有{known}年具有年平衡",
    "{count} of the points in use lie off the glacier's outline": "所用测点中有{count}个位于冰川轮廓之外",
    "in {apart} of {count} years the methods lie further apart than their errors explain; at most by {widest:.2f} m"
    " w.e.": "{count}年中有{apart}年各方法的差异超出其误差所能解释；最大相差{widest:.2f} m w.e.",
    "up to {share:.0%} of the area lies above the highest or below the lowest point of a year": (
        "各年最高测点以上或最低测点以下的面积最多占{share:.0%}"
    ),
    "no geodetic balance is given: an error that all years share would not show": (
        "未给出大地测量平衡：各年共有的误差无从显现"
    ),
    "against the geodetic balance the reduced discrepancy is {delta:+.2f} (1.96 at most)": (
        "与大地测量平衡相比，归一化差异为{delta:+.2f}（不超过1.96）"
    ),
    "points off the glacier's outline count as if they were on it: {points}; check their coordinates and the outline"
    " (--outline), or leave them out of the workbook": (
        "位于冰川轮廓之外的测点按在冰川上计入：{points}；请检查其坐标和轮廓（--outline），或从工作簿中删去"
    ),
    "without a DEM and an outline there is no map and no contour method: give both (--dem, --outline)": (
        "没有DEM和轮廓就没有分布图，也不能用等值线法：请一并给出（--dem、--outline）"
    ),
    "more than a quarter of the area lies beyond the points in {years}: the balance there is extrapolated; a stake or"
    " pit up there or down there is worth more than one between": (
        "{years}年有四分之一以上的面积位于测点高程范围之外：该处平衡为外推；在那里增设花杆或雪坑比在其间增设更有价值"
    ),
    "the density of snow is assumed for {count} of {points} point balances: dig a pit, or give the density of the"
    " campaign in the workbook": (
        "{points}个点平衡中有{count}个的雪密度为假定值：请挖雪坑，或在工作簿中给出该次测量的密度"
    ),
    "a series of {count} years can be held against an elevation change of the period (--geodetic)": (
        "{count}年的系列可用同期的高程变化检验（--geodetic）"
    ),
    # --- what the terminal says of a run ------------------------------------------------------------------------------
    "{pair} {name}": "{pair} {name}",
    "{name}: {note}": "{name}：{note}",
    "Shift east, north, up": "偏移（东、北、上）",
    "The same in pixels": "以像元计",
    "{columns} columns, {rows} rows": "{columns}列，{rows}行",
    "of the aligned DEM's own grid": "被配准DEM自身的格网",
    "Off-glacier mean": "非冰川区均值",
    "{before} to {after} m": "由{before}到{after} m",
    "{count:,} stable pixels": "稳定像元{count:,}个",
    "Off-glacier NMAD": "非冰川区NMAD",
    "raw to corrected": "校正前到校正后",
    "Patch test": "斑块检验",
    "Patch test, smooth ground": "斑块检验（平缓地面）",
    "the smoothest fifth: mean {mean}": "最平缓的五分之一：均值{mean}",
    "Vertical datum": "高程基准",
    "Note": "说明",
    "1 glacier": "1条冰川",
    "{count:,} glaciers": "{count:,}条冰川",
    "{glaciers}, {area:.2f} km2": "{glaciers}，面积{area:.2f} km2",
    "Mean elevation change": "平均高程变化",
    "Rate": "变化率",
    "Volume change": "体积变化",
    "{share:.1%} of the area observed": "面积的{share:.1%}有观测值",
    "Mass change": "质量变化",
    "Resolution correction": "分辨率校正",
    "takes off stable terrain {stable} m": "从稳定地形扣除{stable} m",
    "takes off stable terrain {stable} m, glaciers {glaciers} m": "从稳定地形扣除{stable} m，从冰川扣除{glaciers} m",
    "no patch": "无斑块",
    "stable terrain has no room for patches of {area:.2g} km2": "稳定地形容不下{area:.2g} km2的斑块",
    "one patch": "一个斑块",
    "of {area:.2g} km2: a spread needs two, and 200 to tell much": (
        "{area:.2g} km2：至少两个斑块才有离散度，200个才足以说明问题"
    ),
    "1 expected; {count} stable patches of {area:.2g} km2": "期望值为1；{count}个{area:.2g} km2的稳定斑块",
    "{told}: too few to tell": "{told}：数量太少，不足以说明问题",
    "spread {spread:.2f}": "离散度{spread:.2f}",
    "needs the dates of both DEMs": "需要两期DEM的日期",
    "{earlier} to {later}, \N{PLUS-MINUS SIGN} {sigma:.1f} years": (
        "{earlier}至{later}，\N{PLUS-MINUS SIGN}{sigma:.1f}年"
    ),
    "{line}, winter {winter}": "{line}，冬平衡{winter}",
    "Balance {year}": "{year}年物质平衡",
    "{first} to {last}": "{first}至{last}年",
    "Cumulative": "累积物质平衡",
    "worst {worst:.3g}, limit {limit:g} {unit}, {count} judged": (
        "最大值{worst:.3g}，限值{limit:g} {unit}，共判定{count}项"
    ),
    "Gate: {gate}": "质量门限：{gate}",
    "passed": "通过",
    "FAILED": "未通过",
    "none": "无",
    "point spread": "点扩散",
    "principal curvatures": "主曲率",
    "maximum curvature": "最大曲率",
    "{count} hold": "{count}项通过",
    "{count} need care": "{count}项须注意",
    "{count} could not be made": "{count}项无法进行",
    "Tests: {counts}": "检验：{counts}",
    "Elevation change. {verdict}": "高程变化。{verdict}",
    "Mass balance of {name}. {verdict}": "{name}物质平衡。{verdict}",
    "and that of 1 more glacier beside it": "旁边另有1条冰川的报告",
    "and those of {count} more glaciers beside it": "旁边另有{count}条冰川的报告",
    "To do: {text}": "建议：{text}",
    "Written to {out}": "已写入{out}",
    "Open {path}: the report: maps, figures, tables, what to trust": "打开{path}查看报告：分布图、图件、表格及可信程度",
    "year": "年份",
    "annual (m w.e.)": "年平衡 (m w.e.)",
    "winter": "冬平衡",
    "summer": "夏平衡",
    "flags": "标记",
    "{begin} to {end}: {text} m w.e. ({count} points at least, made of: {made_of})": (
        "{begin}至{end}：{text} m w.e.（至少{count}个点，由以下各项构成：{made_of}）"
    ),
    "{first} to {last}: geodetic {geodetic}, glaciological {own} m w.e., reduced discrepancy {delta}": (
        "{first}至{last}年：大地测量法{geodetic}，冰川学方法{own} m w.e.，归一化差异{delta}"
    ),
    "{year:.0f} calibrated: {text} m w.e.": "{year:.0f}年校准后：{text} m w.e.",
    "left out": "舍去",
    "doubt": "存疑",
    "sheet {sheet}": "工作表{sheet}",
    "sheet {sheet}, cell {cell}": "工作表{sheet}，单元格{cell}",
    "{kind}: {place}: {text}": "{kind}：{place}：{text}",
    "{corrections} corrections and {doubts} doubts on the input are listed in {listed}": (
        "对输入的{corrections}处更正和{doubts}处疑问列于{listed}"
    ),
    "1 check": "1项检查",
    "{count:,} checks": "{count:,}项检查",
    "Passed: {checks}; the archive holds {files:,} files, {size:.1f} MB": (
        "通过：{checks}；档案含{files:,}个文件，{size:.1f} MB"
    ),
    "  {name}: {value}": "  {name}：{value}",
    "{line}, {note}": "{line}，{note}",
    "Open {path}: every number, map and file": "打开{path}查看全部数值、图件和文件",
    "1 note": "1条说明",
    "{count:,} notes": "{count:,}条说明",
    "{line}, with {notes} on the inputs": "{line}，其中关于输入的{notes}",
}
