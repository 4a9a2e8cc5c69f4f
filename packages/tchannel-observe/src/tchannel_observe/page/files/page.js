// The live page: draws what /events brings. Whatever peers have sent goes into text nodes, nothing into markup.

const get = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Only what has changed is touched: a selection, and what a screen reader is reading, stay.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function mark(element, name) {
  if (element.className !== name) element.className = name;
}

// -- values as words ---------------------------------------------------------------------------

const NONE = "–";
const whole = new Intl.NumberFormat("en");

const text = (value) => (value === null || value === undefined || value === "" ? NONE : String(value));
const count = (value) => (value === null || value === undefined ? NONE : whole.format(value));

function significant(value) {
  return value >= 100 || value === 0 ? value.toFixed(0) : value.toPrecision(2).replace(/\.0$/, "");
}

function seconds(value) {
  if (value === null || value === undefined) return NONE;
  if (value < 0) return `-${seconds(-value)}`;
  if (value === 0) return "0 s";
  if (value < 0.001) return `${significant(value * 1e6)} µs`;
  if (value < 1) return `${significant(value * 1e3)} ms`;
  if (value < 60) return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`;
  if (value < 86400) return `${Math.floor(value / 3600)} h ${Math.floor((value % 3600) / 60)} min`;
  return `${Math.floor(value / 86400)} d ${Math.floor((value % 86400) / 3600)} h`;
}

function rate(value) {
  if (value === null || value === undefined) return NONE;
  return value >= 100 ? whole.format(Math.round(value)) : significant(value);
}

function share(value) {
  if (value === null || value === undefined) return NONE;
  if (value > 0 && value < 0.001) return "< 0.1 %";
  return `${(value * 100).toFixed(value < 0.1 && value > 0 ? 1 : 0)} %`;
}

function bytes(value) {
  if (value === null || value === undefined) return NONE;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1024 || unit === "GiB") return `${unit === "B" ? Math.round(value) : significant(value)} ${unit}`;
    value /= 1024;
  }
}

const yes = (value) => (value ? "yes" : "no");
const ago = (value) => (value === null || value === undefined ? NONE : value < 1 ? "just now" : `${seconds(value)} ago`);
const quantity = (value, row) => ({ bytes, seconds })[row.unit]?.(value) ?? count(value);

const levelOfShare = (value) => (value >= 0.05 ? "bad" : value >= 0.01 ? "warn" : "");

// -- tables ------------------------------------------------------------------------------------

const FIRST_ROWS = 10;

// id: [title, note when empty, [key, heading, words, class, level of the value]...]; the first column heads the row.
const TABLES = {
  failed: ["Failed calls, latest first", "No call has failed.", [
    ["call", "Call", text], ["ago", "Ended", ago, "number"], ["seconds", "Took", seconds, "number"],
    ["direction", "Way", text], ["other", "Other side", text, "name"],
    ["outcome", "Outcome", text, "", () => "bad"], ["error", "Error", text, "text"],
  ]],
  slow: ["Slow calls, latest first", "No call was slow.", [
    ["call", "Call", text], ["ago", "Ended", ago, "number"],
    ["seconds", "Took", seconds, "number", () => "warn"],
    ["direction", "Way", text], ["other", "Other side", text, "name"], ["outcome", "Outcome", text],
  ]],
  in_flight: ["Calls in flight, oldest first", "No call is in flight.", [
    ["call", "Call", text], ["age", "Age", seconds, "number"],
    ["left", "Left", seconds, "number", (value) => (value !== null && value < 0 ? "warn" : "")],
    ["direction", "Way", text], ["other", "Other side", text, "name"], ["doing", "Doing", text],
  ]],
  endpoints: ["Endpoints, most failures first", "No endpoint was called.", [
    ["call", "Endpoint", text], ["direction", "Way", text], ["rate", "Calls/s", rate, "number"],
    ["failed_share", "Failed", share, "number", levelOfShare],
    ["app_errors_share", "App errors", share, "number"], ["p50", "p50", seconds, "number"],
    ["p99", "p99", seconds, "number"], ["calls", "Calls in all", count, "number"],
    ["failed", "Failed in all", count, "number"],
  ]],
  peers: ["Peers, worst first", "No peer is known.", [
    ["hostport", "Peer", text],
    ["state", "State", text, "", (value, row) => row.level],
    ["penalty", "Penalty left", seconds, "number"], ["pending", "Calls pending", count, "number"],
    ["connections", "Connections", count, "number"], ["chosen", "Chosen", count, "number"],
    ["score", "Score", text, "number"],
  ]],
  connections: ["Connections, busiest first", "There is no connection.", [
    ["address", "Other side", text], ["direction", "Way", text],
    ["state", "State", text, "", (value, row) => row.level], ["age", "Age", seconds, "number"],
    ["idle", "Idle", seconds, "number"], ["pending", "Pending", count, "number"],
    ["calls_received", "Calls in", count, "number"], ["calls_sent", "Calls out", count, "number"],
    ["bytes_received", "Bytes in", bytes, "number"], ["bytes_sent", "Bytes out", bytes, "number"],
    ["process", "Says it is", (value, row) => [value, row.announced && `at ${row.announced}`].filter(Boolean).join(" ") || NONE, "name"],
  ]],
  limits: ["Limits", "No limit is known.", [
    ["name", "Limit", text], ["used", "Used", quantity, "number"], ["limit", "Of", quantity, "number"],
    ["share", "Share", share, "number", (value) => (value >= 0.9 ? "bad" : value >= 0.7 ? "warn" : "")],
  ]],
  options: ["Configuration", "Nothing is known.", [["name", "Option", text], ["value", "Value", text, "text"]]],
};

const ROWS_OF_ALL = new Set(["limits", "options"]);
const drawn = new Map();

class Table {
  constructor(parent, columns, titleId) {
    this.columns = columns;
    this.rows = [];
    const head = make("tr", { role: "row" });
    for (const [, heading, , name = ""] of columns) {
      head.append(make("th", { role: "columnheader", scope: "col", class: name }, heading));
    }
    this.body = make("tbody", { role: "rowgroup" });
    // The roles stand here because a table that is laid out otherwise, as cards, loses its own.
    this.table = make("table", { role: "table", "aria-labelledby": titleId },
      make("thead", { role: "rowgroup" }, head), this.body);
    parent.append(this.table);
  }

  fill(rows) {
    this.table.hidden = rows.length === 0;
    while (this.rows.length > rows.length) this.rows.pop().remove();
    while (this.rows.length < rows.length) this.rows.push(this.body.appendChild(this.row()));
    rows.forEach((row, index) => {
      this.columns.forEach(([key, , words, name = "", level], place) => {
        const cell = this.rows[index].children[place];
        say(cell.firstChild, words(row[key], row));
        mark(cell, `${name} ${level?.(row[key], row) ?? ""}`.trim());
      });
    });
  }

  row() {
    const row = make("tr", { role: "row" });
    this.columns.forEach(([, heading], place) => {
      const attributes = place ? { role: "cell", "data-label": heading } : { role: "rowheader", scope: "row" };
      // bdi: the direction in which a name is written ends with it.
      row.append(make(place ? "td" : "th", attributes, make("bdi")));
    });
    return row;
  }
}

class Section {
  constructor(id, [title, empty, columns]) {
    this.id = id;
    this.empty = empty;
    this.open = ROWS_OF_ALL.has(id);
    this.note = make("p", { class: "note" });
    this.element = make("section", { id, "aria-labelledby": `${id}-title`, tabindex: "-1" },
      make("h2", { id: `${id}-title` }, title), this.note);
    this.table = new Table(this.element, columns, `${id}-title`);
    this.more = make("button", { type: "button", class: "more", hidden: "" });
    this.more.addEventListener("click", () => {
      this.open = !this.open;
      this.draw();
    });
    this.element.append(this.more);
    get("main").append(this.element);
  }

  fill(part) {
    this.part = part;
    this.draw();
  }

  draw() {
    const { rows, total, note } = this.part;
    const shown = this.open ? rows : rows.slice(0, FIRST_ROWS);
    const words = [note];
    if (total === 0) words.unshift(this.empty);
    else if (shown.length < total) words.unshift(`${count(shown.length)} of ${count(total)}.`);
    const line = words.filter(Boolean).join(" ");
    say(this.note, line);
    this.note.hidden = line === "";
    this.table.fill(shown);
    this.more.hidden = ROWS_OF_ALL.has(this.id) || rows.length <= FIRST_ROWS;
    const name = get(`${this.id}-title`).textContent.split(",")[0].toLowerCase();
    say(this.more, this.open ? `Show ${FIRST_ROWS} ${name}` : `Show ${count(rows.length)} ${name}`);
    this.more.setAttribute("aria-expanded", String(this.open));
  }
}

// -- what is wrong -----------------------------------------------------------------------------

const LEVELS = { bad: "Problem", warn: "Warning", good: "Good" };
let announced = "";

function showFindings(findings) {
  const list = get("findings");
  while (list.children.length > findings.length) list.lastChild.remove();
  findings.forEach((finding, index) => {
    let item = list.children[index];
    if (!item?.querySelector("strong")) {
      item?.remove();
      item = make("li", {}, make("strong"), make("bdi"), " ", make("a"));
      list.insertBefore(item, list.children[index] ?? null);
    }
    mark(item, `finding ${finding.level}`);
    const [level, words, , link] = item.childNodes;
    say(level, LEVELS[finding.level]);
    say(words, finding.text);
    link.hidden = !finding.section;
    if (finding.section && link.getAttribute("href") !== `#${finding.section}`) {
      link.setAttribute("href", `#${finding.section}`);
      say(link, `See ${get(`${finding.section}-title`)?.textContent.split(",")[0].toLowerCase() ?? finding.section}`);
    }
  });
  // Said when something new is wrong or mended, not whenever a number moves.
  const kinds = findings.map((finding) => finding.kind).sort().join(" ");
  if (kinds !== announced) {
    announced = kinds;
    const wrong = findings.filter((finding) => finding.level !== "good");
    say(get("announcement"), wrong.length
      ? `${wrong.length} wrong: ${wrong.map((finding) => finding.text).join(" ")}` : findings[0]?.text ?? "");
  }
}

// -- tiles -------------------------------------------------------------------------------------

const CALLS = [
  ["rate", "calls/s", rate], ["failed_share", "failed", share, levelOfShare],
  ["app_errors_share", "app errors", share], ["in_flight", "in flight", count],
  ["p50", "p50", seconds], ["p90", "p90", seconds], ["p99", "p99", seconds],
];
const TILES = {
  incoming: ["Calls served", CALLS],
  outgoing: ["Calls made", CALLS],
  now: ["Channel", [
    ["connections", "connections", count], ["peers", "peers", count], ["waiting", "waiting", count],
    ["lag", "loop lag", seconds, (value) => (value >= 0.5 ? "bad" : value >= 0.1 ? "warn" : "")],
    ["received", "received/s", bytes], ["sent", "sent/s", bytes],
  ]],
};

function showTiles(channel) {
  for (const [id, [title, values]] of Object.entries(TILES)) {
    let tile = drawn.get(id);
    if (!tile) {
      const list = make("dl");
      for (const [, words] of values) list.append(make("div", {}, make("dt", {}, words), make("dd")));
      tile = make("div", { class: "tile" }, make("h3", {}, title), list);
      get("tiles").append(tile);
      drawn.set(id, tile);
    }
    values.forEach(([key, , words, level], index) => {
      const value = channel[id][key];
      const cell = tile.lastChild.children[index].lastChild;
      say(cell, words(value));
      mark(cell, level?.(value) ?? "");
    });
  }
}

// -- charts ------------------------------------------------------------------------------------

const RATE = [["rate", "all", "first"], ["app_errors", "app errors", "second"], ["failed", "failed", "failed"]];
const LATENCY = [["p50", "p50", "first"], ["p90", "p90", "second"], ["p99", "p99", "third"]];
const CHARTS = [
  ["incoming", "Calls served/s", RATE, rate, false],
  ["incoming", "Latency of calls served", LATENCY, seconds, true],
  ["outgoing", "Calls made/s", RATE, rate, false],
  ["outgoing", "Latency of calls made", LATENCY, seconds, true],
];
const LEFT = 52, RIGHT = 8, TOP = 8, BOTTOM = 20;

// Where a value stands between the lowest and the highest line, 0 to 1, and the lines to draw.
function linear(values) {
  const highest = Math.max(...values, 0);
  if (highest === 0) return [() => 0, [0]];
  const step = 10 ** Math.floor(Math.log10(highest));
  const unit = [0.2, 0.5, 1, 2, 5].map((part) => part * step).find((one) => highest / one <= 4) ?? step * 5;
  const top = Math.ceil(highest / unit) * unit;
  const lines = Array.from({ length: Math.round(top / unit) + 1 }, (_, index) => index * unit);
  return [(value) => value / top, lines];
}

function logarithmic(values) {
  const some = values.filter((value) => value > 0);
  if (!some.length) return [() => 0, []];
  const low = Math.floor(Math.log10(Math.min(...some)));
  const high = Math.max(Math.ceil(Math.log10(Math.max(...some))), low + 1);
  const lines = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return [(value) => Math.max(0, Math.log10(Math.max(value, 1e-9)) - low) / (high - low), lines];
}

function pathOf(values, x, y) {
  let path = "", pen = "M";
  values.forEach((value, index) => {
    if (value === null) {
      pen = "M";
      return;
    }
    const point = `${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    const alone = pen === "M" && (values[index + 1] ?? null) === null;
    path += `${pen}${point}${alone ? "h2" : ""}`;
    pen = "L";
  });
  return path;
}

class Chart {
  constructor([way, title, series, words, log]) {
    Object.assign(this, { way, title, series, words, log });
    const legend = make("span", { class: "legend" });
    for (const [, name, look] of series) {
      const sample = svg("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" });
      sample.append(svg("path", { class: look, d: "M0 4H28" }));
      legend.append(make("span", {}, sample, name));
    }
    this.picture = svg("svg", { class: "chart", role: "img" });
    get("charts").append(make("figure", {}, make("figcaption", {}, make("h3", {}, title), legend), this.picture));
  }

  draw(channel) {
    const { history } = channel;
    const all = this.series.map(([key]) => history[this.way][key]);
    const { width, height } = this.picture.getBoundingClientRect();
    if (width < 60) return;
    const [place, lines] = (this.log ? logarithmic : linear)(all.flat().filter((value) => value !== null));
    const size = history.length - 1;
    const behind = size - (all[0].length - 1);
    const x = (index) => LEFT + (width - LEFT - RIGHT) * (index + behind) / size;
    const y = (value) => height - BOTTOM - (height - BOTTOM - TOP) * place(value);
    const parts = [];
    for (const line of lines) {
      parts.push(svg("path", { class: "grid", d: `M${LEFT} ${y(line)}H${width - RIGHT}` }));
      parts.push(svg("text", { x: LEFT - 6, y: y(line) + 4, "text-anchor": "end" }, this.words(line)));
    }
    const minutes = Math.round(size * history.period / 60);
    for (let minute = minutes; minute >= 0; minute -= 1) {
      const at = width - RIGHT - (width - LEFT - RIGHT) * minute * 60 / (size * history.period);
      parts.push(svg("text", { x: at, y: height - 4, "text-anchor": minute ? "middle" : "end" },
        minute ? `-${minute} min` : "now"));
    }
    this.series.forEach(([, , look], index) => {
      parts.push(svg("path", { class: look, d: pathOf(all[index], x, y) }));
    });
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.picture.setAttribute("aria-label", this.inWords(all));
    this.picture.replaceChildren(...parts);
  }

  inWords(all) {
    const parts = this.series.map(([, name], index) => {
      const some = all[index].filter((value) => value !== null);
      return some.length ? `${name} now ${this.words(some.at(-1))}, at most ${this.words(Math.max(...some))}` : `${name} none`;
    });
    return `${this.title}, the last minutes: ${parts.join("; ")}.`;
  }
}

// A row for each minute, for those to whom a chart says nothing.
const MINUTES = [
  ["minute", "Minute", text], ["in_rate", "Served/s", rate, "number"],
  ["in_failed", "Failed/s", rate, "number"], ["in_p99", "Worst p99 served", seconds, "number"],
  ["out_rate", "Made/s", rate, "number"], ["out_failed", "Failed/s", rate, "number"],
  ["out_p99", "Worst p99 made", seconds, "number"],
];

function minutesOf(history) {
  const size = Math.max(1, Math.round(60 / history.period));
  const rows = [];
  const part = (way, key, end) => {
    const values = history[way][key];
    return values.slice(Math.max(0, values.length - end - size), values.length - end).filter((one) => one !== null);
  };
  const mean = (values) => (values.length ? values.reduce((sum, one) => sum + one, 0) / values.length : null);
  const most = (values) => (values.length ? Math.max(...values) : null);
  for (let end = 0; end < history.incoming.rate.length; end += size) {
    const minute = end / size;
    rows.push({
      minute: minute ? `${minute} min before` : "the last minute",
      in_rate: mean(part("incoming", "rate", end)), in_failed: mean(part("incoming", "failed", end)),
      in_p99: most(part("incoming", "p99", end)), out_rate: mean(part("outgoing", "rate", end)),
      out_failed: mean(part("outgoing", "failed", end)), out_p99: most(part("outgoing", "p99", end)),
    });
  }
  return rows;
}

let charts, minutes;

function showCharts(channel) {
  charts ??= CHARTS.map((chart) => new Chart(chart));
  for (const chart of charts) chart.draw(channel);
  minutes ??= new Table(get("minutes").lastElementChild, MINUTES, "overview-title");
  minutes.fill(minutesOf(channel.history));
}

// -- the page ----------------------------------------------------------------------------------

const wanted = new URLSearchParams(location.search).get("channel");
const query = wanted === null ? "" : `?channel=${encodeURIComponent(wanted)}`;
let last, source, paused = false, lostAt = null;

function showHeader(view) {
  const { channel } = view;
  const name = channel ? channel.name : "TChannel";
  say(get("name"), name);
  const bad = channel ? channel.findings.filter((finding) => finding.level === "bad").length : 0;
  const title = `${bad ? `(${bad}) ` : ""}${name}`;
  if (document.title !== title) document.title = title;
  say(get("about"), channel ? `${channel.state}, at ${channel.hostport}, up for ${seconds(channel.age)}` : "");
  say(get("process"), `${view.process.name}, process ${view.process.pid}, Python ${view.process.python}`
    + (channel ? `, tchannel-core ${channel.version}` : "")
    + (channel?.native.length ? `, native: ${channel.native.join(", ")}` : ""));
  const list = get("channels");
  list.hidden = view.channels.length < 2 && (!channel || wanted === null || view.channels[0]?.key === channel.key);
  const shape = JSON.stringify([view.channels.map((one) => one.key), view.channels_total, channel?.key]);
  if (list.dataset.shape !== shape) {
    list.dataset.shape = shape;
    const items = view.channels.map((one) => {
      const link = make("a", { href: `?channel=${encodeURIComponent(one.key)}`, "data-key": one.key }, make("bdi"), make("span"));
      if (one.key === channel?.key) link.setAttribute("aria-current", "page");
      return make("li", {}, link);
    });
    const left = view.channels_total - view.channels.length;
    if (left > 0) items.push(make("li", {}, `and ${left} more`));
    list.replaceChildren(make("ul", {}, ...items));
  }
  // In place, so that a link keeps the focus.
  view.channels.forEach((one, index) => {
    const [name, wrong] = list.firstChild.children[index].firstChild.children;
    say(name, one.label);
    say(wrong, one.problems ? ` (${one.problems} wrong)` : "");
  });
}

function show(view) {
  last = view;
  showHeader(view);
  document.body.classList.toggle("empty", !view.channel);
  if (!view.channel) {
    showFindings(view.findings);
    return;
  }
  for (const [id, spec] of Object.entries(TABLES)) {
    if (!drawn.has(id)) drawn.set(id, new Section(id, spec));
  }
  showFindings(view.channel.findings);
  showTiles(view.channel);
  showCharts(view.channel);
  for (const id of Object.keys(TABLES)) drawn.get(id).fill(view.channel[id]);
}

function state(words, name = "") {
  say(get("live"), words);
  mark(get("live"), name);
  document.body.classList.toggle("lost", name === "off");
}

function connect() {
  source = new EventSource(`events${query}`);
  source.addEventListener("view", (event) => {
    lostAt = null;
    show(JSON.parse(event.data));
    state("Live");
  });
  source.addEventListener("error", () => {
    const { readyState } = source;
    if (lostAt === null) lostAt = new Date();
    state(`Not live since ${lostAt.toLocaleTimeString("en-GB")}: the process does not answer`, "off");
    say(get("announcement"), "The page is not live: the process does not answer.");
    announced = null;
    // The browser tries again by itself unless it was refused.
    if (readyState === EventSource.CLOSED) setTimeout(() => paused || connect(), 3000);
  });
}

get("pause").addEventListener("click", () => {
  paused = !paused;
  get("pause").setAttribute("aria-pressed", String(paused));
  if (paused) {
    source.close();
    state(`Paused at ${new Date().toLocaleTimeString("en-GB")}`, "paused");
  } else {
    state("Connecting");
    connect();
  }
});

new ResizeObserver(() => last?.channel && showCharts(last.channel)).observe(get("charts"));
get("json").setAttribute("href", `stats.json${query}`);
connect();
