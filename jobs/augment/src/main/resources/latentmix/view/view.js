// The pages of a run folder. Texts of the data enter the page as text alone: nothing here makes markup of a string.

const $ = (id) => document.getElementById(id);
const main = $("main");

/** An element with properties, and children that are elements or texts. */
function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function query(values) {
  return new URLSearchParams(values).toString();
}

async function get(path, values = {}, signal = undefined) {
  const answer = await fetch(path + "?" + query(values), { signal });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

async function post(path, value, signal = undefined) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value), signal });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

/** Tells a person, aloud where a screen reader reads. */
function say(text) {
  $("toast").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => ($("toast").textContent = ""), 5000);
}

/** A number to read: whole ones as they are, others with so many digits that count. */
const number = (value, digits = 3, least = 1) =>
  !Number.isFinite(value) ? "–" : value.toLocaleString("en", Number.isInteger(value) || Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits, minimumSignificantDigits: least });

/** The end of a path, which tells images of a class apart. */
const leaf = (path) => path.slice(path.lastIndexOf("/") + 1);

const count = (n, one, many = one + "s") => `${number(n)} ${n === 1 ? one : many}`;

/** Tells of a failure, unless it is that a page was left. */
const complain = (failure) => failure.name === "AbortError" || say(failure.message);

/** A picture; what it cannot show it says. */
function picture(src, alt) {
  const image = h("img", { src, alt, loading: "lazy", decoding: "async" });
  image.addEventListener("load", () => image.naturalWidth <= 64 && image.classList.add("tiny"));
  image.addEventListener("error", async () => {
    const answer = await fetch(src).catch(() => null);
    const body = answer && !answer.ok ? await answer.json().catch(() => ({})) : {};
    image.replaceWith(h("span", { className: "gone", role: "img", "aria-label": `${alt}: no picture` }, body.error ?? "no picture"));
  });
  return image;
}

const madeAt = (of, chunk, id, more = {}) => "made?" + query({ class: of, chunk, id, ...more });
const realAt = (of, id) => "real?" + query({ class: of, id });
const sourceOf = (of, picture, more) => (picture.real ? realAt(of, picture.id) : madeAt(of, picture.chunk, picture.id, more));
const hrefOf = (of, id) => `#/image/${encodeURIComponent(of)}/${id}`;
const classHref = (of) => `#/class/${encodeURIComponent(of)}`;

/** Whether this server lets a person decide. */
let editing = false;

/** Keeps or drops images by hand; what was so before is neither. */
async function decide(of, id, decision, before) {
  await post("api/decide", { classId: of, ids: [id], decision: decision === before ? "" : decision });
  say(decision === before ? "Decided no more." : decision === "keep" ? "Kept. U takes it back." : "Dropped. U takes it back.");
}

async function undo() {
  const undone = await post("api/undo", {});
  say(undone ? `Taken back: ${count(undone.ids.length, "image")} of ${undone.classId}.` : "There is nothing to take back.");
}

/** The decision that a key stands for. */
const decisionOf = (event) => (event.ctrlKey || event.metaKey || event.altKey ? undefined : { k: "keep", d: "drop" }[event.key.toLowerCase()]);
const isUndo = (event) => event.key.toLowerCase() === "u" && !event.altKey && !event.metaKey && !event.ctrlKey;

/** Buttons that decide of an image. */
function hand(byHand, act) {
  return h("div", { className: "hand" }, [["keep", "✓", "Keep"], ["drop", "✕", "Drop"]].map(([decision, sign, word]) =>
    h("button", { type: "button", title: `${word} (${word[0]})`, "aria-label": word, "aria-pressed": String(byHand === decision), tabIndex: -1, onclick: (event) => { event.preventDefault(); act(decision); } }, sign)));
}

/** What ends when another page is shown: timers, listeners, requests. */
let leaving = new AbortController();

function every(milliseconds, work) {
  const signal = leaving.signal;
  const next = async () => {
    if (signal.aborted) return;
    if (!document.hidden) await work().catch(complain);
    if (!signal.aborted) setTimeout(next, milliseconds);
  };
  setTimeout(next, milliseconds);
}

// --- Overview -------------------------------------------------------------------------------------------------------

const seen = new Map(); // rows of each stage when they were last counted, for the rate of a run that is going on

function stageCard(stage, going) {
  const now = { time: Date.now(), done: stage.done };
  const before = seen.get(stage.name);
  if (!before || now.done < before.done || now.time - before.time > 60_000) seen.set(stage.name, now);
  const moving = before && stage.done > before.done ? ((stage.done - before.done) * 1000) / (now.time - before.time) : 0;
  const lines = [];
  if (going && moving) lines.push(`${number(moving)} rows/s`);
  else if (stage.rate > 0) lines.push(`${number(stage.seconds)} s, ${number(stage.rate)} rows/s`);
  else if (stage.measured > 0) lines.push(`${number(stage.measured)} rows/s a device`);
  if (stage.refused) lines.push(`${number(stage.refused)} refused`);
  const word = { images: "images", invert: "inverted", mix: "mixed", generate: "generated", filter: "kept" }[stage.name];
  return h("div", { className: "card" },
    h("b", {}, number(stage.done)),
    h("span", {}, word, " ", h("small", {}, stage.name === "filter" ? "by the filter" : `of ${number(stage.of)}`)),
    h("progress", { max: Math.max(1, stage.of), value: Math.min(stage.done, stage.of), "aria-label": `${word}: ${stage.done} of ${stage.of}` }),
    h("div", {}, h("small", {}, lines.join(", "))));
}

let order = { by: "warnings", down: true };

function classTable(overview, redraw) {
  const dropped = (of) => Object.values(of.dropped).reduce((sum, n) => sum + n, 0);
  const columns = [
    ["class", "class", (of) => of.id, false],
    ...(overview.classes.some((of) => of.warnings.length) ? [["warnings", "warnings", (of) => of.warnings.length, false]] : []),
    ["real", "real", (of) => of.real, true],
    ["made", "made", (of) => of.made, true],
    ...(overview.filtered ? [["kept", "kept", (of) => of.kept, true], ["dropped", "dropped", dropped, true]] : []),
    ...(Object.keys(overview.byHand).length ? [["by hand", "by hand", (of) => (overview.byHand[of.id] ? overview.byHand[of.id].keep + overview.byHand[of.id].drop : 0), true]] : []),
    ...["channel mean", "class mean", "entropy", "sharpness", "judge: class"]
      .filter((score) => overview.classes.some((of) => score in of.means))
      .map((score) => [score, score.replace("judge: class", "class score"), (of) => of.means[score] ?? null, true]),
  ];
  const by = order.by === "warnings" ? (of) => of.warnings.length : (columns.find(([name]) => name === order.by) ?? columns[0])[2];
  const compare = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : (a < b ? -1 : 1) * (order.down ? -1 : 1));
  const wanted = classTable.filter.toLowerCase();
  const rows = overview.classes
    .filter((of) => (of.id + " " + of.name).toLowerCase().includes(wanted))
    .sort((a, b) => compare(by(a), by(b)) || (a.id < b.id ? -1 : 1));
  return h("div", { className: "scroll" }, h("table", {},
    h("caption", {}, `${count(rows.length, "class", "classes")}; scores are means over the images made`),
    h("thead", {}, h("tr", {}, columns.map(([name, label, , numeric]) =>
      h("th", { className: numeric ? "n" : "", scope: "col", "aria-sort": order.by !== name ? "none" : order.down ? "descending" : "ascending" },
        h("button", { type: "button", onclick: () => { order = { by: name, down: order.by === name ? !order.down : numeric || name === "warnings" }; redraw(name); } },
          label, order.by === name ? (order.down ? " ↓" : " ↑") : ""))))),
    h("tbody", {}, rows.map((of) => h("tr", {}, columns.map(([name, , value, numeric]) =>
      name === "warnings" ? h("td", {}, of.warnings.map((text) => h("span", { className: "badge bad" }, text)))
      : name === "class" ? h("td", { className: "name" }, h("a", { href: classHref(of.id) }, of.id), of.name && of.name !== of.id ? [" ", h("small", {}, of.name)] : "")
      : h("td", { className: numeric ? "n" : "" }, number(value(of), 3, 3))))))));
}
classTable.filter = "";

async function overviewPage() {
  let overview = await get("api/overview", {}, leaving.signal);
  document.title = "Latentmix: overview";
  const top = h("div");
  const refused = h("div");
  const table = h("div");
  const search = h("input", { type: "search", placeholder: "part of a name", value: classTable.filter, oninput: (event) => { classTable.filter = event.target.value; drawTable(); } });
  main.replaceChildren(top, refused, h("h2", {}, "Classes"), h("div", { className: "bar" }, h("label", {}, "Find a class", search)), table);

  const drawTable = (focus) => {
    table.replaceChildren(classTable(overview, drawTable));
    if (focus) [...table.querySelectorAll("th button")].find((button) => button.textContent.startsWith(focus.replace("judge: class", "class score")))?.focus();
  };
  let drawnRefused = "";
  const drawRefused = async () => {
    const state = JSON.stringify([overview.refused, overview.dropped]);
    if (state === drawnRefused) return;
    drawnRefused = state;
    const parts = [];
    for (const [stage, reasons] of Object.entries(overview.refused)) {
      for (const [reason, rows] of Object.entries(reasons)) parts.push(refusals(stage, reason, rows));
    }
    for (const [judge, pictures] of Object.entries(overview.dropped)) parts.push(droppedBy(judge, pictures, overview));
    refused.replaceChildren(...(parts.length ? [h("h2", {}, "Refused and dropped"), ...parts] : []));
  };
  const draw = () => {
    const left = overview.found - overview.counted;
    top.replaceChildren(
      h("h1", {}, "Overview"),
      h("p", { className: "soft" },
        overview.going ? h("span", { className: "badge good" }, "a run holds this folder") : "",
        overview.failure ? h("span", { className: "badge bad" }, "the last run failed") : "",
        overview.stopped ? h("span", { className: "badge bad" }, `stopped: ${overview.stopped}`) : "",
        overview.ended && !overview.going ? `The last run ended: ${overview.ended}. ` : "",
        left > 0 ? `${number(overview.counted)} of ${count(overview.found, "class", "classes")} are counted so far. ` : ""),
      overview.failure ? h("pre", {}, overview.failure) : "",
      h("div", { className: "cards" }, overview.stages.map((stage) => stageCard(stage, overview.going))));
    $("folder").textContent = "\u200e" + overview.folder;
    $("folder").title = overview.folder;
    drawRefused();
    drawTable();
  };
  draw();
  let drawn = JSON.stringify(overview);
  every(2000, async () => {
    overview = await get("api/overview", {}, leaving.signal);
    const state = JSON.stringify(overview);
    if (state !== drawn) {
      drawn = state;
      const inTable = table.contains(document.activeElement) ? document.activeElement.textContent.replace(/ [↓↑]$/, "") : "";
      draw();
      if (inTable) [...table.querySelectorAll("th button, td a")].find((one) => one.textContent.replace(/ [↓↑]$/, "") === inTable)?.focus();
    }
  });
}

function refusals(stage, reason, rows) {
  const list = h("div", { className: "strip" });
  let from = 0;
  const more = h("button", { type: "button", className: "do", onclick: () => load() }, "More");
  const load = async () => {
    const found = await get("api/refused", { stage, reason, from }, leaving.signal).catch((failure) => (complain(failure), []));
    from += found.length;
    list.append(...found.map(({ number: at, row }) => h("figure", {},
      row.path ? picture("refused?" + query({ number: at }), row.path) : h("span", { className: "gone" }, "no file"),
      h("figcaption", {}, row.path || row.id, h("br"), row.detail))));
    more.hidden = found.length === 0 || from >= rows;
  };
  const details = h("details", {}, h("summary", {}, `${stage}: ${reason} `, h("span", { className: "badge bad" }, number(rows))), list, more);
  details.addEventListener("toggle", () => details.open && from === 0 && load());
  return details;
}

function droppedBy(judge, pictures, overview) {
  const all = overview.classes.reduce((sum, of) => sum + (of.dropped[judge] ?? 0), 0);
  return h("details", {},
    h("summary", {}, `filter: dropped by ${judge} `, h("span", { className: "badge bad" }, number(all))),
    h("div", { className: "strip" }, pictures.map((one) => h("figure", {},
      h("a", { href: hrefOf(one.classId, one.id) }, picture(madeAt(one.classId, one.chunk, one.id), `an image of ${one.classId}, dropped by ${judge}`)),
      h("figcaption", {}, one.classId)))),
    all > pictures.length ? h("p", { className: "soft" }, `The first ${pictures.length}; a class's page has all of its own.`) : "");
}

// --- Class ----------------------------------------------------------------------------------------------------------

const CELL = { width: 116, gap: 6, get height() { return editing ? 192 : 158; } };
const PAGE = 100;
const PAGES_HELD = 60;
const asked = new Map(); // what was asked of each class, for the way back from an image

/** A grid of many pictures of which those near the window alone are in the page. */
class Grid {
  constructor(load, cellOf, onKey) {
    this.load = load;
    this.cellOf = cellOf;
    this.onKey = onKey;
    this.pages = new Map();
    this.cells = new Map();
    this.total = 0;
    this.focused = 0;
    this.element = h("div", { className: "grid", role: "list", "aria-label": "Pictures; arrow keys move, Enter opens" });
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focusin", (event) => {
      const cell = event.target.closest(".cell");
      if (cell) this.focused = Number(cell.dataset.index);
    });
    const draw = () => requestAnimationFrame(() => this.draw());
    addEventListener("scroll", draw, { signal: leaving.signal, passive: true });
    addEventListener("resize", draw, { signal: leaving.signal });
  }

  get columns() {
    return Math.max(1, Math.floor((this.element.clientWidth + CELL.gap) / (CELL.width + CELL.gap)));
  }

  /** The same pictures in another order, or others. */
  reset(total) {
    this.pages.clear();
    this.cells.forEach((cell) => cell.remove());
    this.cells.clear();
    this.focused = 0;
    this.grow(total);
  }

  /** More pictures of the same. */
  grow(total) {
    if (total !== this.total) {
      for (const page of [...this.pages.keys()]) {
        if ((page + 1) * PAGE > Math.min(total, this.total)) this.pages.delete(page);
      }
    }
    this.total = total;
    this.draw();
  }

  /** Reads the pages anew and draws their cells again. */
  renew() {
    this.pages.clear();
    this.cells.forEach((cell, index) => cell.dataset.stale = "1");
    this.draw();
  }

  async page(number) {
    if (!this.pages.has(number)) {
      this.pages.set(number, null);
      const items = await this.load(number * PAGE, PAGE).catch((failure) => (complain(failure), null));
      if (!items) return this.pages.delete(number);
      this.pages.set(number, items);
      while (this.pages.size > PAGES_HELD) this.pages.delete(this.pages.keys().next().value);
      this.draw();
    }
  }

  item(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  draw() {
    if (!this.element.isConnected) return;
    const columns = this.columns;
    const row = CELL.height + CELL.gap;
    this.element.style.height = Math.ceil(this.total / columns) * row + "px";
    const top = -this.element.getBoundingClientRect().top;
    const from = Math.max(0, Math.floor((top - innerHeight) / row) * columns);
    const to = Math.min(this.total, Math.ceil((top + 2 * innerHeight) / row) * columns);
    for (const [index, cell] of this.cells) {
      if ((index < from || index >= to) && !cell.contains(document.activeElement)) {
        cell.remove();
        this.cells.delete(index);
      }
    }
    for (let index = from; index < to; index++) {
      const item = this.item(index);
      if (!item) {
        this.page(Math.floor(index / PAGE));
        continue;
      }
      let cell = this.cells.get(index);
      if (!cell || cell.dataset.stale) {
        const active = cell?.contains(document.activeElement);
        const fresh = h("div", { className: "cell " + this.cellOf.classes(item), role: "listitem", "aria-setsize": this.total, "aria-posinset": index + 1 }, this.cellOf(item));
        fresh.dataset.index = index;
        cell ? cell.replaceWith(fresh) : this.element.append(fresh);
        this.cells.set(index, fresh);
        cell = fresh;
        if (active) cell.querySelector("a").focus({ preventScroll: true });
      }
      cell.style.left = (index % columns) * (CELL.width + CELL.gap) + "px";
      cell.style.top = Math.floor(index / columns) * row + "px";
      cell.querySelector("a").tabIndex = index === Math.min(this.focused, this.total - 1) ? 0 : -1;
      if (this.wanted === index) {
        this.wanted = undefined;
        cell.querySelector("a").focus({ preventScroll: true });
      }
    }
  }

  key(event) {
    const rows = Math.max(1, Math.floor(innerHeight / (CELL.height + CELL.gap)) - 1);
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns,
      PageUp: -rows * this.columns, PageDown: rows * this.columns, Home: -this.total, End: this.total }[event.key];
    if (move !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.go(this.focused + move);
    } else {
      this.onKey?.(event, this.item(this.focused));
    }
  }

  /** Brings a picture into the window and the focus to it. */
  go(index) {
    const to = Math.max(0, Math.min(this.total - 1, index));
    this.focused = to;
    this.wanted = to;
    const top = this.element.getBoundingClientRect().top + scrollY + Math.floor(to / this.columns) * (CELL.height + CELL.gap);
    if (top < scrollY + 70) scrollTo({ top: top - 70 });
    else if (top + CELL.height > scrollY + innerHeight) scrollTo({ top: top + CELL.height - innerHeight + 10 });
    this.draw();
  }
}

async function classPage(of) {
  const state = asked.get(of) ?? { sort: "k", order: "up", kind: "all", method: "", inputs: "0", verdict: "all", limits: {} };
  asked.set(of, state);
  document.title = "Latentmix: " + of;
  const values = () => {
    const { limits, ...rest } = state;
    const values = { id: of, ...rest };
    for (const [score, { least, most }] of Object.entries(limits)) {
      if (least !== undefined) values["least." + score] = least;
      if (most !== undefined) values["most." + score] = most;
    }
    return values;
  };
  let page = await get("api/class", { ...values(), count: 0 }, leaving.signal);
  const words = ({ picture: one, verdict, byHand }) => {
    const at = page.scores.indexOf(state.sort);
    const value = [one.scores[at], verdict?.scores[at]].find(Number.isFinite);
    const said = byHand ? (byHand === "keep" ? "kept by hand" : "dropped by hand") : verdict && !verdict.kept ? `dropped: ${verdict.reasons.join(", ")}` : "";
    return [one.real ? "real" : `${one.method}, ${one.inputs}`, [value === undefined ? "" : `${state.sort} ${number(value)}`, said].filter(Boolean).join("; ")];
  };
  const cellOf = (item) => {
    const [what, more] = words(item);
    const link = h("a", { href: hrefOf(of, item.picture.id), "aria-label": [what, more, item.inside ? "" : "outside of the limits"].filter(Boolean).join(", ") },
      picture(sourceOf(of, item.picture), ""), h("div", { className: "words", title: item.picture.path }, h("div", {}, what), more));
    return editing && !item.picture.real ? [link, hand(item.byHand, (decision) => act(item, decision))] : link;
  };
  const act = async (item, decision) => {
    try {
      await decide(of, item.picture.id, decision, item.byHand);
      await renewed();
    } catch (failure) {
      complain(failure);
    }
  };
  cellOf.classes = ({ picture: one, verdict, byHand, inside }) =>
    [inside || one.real ? "" : "out", verdict && !verdict.kept ? "dropped" : "", byHand ? "hand-" + byHand : ""].filter(Boolean).join(" ");
  const renewed = () => ask(false).then(() => grid.renew());
  const decideAll = async (decision) => {
    try {
      const { id, ...query } = Object.fromEntries(Object.entries(values()).map(([name, value]) => [name, String(value)]));
      const { decided } = await post("api/decide-all", { classId: of, query, count: page.made, decision });
      await renewed();
      say(`${decision === "keep" ? "Kept" : decision === "drop" ? "Dropped" : "Decided no more"}: ${count(decided, "image")}. U takes it back.`);
    } catch (failure) {
      complain(failure);
      ask(false).catch(complain);
    }
  };
  const takeBack = () => undo().then(renewed).catch(complain);
  const bulk = [["keep", (n) => `Keep ${count(n, "image")} shown`], ["drop", (n) => `Drop ${count(n, "image")} shown`], ["", () => "Decide none of them"]]
    .map(([decision, words]) => [h("button", { type: "button", className: "do", onclick: () => decideAll(decision) }), words]);
  const counts = h("p", { "aria-live": "polite" });
  const limits = h("div", { className: "limits" });
  const grid = new Grid(async (from, count) => {
    page = await get("api/class", { ...values(), from, count }, leaving.signal);
    return page.shown;
  }, cellOf, (event, item) => {
    if (!editing || !item) return;
    if (decisionOf(event) && !item.picture.real) act(item, decisionOf(event));
    if (isUndo(event)) takeBack();
  });

  const said = () => {
    const reading = page.read < page.of ? ` ${number(page.read)} of ${count(page.of, "file")} are read so far.` : "";
    const within = Object.keys(state.limits).length ? ` The limits would keep ${number(page.inside)} of ${count(page.made, "image")} made.` : "";
    counts.textContent = `${count(page.matching, "picture")} of ${number(page.all)}.${within}${reading}`;
    for (const [button, words] of bulk) {
      button.textContent = words(page.made);
      button.disabled = page.made === 0 || page.read < page.of;
    }
  };
  let turn = 0;
  const ask = async (fresh) => {
    const mine = ++turn;
    const answer = await get("api/class", { ...values(), count: 0 }, leaving.signal);
    if (mine !== turn) return;
    page = answer;
    said();
    if (fresh) grid.reset(page.matching);
    else if (page.matching !== grid.total) grid.grow(page.matching);
  };
  const set = (name) => (event) => { state[name] = event.target.value; ask(true).catch(complain); };
  const choice = (label, name, options) => h("label", {}, label,
    h("select", { onchange: set(name) }, options.map(([value, text]) => h("option", { value, selected: String(state[name]) === String(value) }, text))));
  const bar = h("div", { className: "bar" });
  const drawBar = () => {
    bar.replaceChildren(
      choice("Show", "kind", [["all", "all pictures"], ["real", "real ones"], ["made", "made ones"]]),
      choice("Method", "method", [["", "all methods"], ...page.methods.map((one) => [one, one])]),
      choice("Inputs", "inputs", [["0", "any number"], ...page.inputs.map((one) => [String(one), String(one)])]),
      choice("Of these", "verdict", [["all", "all"],
        ...(page.judges.length ? [["kept", "kept by the filter"], ["dropped", "dropped by it"], ...page.judges.map((one) => [one, "dropped by " + one])] : []),
        ["inside", "within the limits"], ["outside", "outside of them"], ["by hand", "decided by hand"]]),
      choice("Sorted by", "sort", [["k", "number"], ["method", "method"], ["inputs", "inputs"], ...page.ranges.map(({ score }) => [score, score])]),
      choice("Order", "order", [["up", "low to high"], ["down", "high to low"]]));
    limits.replaceChildren(...page.ranges.map(slider));
  };
  let soon;
  const slider = ({ score, meaning, least, most }) => {
    const end = (name, at) => {
      const value = state.limits[score]?.[name] ?? at;
      const shown = h("span", {}, number(value));
      return h("label", { className: "field" }, h("span", {}, `${name === "least" ? "at least" : "at most"} `, shown),
        h("input", { type: "range", min: least, max: most, step: (most - least) / 500, value, "aria-label": `${score}, ${name === "least" ? "at least" : "at most"}`,
          oninput: (event) => {
            const now = Number(event.target.value);
            shown.textContent = number(now);
            const limit = (state.limits[score] ??= {});
            if (name === "least" ? now <= least : now >= most) delete limit[name];
            else limit[name] = now;
            if (!Object.keys(limit).length) delete state.limits[score];
            clearTimeout(soon);
            soon = setTimeout(() => renewed().catch(complain), 60);
          } }));
    };
    return h("div", {}, h("h3", { title: meaning }, score), h("small", {}, meaning), end("least", least), end("most", most));
  };
  main.replaceChildren(
    h("p", {}, h("a", { href: "#/" }, "Overview"), " / ", h("a", { href: `#/playground/${encodeURIComponent(of)}` }, "mix its images")),
    h("h1", {}, of), counts,
    editing ? h("p", { className: "soft" }, "K keeps a picture, D drops it, U takes the last decision back. The next export follows. ", h("a", { href: "curated.csv", download: "curated.csv" }, "All decisions as CSV")) : "",
    bar,
    h("details", { open: Object.keys(state.limits).length > 0 }, h("summary", {}, "Thresholds: what would be kept"),
      h("p", { className: "soft" }, "Pictures outside of these limits are shown pale. Nothing is written: to keep by other thresholds, set them in the configuration's filter and run again."),
      limits),
    editing ? h("div", { className: "bar", role: "group", "aria-label": "All of them at once" }, bulk.map(([button]) => button), h("button", { type: "button", className: "do", onclick: takeBack }, "Undo (U)")) : "",
    grid.element);
  drawBar();
  said();
  grid.reset(page.matching);
  let known = page.ranges.length + page.methods.length;
  every(page.read < page.of ? 200 : 3000, async () => {
    await ask(false);
    if (page.ranges.length + page.methods.length !== known && !bar.contains(document.activeElement)) {
      known = page.ranges.length + page.methods.length;
      drawBar();
    }
  });
  if (state.at) grid.go(state.at);
  addEventListener("hashchange", () => (state.at = grid.focused), { signal: leaving.signal, once: true });
}

// --- Image ----------------------------------------------------------------------------------------------------------

async function imagePage(of, id) {
  const answer = await get("api/image", { class: of, id }, leaving.signal);
  const one = answer.picture;
  const details = answer.details;
  const [before, after] = answer.beside;
  document.title = "Latentmix: " + id.slice(0, 12);
  const step = (to, text, rel) => (to ? h("a", { href: hrefOf(of, to.id), rel, className: "badge" }, text) : "");
  const large = picture(sourceOf(of, one, { whole: 1 }), one.real ? "real image " + one.path : `image made by ${one.method} of ${one.inputs} images`);
  large.className = "large";
  large.loading = "eager";
  const act = (decision) => decide(of, id, decision, answer.byHand).then(show).catch(complain);
  const deciding = editing && !one.real;
  main.replaceChildren(
    h("p", {}, h("a", { href: "#/" }, "Overview"), " / ", h("a", { href: classHref(of) }, of), " ", step(before, "← before", "prev"), " ", step(after, "next →", "next")),
    h("h1", {}, one.real ? one.path : `${one.method} of ${count(one.inputs, "image")}`),
    h("div", { className: "two" }, h("div", {}, large, h("p", { className: "soft" }, h("code", {}, id)),
      answer.byHand ? h("span", { className: "badge " + (answer.byHand === "keep" ? "good" : "bad") }, answer.byHand === "keep" ? "kept by hand" : "dropped by hand") : "",
      deciding ? h("div", { className: "bar" }, [["keep", "Keep (K)"], ["drop", "Drop (D)"]].map(([decision, text]) =>
        h("button", { type: "button", className: "do", "aria-pressed": String(answer.byHand === decision), onclick: () => act(decision) }, text)),
        h("button", { type: "button", className: "do", onclick: () => undo().then(show).catch(complain) }, "Undo (U)")) : ""),
      one.real ? h("p", {}, "A real image, as the networks see it: its middle square.") : made(of, one, details)));
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, pre") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowLeft" && before) location.hash = hrefOf(of, before.id);
    if (event.key === "ArrowRight" && after) location.hash = hrefOf(of, after.id);
    if (deciding && decisionOf(event)) act(decisionOf(event));
    if (deciding && isUndo(event)) undo().then(show).catch(complain);
    if (event.key === "Escape") location.hash = classHref(of);
  }, { signal: leaving.signal });
}

function made(of, one, details) {
  const verdict = details.verdict;
  const inputs = [...details.inputs].sort((a, b) => b.weight - a.weight);
  const shares = Object.entries(details.shares);
  return h("div", {},
    h("h2", {}, "Made of ", h("small", {}, `${count(inputs.length, "image")}, effectively ${number(details.ess)}`)),
    h("div", { className: "strip" }, inputs.map((input) => h("figure", {},
      h("a", { href: hrefOf(input.classId, input.imageId) }, picture(realAt(input.classId, input.imageId), input.path)),
      h("figcaption", { title: input.path }, h("b", {}, number(input.weight)), h("br"), leaf(input.path))))),
    h("h2", {}, "How"),
    h("dl", {}, [["class", of + (details.className === of ? "" : ` (${details.className})`)], ...(shares.length ? [["label", shares.map(([name, share]) => `${number(share)} ${name}`).join(", ")]] : []), ["method", details.method], ["prompt", details.prompt], ["entry", `${details.entry}, mixture ${details.k}`]]
      .flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    h("h2", {}, "Scores"),
    h("dl", {}, Object.entries(details.scores).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, number(value, 4))])),
    verdict ? [h("h2", {}, "The filter"), h("p", {}, verdict.kept ? h("span", { className: "badge good" }, "kept") : verdict.reasons.map((reason) => h("span", { className: "badge bad" }, "dropped by " + reason)))] : "",
    h("h2", {}, "Nearest source images ", h("small", {}, "bits by which their dHash differs")),
    nearest(of, one, verdict),
    h("h2", {}, "Recipe"),
    h("button", { type: "button", className: "do", onclick: () => navigator.clipboard.writeText(details.recipe).then(() => say("The recipe is in the clipboard."), () => say("This browser does not let pages copy; mark the text instead.")) }, "Copy"),
    h("pre", { tabIndex: 0, "aria-label": "Recipe as YAML" }, details.recipe),
    again(of, one));
}

/** The nearest source images, once they are found. */
function nearest(of, one, verdict) {
  const strip = h("div", { className: "strip" }, h("small", {}, "they are looked for …"));
  const byFilter = verdict?.copyId
    ? h("figure", {}, h("a", { href: hrefOf(of, verdict.copyId) }, picture(realAt(of, verdict.copyId), "nearest to the filter")),
        h("figcaption", {}, "by the filter", h("br"), Number.isFinite(verdict.copyDistance) ? `${number(verdict.copyDistance)} in features` : count(verdict.copyHash, "bit")))
    : "";
  get("api/nearest", { class: of, id: one.id }, leaving.signal).then((found) => strip.replaceChildren(...[byFilter].filter(Boolean), ...found.map((near) =>
    h("figure", {}, h("a", { href: hrefOf(of, near.id) }, picture(realAt(of, near.id), near.path)), h("figcaption", { title: near.path }, count(near.bits, "bit"), h("br"), leaf(near.path))))), complain);
  return strip;
}

/** Makes an image again and says whether the bytes are the same. */
function again(of, one) {
  const said = h("p", { role: "status" });
  const button = h("button", { type: "button", className: "do", onclick: async () => {
    button.disabled = true;
    const signal = leaving.signal;
    try {
      for (;;) {
        const state = await post("api/again", { classId: of, id: one.id }, signal);
        said.textContent = state.words;
        said.className = state.state === "other" || state.state === "failed" ? "problem" : "";
        if (state.state !== "going") break;
        await new Promise((done) => setTimeout(done, 500));
      }
    } catch (failure) {
      complain(failure);
    }
    button.disabled = false;
  } }, "Make it again");
  return h("div", {}, h("h2", {}, "The same again? ", h("small", {}, "mixes and generates its chunk anew and compares the bytes")), button, said,
    h("p", { className: "soft" }, "To begin with the source images: ", h("code", {}, `./latentmix trace --config FILE --run FOLDER --replay ${one.id}`)));
}

// --- Playground -----------------------------------------------------------------------------------------------------

const client = crypto.getRandomValues(new Uint32Array(2)).join("-"); // this page among others
const table = { inputs: [], norm: "nin", split: "chm", scope: "", steps: 12, guidance: null, prompt: "", of: "" };

const NORMS = { lin: "lin: none, the plain average", fix: "fix: √D, as noise has", nin: "nin: mean of the inputs'", lol: "lol: of slerp's path", ess: "ess: from the effective number", coh: "coh: by what inputs share" };
const SPLITS = { 0: "0: nothing", m: "m: its mean", chm: "chm: each channel's mean", lp: "lp: low frequencies", cmm: "cmm: the class's mean" };
const SCOPES = { "": "the whole latent", "@channel": "each channel", "@band": "each frequency band" };

async function playgroundPage(of = "") {
  document.title = "Latentmix: playground";
  const choices = await get("api/choices", {}, leaving.signal);
  if (of) table.of = of;
  if (!choices.classes.includes(table.of)) table.of = choices.classes[0] ?? "";
  table.guidance ??= choices.guidance;
  if (!choices.classes.includes(table.prompt)) table.prompt = table.of;
  const method = () => `${table.norm}/${table.split}${table.scope}`;
  const known = (part, value) => choices.methods.some((name) => name.match(/^([^/]*)\/([^@]*)(@.*)?$/)[part] === value);

  const result = h("div", { className: "results", "aria-live": "polite" });
  const said = h("p", { className: "soft", role: "status" });
  const chosen = h("div", { className: "drop", role: "group", "aria-label": "Images that are mixed" });
  const offered = h("div", { className: "strip offered", role: "group", "aria-label": "Images of the class" });

  let soon;
  const ask = () => {
    clearTimeout(soon);
    if (!table.inputs.length) return result.replaceChildren(h("p", { className: "soft" }, "Choose two images or more."));
    soon = setTimeout(async () => {
      said.textContent = "…";
      result.classList.add("stale");
      try {
        const answer = await post("api/mix", { client, inputs: table.inputs.map(({ classId, id, weight }) => ({ classId, id, weight })), prompt: table.prompt, method: method(), steps: table.steps, guidance: table.guidance }, leaving.signal);
        said.textContent = `${number(answer.milliseconds)} ms; ${number(answer.ess)} effective inputs; a small bias that all share is predicted to show ${number(answer.predictedGain)} times over. ${answer.note}`;
        result.replaceChildren(...compared(method(), answer));
        result.classList.remove("stale");
      } catch (failure) {
        if (!/another question/.test(failure.message)) {
          complain(failure);
          if (failure.name !== "AbortError") { said.textContent = ""; result.replaceChildren(h("p", { className: "problem" }, failure.message)); result.classList.remove("stale"); }
        }
      }
    }, 80);
  };
  const drawChosen = () => {
    const sum = table.inputs.reduce((sum, input) => sum + input.weight, 0) || 1;
    const shares = [];
    const share = () => {
      const now = table.inputs.reduce((sum, input) => sum + input.weight, 0) || 1;
      table.inputs.forEach((input, i) => (shares[i].textContent = (input.weight / now).toFixed(3)));
    };
    chosen.replaceChildren(...(table.inputs.length ? [] : [h("p", { className: "soft" }, "Drag images here, or press them below.")]), ...table.inputs.map((input, i) => {
      shares[i] = h("span", {}, (input.weight / sum).toFixed(3));
      const figure = h("figure", { draggable: true }, picture(realAt(input.classId, input.id), input.path),
        h("label", {}, shares[i], h("input", { type: "range", min: 0, max: 1, step: 0.01, value: input.weight, "aria-label": `weight of ${input.path}`,
          oninput: (event) => { input.weight = Number(event.target.value); share(); ask(); } })),
        h("button", { type: "button", className: "do", "aria-label": `take ${input.path} out`, onclick: () => take(input.id) }, "×"));
      figure.addEventListener("dragstart", (event) => event.target.closest("input") ? event.preventDefault() : event.dataTransfer.setData("text/x-out", input.id));
      return figure;
    }));
    offered.querySelectorAll("button[data-id]").forEach((button) => button.setAttribute("aria-pressed", table.inputs.some((input) => input.id === button.dataset.id)));
  };
  const put = (classId, id, path) => {
    if (table.inputs.some((input) => input.id === id)) return;
    if (table.inputs.length === 64) return say("64 images are the most.");
    table.inputs.push({ classId, id, path, weight: 1 });
    drawChosen();
    ask();
  };
  const take = (id) => {
    const at = table.inputs.findIndex((input) => input.id === id);
    if (at < 0) return;
    table.inputs.splice(at, 1);
    drawChosen();
    chosen.querySelectorAll("button")[Math.min(at, table.inputs.length - 1)]?.focus();
    ask();
  };
  const dropZone = (element, type, drop) => {
    element.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes(type)) { event.preventDefault(); element.classList.add("over"); } });
    element.addEventListener("dragleave", () => element.classList.remove("over"));
    element.addEventListener("drop", (event) => { element.classList.remove("over"); const value = event.dataTransfer.getData(type); if (value) { event.preventDefault(); drop(value); } });
  };
  dropZone(chosen, "text/x-in", (value) => put(...JSON.parse(value)));
  dropZone(offered, "text/x-out", take);

  let real = [];
  const offer = async () => {
    const here = table.of;
    offered.replaceChildren();
    let page = { read: 0, of: 1 };
    for (let tries = 0; tries < 100 && page.read < page.of && !page.shown?.length; tries++) page = await get("api/class", { id: here, kind: "real", count: 120 }, leaving.signal);
    if (here !== table.of) return;
    real = page.shown.map((shown) => shown.picture);
    offered.replaceChildren(...real.map(({ id, path }) => {
      const button = h("button", { type: "button", className: "pick", title: path, "aria-label": path, "aria-pressed": "false", draggable: true,
        onclick: () => (table.inputs.some((input) => input.id === id) ? take(id) : put(here, id, path)) }, picture(realAt(here, id), ""));
      button.dataset.id = id;
      button.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/x-in", JSON.stringify([here, id, path])));
      return button;
    }), page.matching > real.length ? h("p", { className: "soft" }, `The first ${real.length} of ${number(page.matching)}.`) : "");
    drawChosen();
  };
  const some = (n) => {
    const mixed = [...real].sort(() => Math.random() - 0.5).slice(0, n);
    table.inputs = mixed.map(({ id, path }) => ({ classId: table.of, id, path, weight: 1 }));
    table.prompt = table.of;
    prompt.value = table.of;
    drawChosen();
    ask();
  };
  const select = (label, value, options, change) => {
    const element = h("select", { onchange: (event) => change(event.target.value) }, options.map(([name, text]) => h("option", { value: name, selected: name === value }, text)));
    return [h("label", {}, label, element), element];
  };
  const slider = (label, name, min, max, step) => {
    const shown = h("span", {}, number(table[name]));
    return h("label", { className: "field" }, h("span", {}, label + " ", shown), h("input", { type: "range", min, max, step, value: table[name],
      oninput: (event) => { table[name] = Number(event.target.value); shown.textContent = number(table[name]); ask(); } }));
  };
  const named = choices.classes.map((one) => [one, one]);
  const [promptLabel, prompt] = select("Prompt of", table.prompt, named, (value) => { table.prompt = value; ask(); });
  const parts = (labels, part) => Object.entries(labels).filter(([name]) => known(part, name) || name === "");
  main.replaceChildren(
    h("h1", {}, "Playground"),
    h("p", {}, "An average of noise is too short, so its norm must be restored. But what all inputs share is restored with it, √N times too large. Split that off first, and the mixture stays an image. Compare."),
    h("div", { className: "play" },
      h("div", {}, h("h2", {}, "Mixed"), chosen,
        h("div", { className: "bar" }, [2, 8, 32].map((n) => h("button", { type: "button", className: "do", onclick: () => some(n) }, `${n} at random`)),
          h("button", { type: "button", className: "do", onclick: () => { table.inputs.forEach((input) => (input.weight = 1)); drawChosen(); ask(); } }, "Equal weights"),
          h("button", { type: "button", className: "do", onclick: () => { table.inputs = []; drawChosen(); ask(); } }, "None")),
        h("h2", {}, "How"),
        h("div", { className: "bar" },
          select("Norm", table.norm, parts(NORMS, 1), (value) => { table.norm = value; ask(); })[0],
          select("Split off", table.split, parts(SPLITS, 2), (value) => { table.split = value; ask(); })[0],
          select("Restored in", table.scope, Object.entries(SCOPES), (value) => { table.scope = value; ask(); })[0],
          promptLabel),
        h("div", { className: "limits" }, slider("Steps", "steps", 2, Math.max(50, choices.steps), 1), slider("Guidance", "guidance", 0, 10, 0.5))),
      h("div", {}, h("h2", {}, "What comes out"), result, said)),
    h("h2", {}, "Images"),
    h("div", { className: "bar" }, select("Class", table.of, named, (value) => { table.of = value; offer().catch(complain); })[0]),
    offered);
  await offer();
  if (!table.inputs.length && real.length) some(Math.min(8, real.length));
  else ask();
}

/** The mixture beside the plain average. */
function compared(method, { mixture, plain }) {
  const shown = (made, what) => h("figure", {}, (() => { const image = picture("data:image/png;base64," + made.png, what); image.loading = "eager"; return image; })(), h("figcaption", {}, what));
  const line = (name, of, noise) => h("tr", {}, h("th", { scope: "row" }, name), h("td", { className: "n" }, of(mixture)), h("td", { className: "n" }, of(plain)), h("td", { className: "n" }, noise));
  const scores = [["low band", "lowBand", "1"], ["middle band", "middleBand", "1"], ["high band", "highBand", "1"], ["horizontal", "horizontal", "0"], ["vertical", "vertical", "0"]];
  return [
    h("div", { className: "strip pair" }, shown(mixture, method), shown(plain, "plain average, lin/0")),
    h("div", { className: "scroll" }, h("table", {},
      h("thead", {}, h("tr", {}, ["", method, "lin/0", "noise has"].map((text, i) => h("th", { scope: "col", className: i ? "n" : "" }, text)))),
      h("tbody", {},
        line("norm", (made) => number(made.norm), "1"),
        line("channel means", (made) => made.channelMeans.map((mean) => mean.toFixed(2).replace("-", "−")).join(" "), "about 0"),
        line("their size", (made) => number(made.latent.channelMean), "1"),
        ...scores.map(([name, key, noise]) => line(name, (made) => number(made.latent[key]), noise)),
        ...["entropy", "clipped", "saturation", "sharpness"].map((name) => line(name, (made) => number(made.pixels[name]), "–"))))),
  ];
}

// --- Which page -----------------------------------------------------------------------------------------------------

const pages = [
  [/^#?\/?$/, overviewPage],
  [/^#\/class\/([^/]+)$/, classPage],
  [/^#\/playground(?:\/([^/]+))?$/, playgroundPage],
  [/^#\/image\/([^/]+)\/([^/]+)$/, imagePage],
];

const links = [["#/", "Overview"], ["#/playground", "Playground"]];

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const signal = leaving.signal;
  const here = location.hash;
  const current = [...links].reverse().find(([href]) => here.startsWith(href))?.[0] ?? "#/";
  $("nav").replaceChildren(...links.map(([href, text]) => h("a", { href, ...(href === current ? { "aria-current": "page" } : {}) }, text)));
  const before = main.firstChild;
  const waiting = setTimeout(() => signal.aborted || main.firstChild !== before || main.replaceChildren(h("p", { className: "soft", role: "status" }, "One moment …")), 300);
  signal.addEventListener("abort", () => clearTimeout(waiting));
  for (const [pattern, page] of pages) {
    const found = here.match(pattern);
    if (found) {
      try {
        await page(...found.slice(1).filter((part) => part !== undefined).map((part) => decodeURIComponent(part)));
        clearTimeout(waiting);
      } catch (failure) {
        clearTimeout(waiting);
        if (!signal.aborted) main.replaceChildren(h("p", { className: "problem", role: "alert" }, failure.message), h("p", {}, h("a", { href: "#/" }, "Overview")));
      }
      return;
    }
  }
  clearTimeout(waiting);
  main.replaceChildren(h("p", { className: "problem", role: "alert" }, "There is no such page."), h("p", {}, h("a", { href: "#/" }, "Overview")));
}

$("skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
addEventListener("hashchange", () => { scrollTo(0, 0); main.focus({ preventScroll: true }); show(); });
get("api/mode").then((mode) => (editing = mode.edit), complain).then(show);
