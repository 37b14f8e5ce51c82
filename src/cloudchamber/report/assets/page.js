"use strict";
// Draws the figures of this page from the data in it, offers them as files, and shows where the
// reader is. Asks for nothing from elsewhere; sets text only as text.
(() => {
  const {parse, View, expressionInterpreter, compile} = globalThis.cloudchamberVega;
  const page = JSON.parse(document.getElementById("data").textContent);
  const NARROW = 560;

  const objects = ({fields, rows}) =>
    rows.map((row) => Object.fromEntries(fields.map((field, i) => [field, row[i]])));

  // The same value with every string passed through `change`.
  const mapped = (value, change) =>
    typeof value === "string" ? change(value)
    : Array.isArray(value) ? value.map((each) => mapped(each, change))
    : value && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapped(each, change)]))
    : value;
  const night = matchMedia("(prefers-color-scheme: dark)");
  const themed = (value) => mapped(value, (text) =>
    page.variables[text] ?? (night.matches ? page.night[text] : undefined) ?? text);

  // The specification for a given width; what does not fit a phone goes, and a legend comes.
  function fitted(figure, width, spec, config) {
    const hints = spec.usermeta?.cloudchamber ?? {};
    const narrow = width < NARROW;
    const kept = {...spec, config, data: {values: objects(figure)}};
    delete kept.usermeta;
    const slim = (layers) => layers
      .filter((layer) => !(layer.name ?? "").startsWith(narrow ? "wide-" : "narrow-"))
      .map((layer) => layer.encoding?.color?.legend === null && narrow && hints.legend
        ? {...layer, encoding: {...layer.encoding, color: {...layer.encoding.color, legend: {symbolOpacity: 1, symbolType: "circle"}}}} : layer);
    if (kept.layer) kept.layer = slim(kept.layer);
    if (hints.panel) {
      const {least, overhead, gap, count} = hints.panel;
      const most = Math.max(1, Math.min(hints.panel.columns, Math.floor((width + gap) / (least + overhead + gap))));
      kept.columns = Math.ceil(count / Math.ceil(count / most));
      const cell = Math.floor((width - 24 - gap * (kept.columns - 1)) / kept.columns - overhead);
      kept.spec = {...kept.spec, width: Math.max(80, cell)};
      kept.padding = {left: 4, right: 12, top: 4, bottom: 4};
    } else {
      kept.width = width;
      kept.autosize = {type: "fit-x", contains: "padding"};
      kept.padding = {left: 4, right: 8, top: 6, bottom: 4};
      const limit = Math.round(Math.min(280, width * 0.4));
      kept.config = {...config, axisY: {...config.axisY, labelLimit: limit}};
      const names = (spec.layer ?? []).flatMap((layer) => layer.encoding?.color?.scale?.domain ?? []);
      const longest = Math.max(0, ...names.map((name) => typeof name === "string" ? name.length : 0));
      if (narrow) kept.config.legend = {...config.legend, columns: longest * 7 > width / 2 - 40 ? 1 : 2};
    }
    return kept;
  }

  const quiet = {level: () => quiet, error: () => quiet, warn: () => quiet, info: () => quiet, debug: () => quiet};
  const nothing = {load: () => Promise.reject(new Error("offline")), sanitize: () => Promise.reject(new Error("offline"))};
  const view = (spec, options) =>
    new View(parse(compile(spec, {logger: quiet}).spec, {}, {ast: true}),
      {expr: expressionInterpreter, loader: nothing, logLevel: 0, ...options});

  const tip = document.getElementById("tip");
  function tooltip(_, event, __, value) {
    tip.hidden = value == null || value === "";
    if (tip.hidden) return;
    const pairs = typeof value === "object" ? Object.entries(value) : [["", value]];
    tip.replaceChildren(...pairs.flatMap(([name, shown]) => {
      const left = document.createElement("span"), right = document.createElement("b");
      left.textContent = name;
      right.textContent = String(shown);
      return [left, right];
    }));
    const box = tip.getBoundingClientRect();
    const x = event.clientX + 14 + box.width > innerWidth ? event.clientX - box.width - 14 : event.clientX + 14;
    tip.style.left = Math.max(4, x) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 4)) + "px";
  }
  addEventListener("scroll", () => { tip.hidden = true; }, {passive: true});

  const drawn = new WeakMap();
  async function draw(place) {
    const width = Math.floor(place.clientWidth);
    const last = drawn.get(place);
    if (!width || (last && Math.abs(last.width - width) < 2)) return;
    drawn.set(place, {width});
    try {
      last?.view?.finalize();
      const figure = page.sources[place.dataset.figure];
      const inside = document.createElement("div");
      const made = view(fitted(figure, width, themed(figure.spec), themed(page.config)),
        {renderer: "svg", container: inside}).tooltip(tooltip);
      await made.runAsync();
      inside.querySelector("svg")?.setAttribute("aria-hidden", "true");
      place.replaceChildren(inside);
      drawn.set(place, {width, view: made});
    } catch (error) {
      place.classList.add("missing");
      place.textContent = "This figure could not be drawn: " + error.message;
      console.error(place.dataset.figure, error);
    }
  }
  const places = [...document.querySelectorAll("[data-figure]")];
  const watch = new ResizeObserver((entries) =>
    requestAnimationFrame(() => entries.forEach(({target}) => draw(target))));
  night.addEventListener("change", () => places.forEach((place) => {
    const last = drawn.get(place);
    if (last) last.width = 0;
    draw(place);
  }));
  (async () => {
    for (const place of places) { await draw(place); watch.observe(place); }
    document.documentElement.dataset.drawn = "yes";
  })();

  // Files -------------------------------------------------------------------------------------
  function offer(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
  // A spreadsheet takes a text that starts with = + - @ for a formula: an apostrophe prevents it.
  const cell = (value) => {
    if (value == null) return "";
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? "'" + value : String(value);
    return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const csv = ({fields, rows}) => [fields, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  async function save(id, kind) {
    const source = page.sources[id];
    if (kind === "CSV") return offer(new Blob([csv(source)], {type: "text/csv"}), id + ".csv");
    const config = {...page.config, background: "#ffffff", font: "Helvetica, Arial, sans-serif"};
    const made = view(fitted(source, page.paper, source.spec, config), {renderer: "none"});
    await made.runAsync();
    if (kind === "SVG") return offer(new Blob([await made.toSVG()], {type: "image/svg+xml"}), id + ".svg");
    (await made.toCanvas(3)).toBlob((blob) => offer(blob, id + ".png"), "image/png");
  }
  document.querySelectorAll("[data-save]").forEach((menu) => {
    menu.hidden = false;
    menu.addEventListener("click", ({target}) => {
      if (target instanceof HTMLButtonElement) save(menu.dataset.save, target.textContent).catch(console.error);
    });
  });

  document.querySelectorAll(".copy").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  });

  // Where the reader is -----------------------------------------------------------------------
  const parts = [...document.querySelectorAll("[data-stage]")];
  const links = [...document.querySelectorAll(".stages li")];
  const mark = () => {
    const above = parts.filter((part) => part.getBoundingClientRect().top < innerHeight / 3).pop();
    links.forEach((item, i) => {
      const link = item.querySelector("a");
      if (!link) return;
      if (above && Number(above.dataset.stage) === i + 1) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", mark, {passive: true});
  mark();
})();
