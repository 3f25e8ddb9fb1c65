// Reads the Cloud-Optimized GeoTIFFs of this archive by HTTP Range requests: tiled, DEFLATE, predictor 1 to 3, bands of
// uint8 or float32 lying pixel by pixel, overviews inside (TIFF 6.0 with Technical Note 3; BigTIFF for large ones).
"use strict";
(function () {
  const HEAD_BYTES = 16384, HEAD_LIMIT = 64 << 20, MERGED_GAP = 4096, MERGED_BYTES = 1 << 20, KEPT_TILES = 400;
  const SIZE_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 11: 4, 12: 8, 13: 4, 16: 8, 18: 8};
  const TAG = {
    subfile: 254, width: 256, height: 257, bits: 258, compression: 259, bands: 277, planes: 284, predictor: 317,
    tileWidth: 322, tileHeight: 323, offsets: 324, counts: 325, format: 339, pixel: 33550, tie: 33922, nodata: 42113,
  };

  // Bytes of one file. A server without ranges sends the whole file once, and that is kept.
  class RangeSource {
    constructor(url) { this.url = url; this.whole = null; this.etag = null; }

    async bytes(start, end) {
      if (this.whole) { return this.whole.slice(start, end); }
      const answer = await fetch(this.url, {headers: {Range: `bytes=${start}-${end - 1}`}});
      if (!answer.ok) { throw new Error(`${this.url}: ${answer.status}`); }
      const etag = answer.headers.get("etag");
      if (this.etag && etag && etag !== this.etag) { throw new Error(`${this.url}: changed while it was read`); }
      this.etag = etag;
      const buffer = await answer.arrayBuffer();
      if (answer.status === 206) { return buffer; }
      this.whole = buffer;
      return buffer.slice(start, end);
    }
  }

  // The tags of every image of a file, as {tag: [values]}; a RangeError where the buffer ends too early.
  function directories(buffer) {
    const view = new DataView(buffer), little = view.getUint16(0) === 0x4949, big = view.getUint16(2, little) === 43;
    if (!big && view.getUint16(2, little) !== 42) { throw new Error("no TIFF"); }
    const pointer = (at) => big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
    const found = [];
    for (let at = pointer(big ? 8 : 4); at;) {
      const count = big ? Number(view.getBigUint64(at, little)) : view.getUint16(at, little);
      const first = at + (big ? 8 : 2), step = big ? 20 : 12, tags = {};
      for (let entry = first; entry < first + count * step; entry += step) {
        const type = view.getUint16(entry + 2, little), length = pointer(entry + 4);
        const inside = (SIZE_OF_TYPE[type] || 1) * length <= (big ? 8 : 4), place = entry + (big ? 12 : 8);
        tags[view.getUint16(entry, little)] = values(view, type, length, inside ? place : pointer(place), little);
      }
      found.push(tags);
      at = pointer(first + count * step);
    }
    return {little, found};
  }

  function values(view, type, length, at, little) {
    if (type === 2) {
      return [String.fromCharCode(...new Uint8Array(view.buffer, at, length)).replace(/\0.*$/, "")];
    }
    const read = {
      1: () => view.getUint8(at), 3: () => view.getUint16(at, little), 4: () => view.getUint32(at, little),
      11: () => view.getFloat32(at, little), 12: () => view.getFloat64(at, little), 13: () => view.getUint32(at, little),
      16: () => Number(view.getBigUint64(at, little)), 18: () => Number(view.getBigUint64(at, little)),
    }[type];
    const list = [];
    for (let index = 0; read && index < length; index += 1, at += SIZE_OF_TYPE[type]) { list.push(read()); }
    return list;
  }

  function levelOf(tags) {
    const one = (tag, otherwise) => (tags[tag] || [otherwise])[0];
    const level = {
      width: one(TAG.width), height: one(TAG.height), tileWidth: one(TAG.tileWidth), tileHeight: one(TAG.tileHeight),
      bands: one(TAG.bands, 1), bytes: one(TAG.bits) / 8, predictor: one(TAG.predictor, 1),
      compression: one(TAG.compression, 1), float: one(TAG.format, 1) === 3,
      offsets: tags[TAG.offsets], counts: tags[TAG.counts],
    };
    const readable = level.offsets && [1, 8, 32946].includes(level.compression)
      && (level.float ? level.bytes === 4 : level.bytes === 1) && (level.bands === 1 || one(TAG.planes, 1) === 1);
    if (!readable) { throw new Error("a GeoTIFF of another profile"); }
    level.columns = Math.ceil(level.width / level.tileWidth);
    level.rows = Math.ceil(level.height / level.tileHeight);
    return level;
  }

  async function inflated(packed) {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Undoes the predictor in place of a row: differences of samples (2), or of the bytes of floats by significance (3).
  function restored(level, raw, little) {
    const samples = level.tileWidth * level.bands, rowBytes = samples * level.bytes;
    let plain = raw;
    if (level.predictor === 3) {
      plain = new Uint8Array(raw.length);
      for (let row = 0; row < raw.length; row += rowBytes) {
        for (let at = row + level.bands; at < row + rowBytes; at += 1) { raw[at] += raw[at - level.bands]; }
        for (let byte = 0; byte < level.bytes; byte += 1) {
          for (let sample = 0; sample < samples; sample += 1) {
            plain[row + sample * level.bytes + level.bytes - 1 - byte] = raw[row + byte * samples + sample];
          }
        }
      }
    } else if (level.bytes === 4 && !little) {
      for (let at = 0; at < raw.length; at += 4) { raw.subarray(at, at + 4).reverse(); }
    }
    if (level.predictor === 2) {
      const words = level.bytes === 4 ? new Uint32Array(plain.buffer) : plain;
      for (let row = 0; row < words.length; row += samples) {
        for (let at = row + level.bands; at < row + samples; at += 1) { words[at] += words[at - level.bands]; }
      }
    }
    return level.float ? new Float32Array(plain.buffer) : plain;
  }

  class Cog {
    constructor(source, little, found) {
      this.source = source;
      this.little = little;
      // images whose subfile type has bit 4 are masks
      this.levels = found.filter((tags) => !((tags[TAG.subfile] || [0])[0] & 4)).map(levelOf);
      const [pixelWidth, pixelHeight] = found[0][TAG.pixel], tie = found[0][TAG.tie];
      this.grid = {west: tie[3], north: tie[4], pixelWidth, pixelHeight};
      const nodata = found[0][TAG.nodata];
      this.nodata = nodata ? Number(nodata[0]) : NaN;
      this.tiles = new Map();
    }

    static async open(url) {
      const source = new RangeSource(url);
      for (let size = HEAD_BYTES; ; size *= 4) {
        const head = await source.bytes(0, size);
        try {
          const {little, found} = directories(head);
          return new Cog(source, little, found);
        } catch (error) {
          if (!(error instanceof RangeError) || head.byteLength < size || size > HEAD_LIMIT) { throw error; }
        }
      }
    }

    // Promises of tiles, each an array of samples; tiles that lie close together in the file come by one request.
    load(levelIndex, tileIndices) {
      const level = this.levels[levelIndex], missing = tileIndices.filter((index) => !this.kept(levelIndex, index));
      missing.sort((one, other) => level.offsets[one] - level.offsets[other]);
      for (let first = 0; first < missing.length;) {
        const start = level.offsets[missing[first]], end = (index) => level.offsets[index] + level.counts[index];
        let last = first;
        while (last + 1 < missing.length && level.offsets[missing[last + 1]] - end(missing[last]) <= MERGED_GAP
               && end(missing[last + 1]) - start <= MERGED_BYTES) { last += 1; }
        const run = missing.slice(first, last + 1), stop = Math.max(...run.map(end));
        const bytes = stop > start ? this.source.bytes(start, stop) : Promise.resolve(new ArrayBuffer(0));
        run.forEach((index) => this.keep(levelIndex, index, bytes.then((buffer) => this.decoded(level, index, buffer, start))));
        first = last + 1;
      }
      return tileIndices.map((index) => this.kept(levelIndex, index));
    }

    kept(levelIndex, index) { return this.tiles.get(`${levelIndex}/${index}`); }

    keep(levelIndex, index, promise) {
      const key = `${levelIndex}/${index}`;
      this.tiles.set(key, promise);
      promise.then((samples) => { promise.samples = samples; }, () => this.tiles.delete(key));
      if (this.tiles.size > KEPT_TILES) { this.tiles.delete(this.tiles.keys().next().value); }
    }

    async decoded(level, index, buffer, start) {
      if (!level.counts[index]) {  // a tile that was never written holds no data
        const size = level.tileWidth * level.tileHeight * level.bands;
        return (level.float ? new Float32Array(size) : new Uint8Array(size)).fill(this.nodata || 0);
      }
      const packed = buffer.slice(level.offsets[index] - start, level.offsets[index] - start + level.counts[index]);
      return restored(level, level.compression === 1 ? new Uint8Array(packed) : await inflated(packed), this.little);
    }

    // Samples of one pixel, null without data and outside; a promise where the tile has to be fetched first.
    pixel(column, row, levelIndex = 0) {
      const level = this.levels[levelIndex];
      if (!(column >= 0 && row >= 0 && column < level.width && row < level.height)) { return null; }
      const index = Math.floor(row / level.tileHeight) * level.columns + Math.floor(column / level.tileWidth);
      const at = ((row % level.tileHeight) * level.tileWidth + column % level.tileWidth) * level.bands;
      const take = (samples) => {
        const found = Array.from(samples.subarray(at, at + level.bands));
        return found.every((value) => value === this.nodata || Number.isNaN(value)) ? null : found;
      };
      const kept = this.kept(levelIndex, index);
      return kept && kept.samples ? take(kept.samples) : this.load(levelIndex, [index])[0].then(take);
    }
  }

  window.GlacierCog = Cog;
})();
