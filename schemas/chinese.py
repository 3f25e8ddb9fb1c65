"""What the tables and their columns are called in Chinese; English where it lacks.

A column's meaning is translated by its English words, so that each is translated once wherever it stands.
"""

from __future__ import annotations

from schemas.fields import Column, Table

# name: title, meaning
_TABLES = {
    "glaciers": ("各冰川高程变化", "各冰川在各期边界并集内的面积、平均高程变化、体积与质量变化及各来源误差"),
    "elevation_bands": ("各高程带高程变化", "各冰川高程变化随高程的分布；glacier_id为all表示全区"),
    "region": ("全区高程变化", "全部有观测冰川的总体变化；各冰川共有的误差不随冰川数量减小"),
    "accuracy": ("稳定地形上的相对精度", "非冰川区高程差的统计，分各步骤前后、总体和分类"),
    "dem_checks": ("DEM精度检验", "各输入DEM的各项检查及结果"),
    "coregistration": ("配准迭代过程", "每一步之后的水平和垂直偏移"),
    "dates": ("获取日期", "各输入的获取日期：原始描述所述日期与数据来源所支持的日期"),
    "corrections": ("雷达穿透与季节改正", "按冰面类型加到冰川高程变化上的改正值；未作改正时为一行零值"),
    "resolution": (
        "各方法的分辨率改正",
        "各种改正方法从稳定地形、其各高程带和冰川上扣除的量，发布的方法与其余方法并列；两个DEM分辨的细节相同时无记录",
    ),
    "outlines": ("冰川边界", "所用的冰川边界，每条冰川每期一条记录；不作为数据集的表格，而是条目中的文件"),
    "outline": ("冰川边界", "计算物质平衡所用的边界；不作为数据集的表格，而是各条目中的文件"),
    "stakes": ("花杆", "消融花杆及其位置；以度或米表示的位置均可"),
    "readings": ("花杆读数", "每根花杆每段每次观测一行"),
    "snow_pits": ("雪坑", "每个雪坑一行；分层见pit_layers"),
    "pit_layers": ("雪坑分层", "自表面向下的分层，须首尾相接"),
    "probings": ("雪深探测", "在花杆与雪坑之间探测的雪深或其水当量"),
    "point_balances": ("单点物质平衡", "花杆或雪坑处某时段的物质平衡、误差及其所依据的读数"),
    "zone_balances": ("高程带物质平衡", "等高线分区法所得各高程带各年平均物质平衡"),
    "glacier_balances": ("全冰川物质平衡", "全冰川年、冬季和夏季物质平衡及误差、平衡线高度和积累区比率"),
    "hypsometry": ("面积-高程分布", "各高程带各年的冰川面积"),
    "cumulative_balances": ("累积物质平衡", "自首年起年物质平衡的累积和，至首个缺测年份为止"),
    "period_balances": ("两次观测之间的物质平衡", "全冰川自每次观测至下次观测、以及所指定日期之间的物质平衡"),
    "zero_line_method": (
        "由平衡线推算的物质平衡",
        "仅由平衡线高度、按其余年份的关系推算的年物质平衡：附留一年误差的交叉检验",
    ),
    "error_budgets": ("误差构成", "年物质平衡和累积物质平衡各误差来源的一倍标准差，分别由公式和蒙特卡罗法得到"),
    "leave_one_out": ("留一交叉检验", "由同年其他点预测各点年物质平衡，以及该点对全冰川物质平衡的影响"),
    "other_time_systems": (
        "其他时间系统的单点物质平衡",
        "同样的点在全冰川物质平衡未采用的时间系统中的值（在观测允许时）",
    ),
    "filled_balances": (
        "插补的单点物质平衡",
        "花杆缺测年份的年物质平衡，由线性模型b = 花杆项 + 年份项得到（Lliboutry, 1974）",
    ),
    "linear_model": (
        "线性物质平衡模型",
        "年物质平衡线性模型b = 花杆项 + 年份项的各项（Lliboutry, 1974）及其预测能力",
    ),
    "density_fits": ("雪密度随深度的变化", "一次观测期内雪的整体密度与雪深的线性关系"),
    "quality_flags": ("质量标记", "使用物质平衡数据须知的全部事项：所作假定、舍弃的数据和可疑之处"),
    "geodetic_check": (
        "大地测量法检验",
        "冰川学方法物质平衡之和与同期高程变化的比较（Zemp et al., 2013）",
    ),
    "calibrated_balances": (
        "校准后的物质平衡",
        "以大地测量结果校准均值的年物质平衡，与两个原系列并列，原系列不变（Zemp et al., 2013）",
    ),
    "input_notes": ("输入说明", "读取野外记录工作簿时所作的全部更正，以及保留的可疑内容"),
    "quality_gates": ("质量门限", "数据集定义所承诺的指标、实际结果与判定"),
    "data_dictionary": ("数据字典", "数据集各表格的全部列：含义、单位和取值约束"),
    "fog2023_mass_balance_overview": (
        "WGMS FoG 2023-09：物质平衡概况",
        "各年日期、平衡线和观测点，列同MASS_BALANCE_OVERVIEW",
    ),
    "fog2023_mass_balance": ("WGMS FoG 2023-09：物质平衡", "全冰川及各高程带的物质平衡，列同MASS_BALANCE"),
    "fog2023_mass_balance_point": (
        "WGMS FoG 2023-09：单点物质平衡",
        "各花杆、雪坑和探测点的物质平衡，列同MASS_BALANCE_POINT",
    ),
    "fog2026_mass_balance": ("WGMS FoG 2026：物质平衡", "各年物质平衡、平衡线和面积，采用2026年列名"),
    "fog2026_mass_balance_band": ("WGMS FoG 2026：高程带物质平衡", "各年各高程带的物质平衡，采用2026年列名"),
    "fog2026_mass_balance_point": (
        "WGMS FoG 2026：单点物质平衡",
        "各花杆、雪坑和探测点的物质平衡，采用2026年列名",
    ),
}

_PLACES = {
    "identifier of the glacier in its inventory": "冰川编目编号",
    "name of the glacier": "冰川名称",
    "longitude, WGS 84": "经度，WGS 84",
    "latitude, WGS 84": "纬度，WGS 84",
    "easting in the archive's projection": "档案所用投影下的东向坐标",
    "northing in the archive's projection": "档案所用投影下的北向坐标",
    "surface elevation above mean sea level": "表面海拔高度",
    "lower edge of the elevation band": "高程带下限",
    "upper edge of the elevation band": "高程带上限",
    "glacier area": "冰川面积",
    "lowest elevation": "最低高程",
    "highest elevation": "最高高程",
    "quality flags, joined by ';'": "质量标记，以“;”分隔",
    "what the observer noted": "观测者备注",
    "epoch of the outline": "边界的期次",
    "years of the two DEMs that were differenced, as 2000-2010": "求差的两期DEM的年份，如2000-2010",
}
_CHANGE = {
    "area at the earlier epoch": "前期面积",
    "area at the later epoch": "后期面积",
    "area over which the change is averaged: the outlines of all epochs together": "变化取平均的面积：各期边界的并集",
    "mean elevation change, later minus earlier; voids filled": "平均高程变化，后期减前期；空洞已填补",
    "one standard deviation of the equilibrium-line altitude; empty where the line lies off the glacier by more than"
    " its error": "平衡线高度的一倍标准差；平衡线超出冰川范围且大于其误差时为空",
    "one standard deviation of the accumulation-area ratio": "积累区面积比率的一倍标准差",
    "one standard deviation of the mean elevation change": "平均高程变化的一倍标准差",
    "one standard deviation of the mean, from the measured pixels: their sigma integrated over the shape": (
        "实测像元引起的平均值一倍标准差：像元误差在冰川形状上的积分"
    ),
    "one standard deviation of the mean, from the filling of voids": "空洞填补引起的平均值一倍标准差",
    "one standard deviation of the mean, from the shift and the mean of stable terrain, shared by all": (
        "配准偏移和稳定地形均值引起的平均值一倍标准差，为全部冰川所共有"
    ),
    "one standard deviation of the mean, from penetration and season, shared within a surface": (
        "雷达穿透和季节引起的平均值一倍标准差，同类冰面所共有"
    ),
    "one standard deviation of the volume for each unit of area, from the outline": "边界引起的单位面积体积一倍标准差",
    "one standard deviation of the rate times the period, from the acquisition dates": (
        "获取日期引起的变化速率一倍标准差乘以时段长度"
    ),
    "one standard deviation of the mass for each unit of area and density, from the density": (
        "密度引起的单位面积、单位密度质量一倍标准差"
    ),
    "median elevation change": "高程变化中值",
    "mean rate of elevation change": "平均高程变化速率",
    "one standard deviation of that rate": "该速率的一倍标准差",
    "volume change": "体积变化",
    "one standard deviation of the volume change": "体积变化的一倍标准差",
    "mass change": "质量变化",
    "one standard deviation of the mass change": "质量变化的一倍标准差",
    "mean of the areas at both epochs": "两期面积的平均值",
    "mass change over the mean area": "单位平均面积的质量变化",
    "one standard deviation of the mass change over the mean area": "单位平均面积质量变化的一倍标准差",
    "its rate: the geodetic mass balance": "其速率：大地测量法物质平衡",
    "one standard deviation of the geodetic mass balance": "大地测量法物质平衡的一倍标准差",
    "share of the area with a measured change; the rest is filled by elevation": "有实测变化的面积比例；其余按高程填补",
    "share of the area filled by the glacier's own profile of change with elevation": (
        "以该冰川自身高程变化廓线填补的面积比例"
    ),
    "part of the filled share that lies above or below the glacier's measured elevations": (
        "填补面积中高于或低于该冰川实测高程范围的比例"
    ),
    "part of the filled share whose measured change was set aside as a blunder": "填补面积中实测变化作为粗差剔除的比例",
    "share of the band with a measured change": "高程带内有实测变化的比例",
    "mean elevation change of the band's measured pixels, later minus earlier": (
        "高程带内实测像元的平均高程变化，后期减前期"
    ),
    "one standard deviation of that mean": "该平均值的一倍标准差",
    "normalised median absolute deviation of the change within the band": "高程带内变化的归一化中位数绝对偏差（NMAD）",
    "'all': every glacier of the table of glaciers": "“all”：冰川表中的全部冰川",
    "glaciers of the region": "区内冰川条数",
    "glaciers with a measured change": "有实测变化的冰川条数",
}
_ACCURACY = {
    "after which step": "所处步骤",
    "'all', or the terrain attribute by which the pixels are classed": "“all”，或像元分类所依据的地形属性",
    "lower edge of the class, in the attribute's unit": "类别下限，单位同该属性",
    "upper edge of the class": "类别上限",
    "unit of the attribute": "属性的单位",
    "pixels": "像元数",
    "mean": "均值",
    "one standard deviation of the mean, from the forms of the resolution correction, which lie apart": (
        "分辨率改正各方法之间的差异引起的平均值一倍标准差"
    ),
    "form of the correction": "改正方法",
    "'stable': all stable terrain; 'band': the part of it between two elevations; 'glaciers'": (
        "stable为全部稳定地形；band为其中两个高程之间的部分；glaciers为冰川"
    ),
    "lower limit of the band; 0 elsewhere": "高程带下限；其余为0",
    "upper limit of the band; 0 elsewhere": "高程带上限；其余为0",
    "whether this form was taken off": "是否为所扣除的方法",
    "pixels of the sample": "样本像元数",
    "mean of what the form takes off, its vertical term beside the published one's included": (
        "该方法扣除量的平均值，含其与发布方法垂直项之差"
    ),
    "one standard deviation of that mean, from pixel to pixel": "该平均值的一倍标准差",
    "mean elevation difference before it": "改正前的平均高程差",
    "mean elevation difference after it": "改正后的平均高程差",
    "NMAD of the elevation difference after it; of all stable terrain": "改正后全部稳定地形高程差的NMAD",
    "mean of the absolute value": "绝对值的均值",
    "median": "中值",
    "standard deviation": "标准差",
    "normalised median absolute deviation": "归一化中位数绝对偏差（NMAD）",
    "root mean square": "均方根",
    "linear error at 90 %: the 90th percentile of the absolute value": "90%线性误差：绝对值的第90百分位数",
    "which DEM": "哪一期DEM",
    "file name of the tile, or 'all'": "分幅文件名，或“all”",
    "name of the check": "检查名称",
    "what was measured": "测得值",
    "what is allowed": "允许值",
    "unit of value and limit": "测得值和允许值的单位",
    "whether the value is within the limit": "是否在允许范围内",
    "what it means": "含义",
    "number of the step": "步骤序号",
    "shift to the east so far": "累计向东偏移",
    "shift to the north so far": "累计向北偏移",
    "shift upwards so far": "累计向上偏移",
    "NMAD of the elevation difference over stable terrain at this shift": "该偏移下稳定地形高程差的NMAD",
    "stable pixels used": "所用稳定像元数",
    "earlier, later, outlines with the number of their epoch, or period: from the earlier to the later input": (
        "earlier（前期）、later（后期）、outlines加期次编号，或period：前期至后期输入的时段"
    ),
    "the input product": "输入产品",
    "first day that the description claims": "原始描述所述首日",
    "last day that the description claims": "原始描述所述末日",
    "first day that the source supports": "数据来源所支持的首日",
    "last day that the source supports": "数据来源所支持的末日",
    "day taken for the input in rates": "计算速率时该输入所取日期",
    "one standard deviation of that day; for the period, of its length": (
        "该日期的一倍标准差；对period为时段长度的标准差"
    ),
    "where the dates come from": "日期的依据",
    "kind of glacier surface": "冰面类型",
    "lowest elevation of the surface": "该类冰面的最低高程",
    "elevation at which it ends": "该类冰面的上限高程",
    "how far below the surface the earlier DEM lies": "前期DEM低于表面的深度",
    "how far below the surface the later DEM lies": "后期DEM低于表面的深度",
    "one standard deviation of their difference": "两者之差的一倍标准差",
    "seasonal snow on the surface at the earlier date": "前期日期表面的季节性积雪",
    "seasonal snow on the surface at the later date": "后期日期表面的季节性积雪",
    "what was added to the elevation change": "加到高程变化上的改正值",
    "one standard deviation of what was added, shared by all pixels of the surface": (
        "改正值的一倍标准差，为该类冰面全部像元所共有"
    ),
    "where the values come from": "数值的依据",
}
_FIELD = {
    "number or name of the stake, painted on it": "花杆上标注的编号或名称",
    "day the stake was first drilled": "花杆首次钻设日期",
    "1 for the stake as first drilled, one more for each redrilling": "首次钻设为1，每重新钻设一次加1",
    "day of the visit": "观测日期",
    "stake length above the present surface, be it snow or ice, measured along the stake": (
        "花杆露出当前表面（雪或冰）的长度，沿杆量取"
    ),
    "whole length of the stake of this leg": "该段花杆全长",
    "snow above the last summer's surface": "上一夏季表面以上的雪深",
    "water equivalent of the snow above the last summer's surface, where it was measured itself": (
        "上一夏季表面以上积雪的水当量（直接测得时）"
    ),
    "bulk density of that snow": "该层雪的整体密度",
    "superimposed ice under the snow": "雪下附加冰厚度",
    "angle of the stake from the vertical": "花杆与铅垂线的夹角",
    "what the stake stands in below snow and superimposed ice": "雪和附加冰以下花杆所在介质",
    "what the observer found": "观测到的状况",
    "longitude of the stake on that day, where it was surveyed again, WGS 84": "当日重测的花杆经度，WGS 84",
    "latitude of the stake on that day, where it was surveyed again, WGS 84": "当日重测的花杆纬度，WGS 84",
    "easting of the stake on that day, in the archive's projection": "当日花杆的东向坐标，档案所用投影",
    "northing of the stake on that day, in the archive's projection": "当日花杆的北向坐标，档案所用投影",
    "surface elevation at the stake on that day, above mean sea level": "当日花杆处表面海拔高度",
    "sheet of the field workbook, or file, that the row was read from": "该行来自的野外工作簿工作表或文件",
    "its cells there, as A14:L14": "其所在单元格，如A14:L14",
    "name of the snow pit": "雪坑名称",
    "stake beside which the pit was dug, if any": "雪坑旁的花杆（如有）",
    "what the floor of the pit is": "坑底性质",
    "depth of the last summer's surface where it is not the floor: probed, or seen in the pit's wall": (
        "上一夏季表面的深度（坑底不是该表面时）：由探测或坑壁观察得到"
    ),
    "winter balance; where much snow falls in summer too, it is not the accumulation": (
        "冬季物质平衡；在夏季亦多降雪的地区，它并不等于积累量"
    ),
    "number of the layer, 1 at the surface": "层号，表层为1",
    "depth of the layer's top below the surface": "层顶深度",
    "depth of the layer's bottom below the surface": "层底深度",
    "density": "密度",
    "what the layer is made of": "层的物质",
    "name of the probing": "探测点名称",
    "stake or pit": "花杆或雪坑",
    "how it was measured": "测量方式",
}
_BALANCE = {
    "mass-balance year, named after the calendar year in which it ends": "物质平衡年，以其结束所在的日历年命名",
    "which part of the year": "年内时段",
    "first day of the period": "时段首日",
    "last day of the period": "时段末日",
    "point balance; an upper bound where bound is '<='": "单点物质平衡；bound为“<=”时为上限",
    "one standard deviation of the point balance": "单点物质平衡的一倍标准差",
    "whether the balance is this, '=', or at most this, '<=' (stake melted out)": (
        "物质平衡等于该值（“=”）或不大于该值（“<=”，花杆融出）"
    ),
    "identifiers of the readings it came from, stake/leg/date or pit, joined by ';'": (
        "所依据读数的标识，花杆/段/日期或雪坑，以“;”分隔"
    ),
    "FLO floating date, FXD fixed date, STR stratigraphic, COM combined, OTH other": (
        "FLO浮动日期，FXD固定日期，STR地层法，COM组合，OTH其他"
    ),
    "part of the balance in snow": "物质平衡中雪的部分",
    "part of the balance in firn": "物质平衡中粒雪的部分",
    "part of the balance in ice": "物质平衡中冰的部分",
    "part of the balance in superimposed ice": "物质平衡中附加冰的部分",
    "annual balance": "年物质平衡",
    "one standard deviation of the annual balance": "年物质平衡的一倍标准差",
    "winter balance": "冬季物质平衡",
    "summer balance": "夏季物质平衡",
    "whether the zone held a point, lay between such zones, or beyond them": (
        "该带内有测点、位于有测点的带之间，或在其之外"
    ),
    "annual points in the zone": "带内年物质平衡测点数",
    "day that parts winter from summer": "冬夏分界日",
    "one standard deviation of the winter balance": "冬季物质平衡的一倍标准差",
    "one standard deviation of the summer balance": "夏季物质平衡的一倍标准差",
    "equilibrium-line altitude": "平衡线高度",
    "'<' below the glacier, '>' above it, '=' on it": "“<”低于冰川，“>”高于冰川，“=”在冰川上",
    "accumulation-area ratio": "积累区比率",
    "annual balance by the contour method: isoline classes times area": (
        "净平衡等值线法年物质平衡：各等值线区间值乘以面积"
    ),
    "annual balance as the direct mean of the interpolated field": "插值场直接平均所得年物质平衡",
    "annual balance by contour zoning": "等高线分区法年物质平衡",
    "annual balance by a straight balance-elevation line, a cross-check": "物质平衡-高程直线所得年物质平衡，用于核对",
    "balance gradient over the glacier": "全冰川物质平衡梯度",
    "stakes with an annual balance": "有年物质平衡的花杆数",
    "pits with an annual balance": "有年物质平衡的雪坑数",
    "share of the area in zones that held a point": "有测点的高程带所占面积比例",
    "where the year's values come from": "该年数值的来源",
    "whether sigma stays within the definition's limit": "标准差是否在数据集定义的限值之内",
    "annual balance by a parabola of balance against elevation, a cross-check": (
        "物质平衡-高程抛物线所得年物质平衡，用于核对"
    ),
    "annual balance by a line with one bend against elevation, a cross-check": (
        "物质平衡-高程折线所得年物质平衡，用于核对"
    ),
    "annual balance from index stakes and the other years, a cross-check": (
        "由指标花杆和其他年份推得的年物质平衡，用于核对"
    ),
    "annual balance by inverse-distance weights, a cross-check": "反距离加权所得年物质平衡，用于核对",
    "largest minus smallest annual balance of the methods, inverse distance apart": (
        "各方法年物质平衡的最大值减最小值，不含反距离加权"
    ),
    "balance gradient of the points below the equilibrium line": "平衡线以下测点的物质平衡梯度",
    "balance gradient of the points above the equilibrium line": "平衡线以上测点的物质平衡梯度",
    "area with a balance of at least zero": "物质平衡不小于零的面积",
    "area with a balance below zero": "物质平衡小于零的面积",
    "elevation of the lowest point used": "所用最低测点的高程",
    "elevation of the highest point used": "所用最高测点的高程",
    "share of the area in zones below the lowest or above the highest zone that held a point": (
        "低于最低或高于最高有测点高程带的面积比例"
    ),
    "stakes whose balance the linear model filled": "由线性模型插补的花杆数",
    "sum of the annual balances so far": "至该年的年物质平衡之和",
    "one standard deviation of the cumulative balance": "累积物质平衡的一倍标准差",
    "of the year alone, or of the sum up to it": "该年本身，或至该年之和",
    "by formula": "由公式得到",
    "spread of the balances of a Monte Carlo run": "蒙特卡罗模拟所得物质平衡的离散程度",
}
_MODELS = {
    "the point's balance": "该点物质平衡",
    "its balance predicted from the others": "由其他点预测的物质平衡",
    "one standard deviation of the difference of the two": "两者之差的一倍标准差",
    "difference over its standard deviation": "差值与其标准差之比",
    "glacier-wide balance with the point minus without it": "含该点与不含该点的全冰川物质平衡之差",
    "stake": "花杆",
    "filled annual balance": "插补的年物质平衡",
    "one standard deviation of the filled balance": "插补值的一倍标准差",
    "alpha of the stake: its mean over the years of the model": "花杆项α：模型各年的平均值",
    "beta of the year: its difference from that mean": "年份项β：该年与平均值之差",
    "stakes observed in that year": "该年观测的花杆数",
    "whether it entered the glacier-wide balance": "是否用于全冰川物质平衡",
    "which term": "哪一项",
    "stake, year, or 'residual' and 'cross_validation'": "花杆、年份，或“residual”和“cross_validation”",
    "the term, or the root mean square of the model": "该项的值，或模型的均方根",
    "one standard deviation of the term": "该项的一倍标准差",
    "balances it rests on": "所依据的物质平衡数",
    "first day of the campaign": "观测期首日",
    "last day of the campaign": "观测期末日",
    "densities measured": "实测密度数",
    "shallowest snow with a density": "有密度的最浅雪深",
    "deepest snow with a density": "有密度的最深雪深",
    "mean of the densities": "密度均值",
    "fitted bulk density at no depth": "深度为零处的拟合整体密度",
    "increase of the fitted bulk density with depth": "拟合整体密度随深度的增量",
    "one standard deviation of the slope": "斜率的一倍标准差",
    "one standard deviation of a density about the fit, or about the mean": "密度相对拟合线或均值的一倍标准差",
    "whether the fit, and not the mean, stands for snow without a density": "无密度的雪是否采用拟合值而非均值",
    "running number": "序号",
    "what is flagged: the year, a point, a reading, a band": "被标记对象：年份、测点、读数或高程带",
    "the flag": "标记",
    "how much, or which other record": "数值大小，或相关的另一记录",
    "what the flag says": "标记的含义",
    "first mass-balance year of the sum": "求和的首个物质平衡年",
    "last mass-balance year of the sum": "求和的末个物质平衡年",
    "day of the earlier elevation model": "前期高程模型的日期",
    "day of the later elevation model": "后期高程模型的日期",
    "sum of the annual balances": "年物质平衡之和",
    "one standard deviation of the sum": "该和的一倍标准差",
    "mean elevation change times density": "平均高程变化乘以密度",
    "one standard deviation of the geodetic balance": "大地测量法物质平衡的一倍标准差",
    "mean elevation change of the glacier": "冰川平均高程变化",
    "density of the volume-to-mass conversion": "体积换算质量所用密度",
    "one standard deviation of that density": "该密度的一倍标准差",
    "one standard deviation of what the days between the surveys and the balance years may hide": (
        "测量日期与物质平衡年之间的天数可能掩盖的变化的一倍标准差"
    ),
    "glaciological minus geodetic": "冰川学方法减大地测量法",
    "whether the reduced discrepancy stays within 1.96": "标准化差异是否在1.96以内",
}
_RECORDS = {
    "number of the note": "说明序号",
    "'correction': read differently from what is typed; 'doubt': kept as typed, worth a look": (
        "“correction”：读取值与录入不同；“doubt”：按录入保留，值得查看"
    ),
    "sheet of the workbook, or file of the folder": "工作簿的工作表，或文件夹中的文件",
    "cell or range; empty for a whole sheet": "单元格或区域；空表示整个工作表",
    "what stands there": "原有内容",
    "what it was read as, or what it means": "读取为何值，或其含义",
    "name of the gate": "门限名称",
    "what it was applied to: 'stable terrain', or a year": "适用对象：“stable terrain”（稳定地形）或年份",
    "what was found": "实际结果",
    "the verdict": "判定",
    "name of the table": "表格名称",
    "place of the column in its table, 1 for the first": "列在表格中的位置，首列为1",
    "name of the column": "列名",
    "what its cells hold": "单元格类型",
    "unit; 1 for a ratio, empty where there is none": "单位；比值为1，无单位则为空",
    "what the column says": "列的含义",
    "whether every cell must be filled": "是否必填",
    "least value allowed, in the column's unit": "允许的最小值，单位同该列",
    "greatest value allowed, in the column's unit": "允许的最大值，单位同该列",
    "decimals published": "发布的小数位数",
    "the only values allowed, as 'one of: first, second'": "仅允许的取值，形如“one of: first, second”",
    "regular expression that the whole cell must match": "整个单元格须匹配的正则表达式",
    "whether the column is part of the table's primary key": "该列是否属于表格主键",
    "column of another table in which each value must be found, as table.column": (
        "每个值须在其中出现的另一表格的列，形如table.column"
    ),
}
_WGMS = {
    "country, ISO 3166 alpha-2": "国家，ISO 3166 alpha-2代码",
    "name of the glacier in capital letters": "冰川名称（大写）",
    "key that the service gives to the glacier": "WGMS给予冰川的编号",
    "mass-balance year, named after the calendar year in which it ends; 2023 is the last that the release takes": (
        "物质平衡年，以其结束所在的日历年命名；该版本最晚到2023年"
    ),
    "time system of the annual balance": "年物质平衡的时间系统",
    "first day of the mass-balance year, YYYYMMDD": "物质平衡年首日，YYYYMMDD",
    "day that parts winter from summer, YYYYMMDD": "冬夏分界日，YYYYMMDD",
    "last day of the mass-balance year, YYYYMMDD": "物质平衡年末日，YYYYMMDD",
    "'<' line below the glacier, '>' above it, empty on it": "“<”平衡线低于冰川，“>”高于冰川，在冰川上则为空",
    "random error of the ELA, one standard deviation": "平衡线高度的随机误差，一倍标准差",
    "least number of measurement sites in the accumulation area": "积累区观测点的最少数目",
    "largest number of measurement sites in the accumulation area": "积累区观测点的最多数目",
    "least number of measurement sites in the ablation area": "消融区观测点的最少数目",
    "largest number of measurement sites in the ablation area": "消融区观测点的最多数目",
    "accumulation area": "积累区面积",
    "random error of the accumulation area": "积累区面积的随机误差",
    "ablation area": "消融区面积",
    "random error of the ablation area": "消融区面积的随机误差",
    "accumulation-area ratio times 100": "积累区比率乘以100",
    "who measured or processed": "观测或处理人员",
    "who sponsored the survey or keeps the data": "资助机构或数据保存机构",
    "publications on data and methods": "有关数据和方法的出版物",
    "what else is to be known": "其他须知",
    "lower edge of the band; 9999 for the whole glacier": "高程带下限；9999表示全冰川",
    "upper edge of the band; 9999 for the whole glacier": "高程带上限；9999表示全冰川",
    "area of the band or of the glacier": "高程带或冰川面积",
    "random error of the winter balance, one standard deviation": "冬季物质平衡的随机误差，一倍标准差",
    "random error of the summer balance, one standard deviation": "夏季物质平衡的随机误差，一倍标准差",
    "random error of the annual balance, one standard deviation": "年物质平衡的随机误差，一倍标准差",
    "identifier of the point": "测点编号",
    "first day, YYYYMMDD": "首日，YYYYMMDD",
    "last day, YYYYMMDD": "末日，YYYYMMDD",
    "surface elevation": "表面高程",
    "balance from FROM_DATE to TO_DATE": "FROM_DATE至TO_DATE的物质平衡",
    "random error of the point balance, one standard deviation": "单点物质平衡的随机误差，一倍标准差",
    "one density used for all of the change": "全部变化所用的单一密度",
    "error of that density": "该密度的误差",
    "balance it was used for: BW winter, BS summer, BA annual, IN none": "所用于的物质平衡：BW冬季，BS夏季，BA年，IN无",
    "key that the service gives to the outline": "WGMS给予边界的编号",
    "FLO, FXD, STR, COM or OTH": "FLO、FXD、STR、COM或OTH",
    "first day of the mass-balance year": "物质平衡年首日",
    "one standard deviation of the first day of the mass-balance year": "物质平衡年首日的一倍标准差",
    "one standard deviation of the day that parts winter from summer": "冬夏分界日的一倍标准差",
    "last day of the mass-balance year": "物质平衡年末日",
    "one standard deviation of the last day of the mass-balance year": "物质平衡年末日的一倍标准差",
    "one standard deviation of the ELA": "平衡线高度的一倍标准差",
    "area of the glacier or the band": "冰川或高程带面积",
    "lower edge of the band": "高程带下限",
    "upper edge of the band": "高程带上限",
    "key that the service gives to the record": "WGMS给予记录的编号",
    "first day": "首日",
    "one standard deviation of the first day": "首日的一倍标准差",
    "last day": "末日",
    "one standard deviation of the last day": "末日的一倍标准差",
    "balance from begin_date to end_date": "begin_date至end_date的物质平衡",
    "one standard deviation of the balance": "物质平衡的一倍标准差",
    "balance it was used for; index for none": "所用于的物质平衡；index表示无",
}
_UNMEASURED = {
    "share of the area above the highest and below the lowest point": "高于最高测点和低于最低测点的面积比率",
    "share of the annual balance's variance that comes from elevations nobody measured": (
        "年物质平衡误差方差中来自无人观测高程的比率"
    ),
}
_PERIODS = {
    "day of the first survey, the commonest of the visits used": "首次观测日期，取所用观测中最常见的一天",
    "day of the last survey, the commonest of the visits used": "末次观测日期，取所用观测中最常见的一天",
    "balance of the whole glacier between the two; empty where too few points were measured at both": (
        "两次观测之间的全冰川物质平衡；两次均有观测的点过少时为空"
    ),
    "one standard deviation of the balance between the two": "两次观测之间物质平衡的一倍标准差",
    "area of the glacier, that of the last part": "冰川面积，取最后一段的面积",
    "point balances it rests on, the fewest of a part": "所依据的单点物质平衡个数，取各段中最少者",
    "share of the area above the highest and below the lowest point, the largest of a part": (
        "最高点以上与最低点以下的面积比例，取各段中最大者"
    ),
    "what it is the sum of: published years and seasons, or 'visits': points measured at both ends": (
        "由哪些部分求和：已发布的年和季节，或'visits'：首末均有观测的点"
    ),
    "whether it is the pair of days that was asked for": "是否为所指定的一对日期",
}
_GIVEN = {
    "whether it entered the balance of the whole glacier, or may enter one where it is an input again": (
        "是否用于全冰川物质平衡，或再次作为输入时是否可用"
    ),
    "sheet or file that the balance itself was read from; empty where it was computed": (
        "直接读取该物质平衡的工作表或文件；由读数计算时为空"
    ),
}
_LINES = {
    "what is to be known of the source: why it has no number": "关于该来源的说明：为何没有数值",
    "point readings, densities, interpolation, area, method, or all together; internal accumulation, which is no part"
    " of the surface balance, stands apart": "测点读数、密度、插值、面积、方法或合计；内部积累不属于表面物质平衡，另列",
    "annual balance plus the internal accumulation; empty where it is not measured": (
        "年物质平衡加内部积累；未测量时为空"
    ),
    "one standard deviation of the annual balance plus the internal accumulation": "年物质平衡加内部积累的一倍标准差",
    "mean elevation of the line of zero balance on the map, beside the ELA of the profile": (
        "图上零平衡线的平均高程，与廓线所得平衡线高度并列"
    ),
    "equilibrium-line altitude of the year": "该年平衡线高度",
    "equilibrium-line altitude of a year without gain or loss": "不盈不亏之年的平衡线高度",
    "how much the balance falls for each 100 m that the line rises": "平衡线每升高100 m物质平衡的减少量",
    "gradient times the height from the line to that of a year without gain or loss": (
        "梯度乘以平衡线至不盈不亏之年平衡线的高差"
    ),
    "one standard deviation of it: root mean square of the differences in held-out years": (
        "其一倍标准差：留出年份差值的均方根"
    ),
    "balance from the line less the published annual balance": "由平衡线推算值减已发布年物质平衡",
    "other years it rests on": "所依据的其他年数",
}
_CALIBRATED = {
    "one standard deviation of the difference: the common variance of both series and of the days, its root": (
        "差值的一倍标准差：两系列及日期差的共同方差之平方根"
    ),
    "smallest mean difference a year that this check would find in 95 of 100 cases": (
        "该检验在100次中能发现95次的最小年平均差值"
    ),
    "annual balance of the glaciological series": "冰川学系列的年物质平衡",
    "mean geodetic balance a year": "大地测量法的年平均物质平衡",
    "annual balance plus the mean difference of the series": "年物质平衡加两系列的平均差值",
    "one standard deviation of the calibrated balance": "校准后物质平衡的一倍标准差",
    "mean difference a year, geodetic minus glaciological, that was added": "所加的年平均差值（大地测量减冰川学）",
}
MEANINGS_CN = (
    _LINES
    | _CALIBRATED
    | _GIVEN
    | _PERIODS
    | _UNMEASURED
    | _PLACES
    | _CHANGE
    | _ACCURACY
    | _FIELD
    | _BALANCE
    | _MODELS
    | _RECORDS
    | _WGMS
)


def table_title_cn(table: Table) -> str:
    """The table's title in Chinese; empty where it has none."""
    return _TABLES.get(table.name, ("", ""))[0]


def table_meaning_cn(table: Table) -> str:
    """What the table holds in Chinese; empty where that is not said."""
    return _TABLES.get(table.name, ("", ""))[1]


def meaning_cn(column: Column) -> str:
    """What the column says in Chinese; empty where that is not said."""
    return MEANINGS_CN.get(column.meaning, "")
