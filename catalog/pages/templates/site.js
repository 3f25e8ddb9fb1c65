// What every page does: the language, the copy buttons, the contents, and on the front page the search.
"use strict";
(function () {
  const root = document.documentElement, KEY = "glacier-language", MOST = 50, LONGEST_PRINTED = 100;
  // what cannot hold both languages: the page has it in English, and the Chinese words beside it in data-zh-*
  const attribute = (name) => [(node) => node.getAttribute(name), (node, text) => node.setAttribute(name, text)];
  const TOLD = {
    label: attribute("aria-label"), alt: attribute("alt"), placeholder: attribute("placeholder"),
    text: [(node) => node.textContent, (node, text) => { node.textContent = text; }],
  };
  let kept = null;
  try { kept = localStorage.getItem(KEY); } catch (error) { kept = null; }
  // before the page is drawn, so that it does not flicker
  root.dataset.show = kept || (/^zh/.test(navigator.language || "") ? "zh" : "en");

  function show(language) {
    root.dataset.show = language;
    root.lang = language;
    const titles = document.querySelector("title").dataset;
    document.title = (language === "zh" && titles.zh) || titles.en;
    document.querySelectorAll(".languages button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    });
    Object.entries(TOLD).forEach(([part, [read, write]]) => document.querySelectorAll(`[data-zh-${part}]`).forEach((node) => {
      const kept = `data-en-${part}`;
      if (!node.hasAttribute(kept)) { node.setAttribute(kept, read(node)); }
      write(node, node.getAttribute(language === "zh" ? `data-zh-${part}` : kept));
    }));
  }

  function languages() {
    const bar = document.querySelector(".languages");
    bar.hidden = false;
    show(root.dataset.show);
    bar.addEventListener("click", (event) => {
      const button = event.target.closest("[data-language]");
      if (!button) { return; }
      show(button.dataset.language);
      try { localStorage.setItem(KEY, button.dataset.language); } catch (error) { return; }
    });
  }

  function copying(button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const text = document.getElementById(button.dataset.copy).textContent.trim();
      const done = () => { button.dataset.done = "true"; setTimeout(() => { delete button.dataset.done; }, 1600); };
      const byHand = () => {
        const area = document.createElement("textarea");
        area.value = text; document.body.append(area); area.select();
        if (document.execCommand("copy")) { done(); }
        area.remove();
      };
      if (navigator.clipboard) { navigator.clipboard.writeText(text).then(done, byHand); } else { byHand(); }
    });
  }

  // marks the section that is being read in the contents
  function contents() {
    const links = [...document.querySelectorAll(".contents a")];
    if (!links.length || !window.IntersectionObserver) { return; }
    const watch = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      links.forEach((link) => {
        if (link.hash === `#${entry.target.id}`) { link.setAttribute("aria-current", "true"); } else { link.removeAttribute("aria-current"); }
      });
    }), {rootMargin: "-10% 0px -75% 0px"});
    links.forEach((link) => { const part = document.getElementById(link.hash.slice(1)); if (part) { watch.observe(part); } });
  }

  // a heading sorts its column: numbers by what data-sort says, from the largest, empty ones last; names by their text
  function sorting(table) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button"), numbers = head.classList.contains("n");
      button.type = "button"; button.className = "sort"; button.append(...head.childNodes); head.append(button);
      button.addEventListener("click", () => {
        const up = head.ariaSort ? head.ariaSort === "descending" : !numbers, sign = up ? 1 : -1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.ariaSort = up ? "ascending" : "descending";
        const keyed = [...body.rows].map((row) => {
          const cell = row.cells[column], told = cell.dataset.sort;
          return {row, key: numbers ? (told ? Number(told) : null) : cell.textContent.trim()};
        });
        keyed.sort((one, other) => {
          if (one.key === null || other.key === null) { return (one.key === null) - (other.key === null); }
          return sign * (numbers ? one.key - other.key : one.key.localeCompare(other.key, undefined, {numeric: true}));
        });
        body.append(...keyed.map((entry) => entry.row));
      });
    });
  }

  // --- search ---------------------------------------------------------------------------------------------------
  const YEAR = /(?<!\d)(?:1[89]|20)\d\d(?!\d)/g;
  const plain = (text) => text.toLowerCase().normalize("NFKC");

  function entriesOf(data) {
    return data.items.map(([at, path, tail, tailCn, first, last]) => {
      const set = data.collections[at], title = [set.prefix[0] + tail, set.prefix[1] + tailCn];
      // a balance year begins in the year before: the one year that an item is named by is its own, else first to last
      const named = path.split("/").slice(-2)[0].match(YEAR) || [], own = named.length === 1 ? Number(named[0]) : null;
      return {
        at, href: `${set.id}/${path}`, title, first, last, from: own || first, to: own || last,
        text: plain(`${title[0]} ${title[1]} ${path}`),
      };
    });
  }

  function search(form) {
    const data = window.GLACIER_ARCHIVE, box = document.getElementById("results"), count = document.getElementById("found");
    const cards = document.getElementById("cards");
    data.collections.forEach((set) => { set.text = plain(`${set.id} ${set.title.join(" ")} ${set.keywords.join(" ")}`); });
    const items = entriesOf(data);
    const sets = data.collections.map((set, at) => ({at, href: `${set.id}/index.html`, title: set.title, first: set.years[0], last: set.years[1], from: set.years[0], to: set.years[1], text: "", whole: true}));
    const span = (lang, text) => { const part = document.createElement("span"); part.lang = lang; part.textContent = text; return part; };

    function row(entry) {
      const line = document.createElement("li"), link = document.createElement("a"), when = document.createElement("span");
      link.href = entry.href;
      link.append(...(entry.title[1] ? [span("en", entry.title[0]), span("zh", entry.title[1])] : [entry.title[0]]));
      when.className = "when";
      when.textContent = entry.first === entry.last ? entry.first : `${entry.first}\u2013${entry.last}`;
      line.append(link, when);
      if (entry.whole) {
        const note = document.createElement("small"), size = data.collections[entry.at].items;
        note.append(span("en", `collection of ${size} item${size === 1 ? "" : "s"}`), span("zh", `\u6570\u636e\u96c6\uff0c${size} \u9879`));
        line.append(note);
      }
      return line;
    }

    function look() {
      const terms = plain(form.words.value).split(/\s+/).filter(Boolean), from = Number(form.from.value) || -Infinity, to = Number(form.to.value) || Infinity;
      const of = form.of.value === "" ? null : Number(form.of.value), idle = !terms.length && from === -Infinity && to === Infinity && of === null;
      const fits = (entry) => (of === null || entry.at === of) && entry.to >= from && entry.from <= to
        && terms.every((term) => (/^(1[89]|20)\d\d$/.test(term)
          ? entry.from <= Number(term) && entry.to >= Number(term)
          : entry.text.includes(term) || data.collections[entry.at].text.includes(term)));
      const found = idle ? [] : [...sets, ...items].filter(fits);
      form.classList.toggle("used", !idle);
      cards.hidden = !idle;
      box.hidden = count.hidden = idle;
      const more = found.length > MOST;
      count.replaceChildren(
        span("en", `${found.length} found${more ? `; the first ${MOST} are shown` : ""}`),
        span("zh", `\u5171 ${found.length} \u6761${more ? `\uff0c\u663e\u793a\u524d ${MOST} \u6761` : ""}`));
      box.replaceChildren(...found.slice(0, MOST).map(row));
    }
    form.hidden = false;
    form.addEventListener("input", look);
    form.addEventListener("submit", (event) => { event.preventDefault(); look(); });
    look();
  }

  document.addEventListener("DOMContentLoaded", () => {
    languages();
    contents();
    document.querySelectorAll("button[data-copy]").forEach(copying);
    // code names the archive's folder; over HTTP its address is known
    const home = document.querySelector(".path a");
    if (/^https?:$/.test(location.protocol) && home) {
      const address = new URL(".", home.href).href.replace(/\/$/, "");
      document.querySelectorAll("[data-archive]").forEach((part) => { part.textContent = part.dataset.archive + address; });
    }
    document.querySelectorAll("table.sortable").forEach(sorting);
    const form = document.getElementById("search");
    if (form && window.GLACIER_ARCHIVE) { search(form); }
    // paper cannot unfold anything; a list of hundreds of files is no reading
    window.addEventListener("beforeprint", () => document.querySelectorAll("main details:not(.words)").forEach((part) => { part.open = part.open || part.querySelectorAll("tr").length <= LONGEST_PRINTED; }));
  });
})();
