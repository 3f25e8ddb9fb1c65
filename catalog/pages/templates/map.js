// The map of an item page: draws the layers of its Cloud-Optimized GeoTIFFs, and tells the value under the cursor.
"use strict";
(function () {
  const place = document.getElementById("viewer");
  if (!place || !/^https?:$/.test(location.protocol) || !window.DecompressionStream) { return; }
  const told = JSON.parse(document.getElementById("viewer-data").textContent), colours = window.GLACIER_COLOURS;
  const find = (name) => place.querySelector(`[data-part="${name}"]`);
  const canvas = find("canvas"), pen = canvas.getContext("2d"), readout = find("readout"), announced = find("announced");
  const layers = told.layers, view = {easting: 0, northing: 0, metres: 1}, painted = new Map();
  const DWELL_MS = 120, ZOOM_STEP = 1.6, KEPT_PICTURES = 300;
  // it opens on the colours over the relief, where there are some
  let shown = layers.find((layer) => layer.paint === "rgb") || layers[0];
  let grid = null, fitMetres = 1, cursor = null, crosshair = false, asked = 0, frame = 0, lines = [], pointed = null, chosen = null;

  // --- UTM, WGS 84: Krueger's series to the third order in n, good to a millimetre within the zone ---------------
  const UTM = (function () {
    const n = 1 / (2 * 298.257223563 - 1), k0 = 0.9996, R = k0 * 6378137 / (1 + n) * (1 + n * n / 4 + n ** 4 / 64);
    const alpha = [n / 2 - 2 * n ** 2 / 3 + 5 * n ** 3 / 16, 13 * n ** 2 / 48 - 3 * n ** 3 / 5, 61 * n ** 3 / 240];
    const beta = [n / 2 - 2 * n ** 2 / 3 + 37 * n ** 3 / 96, n ** 2 / 48 + n ** 3 / 15, 17 * n ** 3 / 480];
    const delta = [2 * n - 2 * n ** 2 / 3 - 2 * n ** 3, 7 * n ** 2 / 3 - 8 * n ** 3 / 5, 56 * n ** 3 / 15];
    const sum = (terms, term) => terms.reduce((total, factor, j) => total + factor * term(2 * (j + 1)), 0);
    const radians = Math.PI / 180, ratio = 2 * Math.sqrt(n) / (1 + n);
    return {
      project(longitude, latitude, utm) {
        const sine = Math.sin(latitude * radians), turn = (longitude - utm.meridian) * radians;
        const t = Math.sinh(Math.atanh(sine) - ratio * Math.atanh(ratio * sine));
        const xi = Math.atan2(t, Math.cos(turn)), eta = Math.atanh(Math.sin(turn) / Math.hypot(1, t));
        return [
          500000 + R * (eta + sum(alpha, (j) => Math.cos(j * xi) * Math.sinh(j * eta))),
          utm.falseNorthing + R * (xi + sum(alpha, (j) => Math.sin(j * xi) * Math.cosh(j * eta))),
        ];
      },
      unproject(easting, northing, utm) {
        const xi = (northing - utm.falseNorthing) / R, eta = (easting - 500000) / R;
        const x = xi - sum(beta, (j) => Math.sin(j * xi) * Math.cosh(j * eta));
        const y = eta - sum(beta, (j) => Math.cos(j * xi) * Math.sinh(j * eta));
        const chi = Math.asin(Math.sin(x) / Math.cosh(y));
        return [
          utm.meridian + Math.atan2(Math.sinh(y), Math.cos(x)) / radians,
          (chi + sum(delta, (j) => Math.sin(j * chi))) / radians,
        ];
      },
    };
  })();

  // --- text in both languages -------------------------------------------------------------------------------------
  function both(en, cn) {
    const part = document.createDocumentFragment();
    [["en", en], ["zh", cn || en]].forEach(([language, text]) => {
      const span = document.createElement("span");
      span.lang = language; span.textContent = text; part.append(span);
    });
    return part;
  }
  const number = (value, decimals) => {
    const text = Math.abs(value).toFixed(decimals);
    return (value < 0 && Number(text) !== 0 ? "\u2212" : "") + text;
  };
  const grouped = (value) => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, "\u2009");

  // --- layers -----------------------------------------------------------------------------------------------------
  const open = (layer) => layer.cog || (layer.cog = window.GlacierCog.open(layer.href).then((cog) => (layer.ready = cog)));

  function table(layer) {
    if (!layer.table) {
      const hex = colours[layer.paint] || "";
      layer.table = Array.from({length: hex.length / 6}, (_, k) => [0, 2, 4].map((at) => parseInt(hex.substr(6 * k + at, 2), 16)));
    }
    return layer.table;
  }

  function colourOf(layer, samples, at, nodata) {
    const value = samples[at];
    if (layer.paint === "rgb") {
      const rgb = [value, samples[at + 1], samples[at + 2]];
      return rgb.every((part) => part === nodata) ? null : rgb;
    }
    if (value === nodata || Number.isNaN(value)) { return null; }
    if (layer.paint === "classes") { return (layer.classes.find((entry) => entry.value === value) || {}).rgb || null; }
    const entries = table(layer), position = (value - layer.low) / (layer.high - layer.low);
    return entries[Math.max(0, Math.min(entries.length - 1, Math.floor(position * entries.length)))];
  }

  function picture(layer, cog, levelIndex, index, samples) {
    const key = `${layer.key}/${levelIndex}/${index}`;
    if (painted.has(key)) { return painted.get(key); }
    const level = cog.levels[levelIndex], sheet = document.createElement("canvas");
    const left = (index % level.columns) * level.tileWidth, top = Math.floor(index / level.columns) * level.tileHeight;
    // a tile at the edge holds more than the raster
    sheet.width = Math.min(level.tileWidth, level.width - left);
    sheet.height = Math.min(level.tileHeight, level.height - top);
    const image = new ImageData(sheet.width, sheet.height);
    for (let row = 0, to = 0; row < sheet.height; row += 1) {
      for (let column = 0; column < sheet.width; column += 1, to += 4) {
        const rgb = colourOf(layer, samples, (row * level.tileWidth + column) * level.bands, cog.nodata);
        if (rgb) { image.data[to] = rgb[0]; image.data[to + 1] = rgb[1]; image.data[to + 2] = rgb[2]; image.data[to + 3] = 255; }
      }
    }
    sheet.getContext("2d").putImageData(image, 0, 0);
    if (painted.size > KEPT_PICTURES) { painted.delete(painted.keys().next().value); }
    painted.set(key, sheet);
    return sheet;
  }

  // --- drawing ----------------------------------------------------------------------------------------------------
  const east = (x) => view.easting + (x - canvas.clientWidth / 2) * view.metres;
  const north = (y) => view.northing - (y - canvas.clientHeight / 2) * view.metres;
  const redraw = () => { if (!frame) { frame = requestAnimationFrame(() => { frame = 0; draw(); }); } };

  function draw() {
    const sharp = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp)) {
      canvas.width = Math.round(width * sharp); canvas.height = Math.round(height * sharp);
    }
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (!shown.ready) { open(shown).then(redraw, failed); return; }
    const cog = shown.ready, device = view.metres / sharp, size = (level) => cog.grid.pixelWidth * cog.levels[0].width / level.width;
    let best = cog.levels.length - 1;
    while (best > 0 && size(cog.levels[best]) > device * 1.2) { best -= 1; }
    // what is at hand of the coarsest level stands behind what is still on its way
    if (best < cog.levels.length - 1) { drawLevel(cog, cog.levels.length - 1, sharp, false); }
    drawLevel(cog, best, sharp, true);
    drawLines(sharp);
    drawMarks(sharp);
    if (crosshair) { drawCrosshair(sharp); }
    scaleBar();
  }

  function drawLevel(cog, levelIndex, sharp, fetching) {
    const level = cog.levels[levelIndex], grid = cog.grid, mine = shown;
    const stepX = grid.pixelWidth * cog.levels[0].width / level.width, stepY = grid.pixelHeight * cog.levels[0].height / level.height;
    const range = (from, to, step, most) => [Math.max(0, Math.floor(from / step)), Math.min(most - 1, Math.floor(to / step))];
    const [left, right] = range(east(0) - grid.west, east(canvas.clientWidth) - grid.west, stepX * level.tileWidth, level.columns);
    const [top, bottom] = range(grid.north - north(0), grid.north - north(canvas.clientHeight), stepY * level.tileHeight, level.rows);
    const wanted = [];
    for (let row = top; row <= bottom; row += 1) {
      for (let column = left; column <= right; column += 1) { wanted.push(row * level.columns + column); }
    }
    const scale = sharp / view.metres;
    pen.imageSmoothingEnabled = stepX * scale < 1;
    wanted.forEach((index) => {
      const kept = cog.kept(levelIndex, index);
      if (!kept || !kept.samples) { return; }
      const sheet = picture(mine, cog, levelIndex, index, kept.samples);
      const x = (grid.west + (index % level.columns) * level.tileWidth * stepX - east(0)) * scale;
      const y = (north(0) - grid.north + Math.floor(index / level.columns) * level.tileHeight * stepY) * scale;
      // whole device pixels, so that no seam shows between tiles
      const x1 = Math.round(x), y1 = Math.round(y);
      pen.drawImage(sheet, x1, y1, Math.round(x + sheet.width * stepX * scale) - x1, Math.round(y + sheet.height * stepY * scale) - y1);
    });
    const missing = fetching ? wanted.filter((index) => !cog.kept(levelIndex, index)) : [];
    if (missing.length) { cog.load(levelIndex, missing).forEach((tile) => tile.then(redraw, failed)); }
    place.dataset.level = String(levelIndex);
    place.dataset.waiting = String(wanted.filter((index) => !(cog.kept(levelIndex, index) || {}).samples).length);
  }

  // a picture has its lines drawn already, coarser
  const linesShown = () => shown.paint === "rgb" || find("lines-shown").checked;

  function drawLines(sharp) {
    if (!linesShown()) { return; }
    const scale = sharp / view.metres;
    pen.lineJoin = "round";
    lines.forEach((line) => {
      const width = line.strong || line === pointed ? 2 : 0.9;
      pen.setTransform(scale, 0, 0, -scale, -east(0) * scale, north(0) * scale);
      pen.beginPath();
      line.parts.forEach((part) => part.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y))));
      pen.setTransform(1, 0, 0, 1, 0, 0);
      pen.strokeStyle = "rgba(255,255,255,.75)"; pen.lineWidth = (width + 1.7) * sharp; pen.stroke();
      pen.strokeStyle = "#14202c"; pen.lineWidth = width * sharp; pen.stroke();
    });
  }

  // numbers of isolines and names of points, each where it covers no other: zero and whole steps of a half first
  function drawMarks(sharp) {
    const taken = [], height = 12 * sharp, scale = sharp / view.metres;
    const place = ([easting, northing]) => [(easting - east(0)) * scale, (north(0) - northing) * scale];
    pen.font = `${12 * sharp}px system-ui, sans-serif`; pen.textBaseline = "middle"; pen.lineJoin = "round";
    const write = (text, x, y, align) => {
      const width = pen.measureText(text).width, left = align === "center" ? x - width / 2 : x;
      const box = [left - 2 * sharp, y - height / 2, left + width + 2 * sharp, y + height / 2];
      if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3])) { return; }
      taken.push(box);
      pen.textAlign = "left";
      pen.strokeStyle = "rgba(255,255,255,.9)"; pen.lineWidth = 3.4 * sharp; pen.strokeText(text, left, y);
      pen.fillStyle = "#14202c"; pen.fillText(text, left, y);
    };
    const points = told.utm ? told.points : [];
    points.forEach((point) => {
      point.place = point.place || UTM.project(...point.at, told.utm);
      const [x, y] = place(point.place), r = 4 * sharp;
      taken.push([x - r, y - r, x + r, y + r]);
      pen.beginPath(); pen.arc(x, y, r, 0, 2 * Math.PI);
      pen.fillStyle = "#fff"; pen.fill(); pen.strokeStyle = "#14202c"; pen.lineWidth = 1.6 * sharp; pen.stroke();
    });
    points.forEach((point) => { const [x, y] = place(point.place); write(point.name, x + 6 * sharp, y, "left"); });
    if (!linesShown()) { return; }
    lines.filter((line) => line.value !== null).sort((one, other) => one.rank - other.rank).forEach((line) => {
      const longest = line.parts.reduce((one, other) => (other.length > one.length ? other : one));
      const reach = Math.hypot(...[0, 1].map((axis) => Math.max(...longest.map((at) => at[axis])) - Math.min(...longest.map((at) => at[axis])))) * scale;
      if (reach > 48 * sharp) { write(number(line.value, 1), ...place(longest[Math.floor(longest.length / 2)]), "center"); }
    });
  }

  function drawCrosshair(sharp) {
    const x = canvas.width / 2, y = canvas.height / 2, r = 12 * sharp;
    pen.beginPath(); pen.moveTo(x - r, y); pen.lineTo(x + r, y); pen.moveTo(x, y - r); pen.lineTo(x, y + r);
    pen.strokeStyle = "#fff"; pen.lineWidth = 4 * sharp; pen.stroke();
    pen.strokeStyle = "#14202c"; pen.lineWidth = 1.6 * sharp; pen.stroke();
  }

  function scaleBar() {
    const room = 110 * view.metres, power = 10 ** Math.floor(Math.log10(room));
    const length = [5, 2, 1].map((factor) => factor * power).find((metres) => metres <= room) || power;
    find("scale").style.width = `${length / view.metres}px`;
    find("scale").textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
  }

  // --- what is under the cursor -----------------------------------------------------------------------------------
  const pixelAt = (cog, easting, northing) =>
    [Math.floor((easting - cog.grid.west) / cog.grid.pixelWidth), Math.floor((cog.grid.north - northing) / cog.grid.pixelHeight)];

  async function tell(aloud) {
    const mine = (asked += 1), [easting, northing] = crosshair || !cursor ? [view.easting, view.northing] : cursor;
    const measured = layers.filter((layer) => layer.paint !== "rgb");
    const values = await Promise.all(measured.map(async (layer) => {
      const cog = await open(layer), found = await cog.pixel(...pixelAt(cog, easting, northing));
      return found ? found[0] : null;
    }));
    if (mine !== asked) { return; }
    write(easting, northing, (key) => { const at = measured.findIndex((layer) => layer.key === key); return at < 0 ? null : values[at]; });
    if (aloud) { announced.textContent = readout.innerText.replace(/\s+/g, " "); }
  }

  function write(easting, northing, valueOf) {
    const rows = [], main = layers[0], value = valueOf(main.key), sigma = valueOf(main.sigma), classed = layers.find((layer) => layer.classes);
    const text = value === null ? null : `${number(value, 2)}${sigma === null ? "" : ` \u00b1 ${number(sigma, 2)}`} ${main.unit}`;
    rows.push([main.title, text === null ? both("no data", "\u65e0\u6570\u636e") : text, "value"]);
    const entry = classed && classed.classes.find((one) => one.value === valueOf(classed.key));
    if (entry) { rows.push([classed.title, both(...entry.title), "class"]); }
    const over = [chosen, ...lines].find((line) => line && line.name && within(line.parts, easting, northing));
    if (over) { rows.push([["Glacier", "\u51b0\u5ddd"], over.name, "glacier"], ...over.numbers); }
    if (over !== pointed) { pointed = over; redraw(); }
    const near = told.points.find(({place}) => place && Math.hypot(place[0] - easting, place[1] - northing) < 9 * view.metres);
    if (near) { rows.push([near.kind, `${near.name}: ${near.text}`, "point"]); }
    rows.push([[told.code, told.code], `${grouped(easting)} E, ${grouped(northing)} N`, "projected"]);
    if (told.utm) {
      const [longitude, latitude] = UTM.unproject(easting, northing, told.utm), side = (degrees, signs) => `${Math.abs(degrees).toFixed(5)}\u00b0 ${signs[degrees < 0 ? 1 : 0]}`;
      rows.push([["Longitude, latitude", "\u7ecf\u5ea6\u3001\u7eac\u5ea6"], `${side(longitude, "EW")}, ${side(latitude, "NS")}`, "degrees"]);
    }
    if (main.ready) { const [column, row] = pixelAt(main.ready, easting, northing); rows.push([["Column, row", "\u5217\u3001\u884c"], `${column}, ${row}`, "pixel"]); }
    readout.replaceChildren(...rows.map(([label, content, part]) => {
      const box = document.createElement("div"), dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.append(both(...label)); dd.append(content); dd.dataset.value = part; box.append(dt, dd);
      return box;
    }));
  }

  // what the catalogue says of a glacier: its change, its balance, its area
  function numbersOf(record) {
    const known = (name) => typeof record[name] === "number";
    const text = (name, unit) => `${number(record[name], 2)}${known(`sigma_${name}`) ? ` \u00b1 ${number(record[`sigma_${name}`], 2)}` : ""} ${unit}`;
    return [
      [["Its mean change", "\u8be5\u51b0\u5ddd\u5e73\u5747\u9ad8\u7a0b\u53d8\u5316"], "mean_dh_m", "m"],
      [["Its rate", "\u8be5\u51b0\u5ddd\u53d8\u5316\u7387"], "mean_dhdt_m_a", "m a\u207b\u00b9"],
      [["Its mass balance", "\u8be5\u51b0\u5ddd\u7269\u8d28\u5e73\u8861"], "mass_balance_m_we_a", "m w.e. a\u207b\u00b9"],
      [["Its area", "\u8be5\u51b0\u5ddd\u9762\u79ef"], "area_km2", "km\u00b2"],
    ].filter(([, name]) => known(name)).map(([label, name, unit]) => [label, text(name, unit), name]);
  }

  // inside an odd number of rings: a hole is none of the glacier
  const within = (rings, x, y) => rings.reduce((odd, ring) => odd !== inside(ring, x, y), false);

  // eastings at which the rings cross a northing
  const crossings = (rings, y) => rings.flatMap((ring) => ring.flatMap(([x2, y2], at) => {
    const [x1, y1] = ring[at ? at - 1 : ring.length - 1];
    return (y1 > y) === (y2 > y) ? [] : [x1 + (x2 - x1) * (y - y1) / (y2 - y1)];
  })).sort((one, other) => one - other);

  function inside(ring, x, y) {
    let odd = false;
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      if ((ring[i][1] > y) !== (ring[j][1] > y)
          && x < (ring[j][0] - ring[i][0]) * (y - ring[i][1]) / (ring[j][1] - ring[i][1]) + ring[i][0]) { odd = !odd; }
    }
    return odd;
  }

  let dwelling = 0;
  const tellSoon = (aloud) => { clearTimeout(dwelling); dwelling = setTimeout(() => tell(aloud).catch(failed), DWELL_MS); };

  // --- moving -----------------------------------------------------------------------------------------------------
  function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
    const [e, n] = [east(x), north(y)], finest = grid.pixelWidth / 24;
    view.metres = Math.max(finest, Math.min(fitMetres * 1.6, view.metres / factor));
    view.easting = e - (x - canvas.clientWidth / 2) * view.metres;
    view.northing = n + (y - canvas.clientHeight / 2) * view.metres;
    move(0, 0);
  }
  function move(x, y) {
    const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
    view.easting = clamp(view.easting - x * view.metres, grid.west, grid.east);
    view.northing = clamp(view.northing + y * view.metres, grid.south, grid.north);
    redraw();
  }
  function fit() {
    view.easting = (grid.west + grid.east) / 2; view.northing = (grid.south + grid.north) / 2;
    fitMetres = Math.max((grid.east - grid.west) / canvas.clientWidth, (grid.north - grid.south) / canvas.clientHeight) * 1.02;
    view.metres = fitMetres;
    redraw();
  }

  const fingers = new Map();
  function listen() {
    const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left - canvas.clientLeft, event.clientY - box.top - canvas.clientTop]; };
    const point = (event) => { const [x, y] = at(event); crosshair = false; chosen = null; cursor = [east(x), north(y)]; tellSoon(false); };
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); fingers.set(event.pointerId, at(event)); point(event); });
    canvas.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId), now = at(event);
      if (before && fingers.size === 1) { move(now[0] - before[0], now[1] - before[1]); }
      if (before && fingers.size === 2) {
        const other = [...fingers].find(([id]) => id !== event.pointerId)[1], reach = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]);
        if (reach(before) > 0) { zoom(reach(now) / reach(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2); }
        move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
      }
      if (before) { fingers.set(event.pointerId, now); }
      point(event);
    });
    ["pointerup", "pointercancel"].forEach((kind) => canvas.addEventListener(kind, (event) => fingers.delete(event.pointerId)));
    canvas.addEventListener("dblclick", (event) => zoom(ZOOM_STEP, ...at(event)));
    canvas.addEventListener("wheel", (event) => {
      // the page scrolls past the map unless the reader is working with it
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas) { return; }
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...at(event));
    }, {passive: false});
    canvas.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 160 : 40;
      const act = {
        ArrowLeft: () => move(step, 0), ArrowRight: () => move(-step, 0), ArrowUp: () => move(0, step), ArrowDown: () => move(0, -step),
        "+": () => zoom(ZOOM_STEP), "=": () => zoom(ZOOM_STEP), "-": () => zoom(1 / ZOOM_STEP), "0": fit, Home: fit,
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) { return; }
      event.preventDefault();
      crosshair = true;
      act();
      tellSoon(true);
    });
    find("in").addEventListener("click", () => zoom(ZOOM_STEP));
    find("out").addEventListener("click", () => zoom(1 / ZOOM_STEP));
    find("fit").addEventListener("click", fit);
    find("lines-shown").addEventListener("change", redraw);
    find("layers").addEventListener("change", (event) => choose(layers.find((layer) => layer.key === event.target.value)));
    new ResizeObserver(redraw).observe(canvas);
  }

  // --- legend, layers, lines --------------------------------------------------------------------------------------
  function choose(layer) {
    shown = layer;
    find("lines-switch").hidden = layer.paint === "rgb" || !told.lines.length || !told.utm;
    const legend = find("legend"), parts = [];
    legend.hidden = layer.paint === "rgb" && !layer.high;
    if (layer.classes) {
      layer.classes.forEach((entry) => {
        const box = document.createElement("span"), mark = document.createElement("i");
        box.className = "class"; mark.style.background = `rgb(${entry.rgb})`; box.append(mark, both(...entry.title)); parts.push(box);
      });
    } else if (!legend.hidden) {
      const strip = document.createElement("canvas"), entries = table(layer.paint === "rgb" ? {...layer, paint: "change"} : layer);
      strip.width = entries.length; strip.height = 1; strip.setAttribute("aria-hidden", "true");
      entries.forEach((rgb, x) => { const ink = strip.getContext("2d"); ink.fillStyle = `rgb(${rgb})`; ink.fillRect(x, 0, 1, 1); });
      const label = (value, sign) => { const span = document.createElement("span"); span.textContent = sign + number(value, layer.decimals); return span; };
      const ends = layer.low < 0 ? ["\u2264\u2009", "\u2265\u2009"] : ["", "\u2265\u2009"], labels = document.createElement("span");
      labels.className = "ends";
      labels.append(label(layer.low, ends[0]), label((layer.low + layer.high) / 2, ""), label(layer.high, ends[1]));
      const name = document.createElement("span");
      name.className = "name"; name.append(both(...layer.title)); if (layer.unit) { name.append(` (${layer.unit})`); }
      parts.push(name, strip, labels);
    }
    legend.replaceChildren(...parts);
    redraw();
  }

  function switches() {
    find("layers").append(...[...layers].sort((one, other) => (other === shown) - (one === shown)).map((layer) => {
      const label = document.createElement("label"), input = document.createElement("input");
      input.type = "radio"; input.name = "layer"; input.value = layer.key; input.checked = layer === shown;
      const name = document.createElement("span");
      name.append(both(...layer.title)); label.append(input, name);
      return label;
    }));
  }

  async function fetchLines() {
    if (!told.lines.length || !told.utm) { return; }
    const project = (ring) => ring.map(([longitude, latitude]) => UTM.project(longitude, latitude, told.utm));
    const read = async ({href}) => {
      const answer = await fetch(href);
      if (!answer.ok) { throw new Error(`${href}: ${answer.status}`); }
      return (await answer.json()).features.map(({geometry, properties}) => ({
        parts: {
          Polygon: () => geometry.coordinates, MultiPolygon: () => geometry.coordinates.flat(),
          LineString: () => [geometry.coordinates], MultiLineString: () => geometry.coordinates,
        }[geometry.type]().map(project),
        id: properties.glacier_id || "",
        name: properties.glacier_name || properties.glacier_id || "",
        numbers: numbersOf(properties),
        value: typeof properties.balance_m_we === "number" ? properties.balance_m_we : null,
        rank: properties.balance_m_we === 0 ? 0 : Math.round(10 * properties.balance_m_we) % 5 ? 2 : 1,
        strong: properties.balance_m_we === 0,
      }));
    };
    lines = (await Promise.all(told.lines.map(read))).flat();
    redraw();
    toGlacier();
    window.addEventListener("hashchange", toGlacier);
  }

  // a list of glaciers leads here with #glacier=ID
  function toGlacier() {
    const wanted = new URLSearchParams(location.hash.slice(1)).get("glacier"), line = wanted && lines.find(({id}) => id === wanted);
    if (!line) { return; }
    const ends = [0, 1].map((axis) => { const all = line.parts.flat().map((at) => at[axis]); return [Math.min(...all), Math.max(...all)]; });
    [view.easting, view.northing] = ends.map(([low, high]) => (low + high) / 2);
    const cut = crossings(line.parts, view.northing);
    // the middle of its widest part on that line lies on the glacier, whatever its shape
    const widths = cut.map((x, at) => (at % 2 ? x - cut[at - 1] : -1)), widest = widths.indexOf(Math.max(...widths));
    if (widest > 0) { view.easting = (cut[widest] + cut[widest - 1]) / 2; }
    view.metres = 1.6 * Math.max((ends[0][1] - ends[0][0]) / canvas.clientWidth, (ends[1][1] - ends[1][0]) / canvas.clientHeight, grid.pixelWidth / 24);
    crosshair = true; chosen = line;
    place.scrollIntoView({block: "start"});
    redraw();
    tellSoon(true);
  }

  function failed(error) { find("trouble").hidden = false; find("trouble-text").textContent = String(error.message || error); }

  open(shown).then((cog) => {
    const level = cog.levels[0], {west, north: top, pixelWidth, pixelHeight} = cog.grid;
    grid = {west, north: top, pixelWidth, east: west + level.width * pixelWidth, south: top - level.height * pixelHeight};
    place.hidden = false;
    // on the screen instead of the picture; on paper the picture stays
    document.documentElement.dataset.map = "shown";
    // as tall as the raster is at full width, within reason
    canvas.style.aspectRatio = String(Math.max(0.8, Math.min(2.4, (grid.east - grid.west) / (grid.north - grid.south))));
    switches(); listen(); fit(); choose(shown);
    write(view.easting, view.northing, () => null); readout.classList.add("empty");
    tellSoon(false); setTimeout(() => readout.classList.remove("empty"), DWELL_MS * 2);
    fetchLines().catch(failed);
  }).catch(failed);
  window.GlacierUtm = UTM;
})();
