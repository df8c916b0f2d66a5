// The page's script: the table of jobs, and the view of one job. Names that come from files and
// suites are only ever set as text.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const jobs = data.jobs;
const AT_ONCE = 50; // rows that are added as somebody scrolls
const STEP_MILLISECONDS = 700; // of a checkpoint while they are played
const ENLARGED = 480; // pixels that a picture is shown wide at least, where there is room

function byId(id) {
  return document.getElementById(id);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

function shown(value, decimals) {
  if (value === null || value === undefined) return "–";
  const number = Number(value);
  return Number.isFinite(number) ? number.toFixed(decimals) : number > 0 ? "inf" : "-inf";
}

function short(measure) {
  return measure.name === "psnr" ? "PSNR (dB)" : measure.name.toUpperCase();
}

// A name that may be parted at its settings, where there is little room.
function parted(name) {
  const parts = String(name).split(/(?<=[,[=/_])/);
  return parts.flatMap((part, index) => (index ? [element("wbr"), part] : [part]));
}

// ------------------------------------------------------------------------------------------------
// The table of jobs

const filters = byId("filters");
const columns = [
  { name: "picture", title: "" },
  { name: "image", title: "image", of: (job) => job.image },
  { name: "mask", title: "hole", of: (job) => job.mask },
  { name: "method", title: "method", of: (job) => job.method },
  { name: "seed", title: "seed", of: (job) => (job.isFill ? null : job.seed), decimals: 0 },
  { name: "status", title: "status", of: (job) => job.status },
  ...data.measures.map((measure, index) => ({
    name: measure.name,
    title: measure.title,
    short: short(measure),
    decimals: measure.decimals,
    of: (job) => chosen(job)?.scores[index] ?? null,
  })),
  {
    name: "iteration",
    title: "iteration",
    of: (job) => (job.isFill ? null : (chosen(job)?.iteration ?? null)),
    decimals: 0,
  },
  { name: "seconds", title: "seconds", of: (job) => chosen(job)?.seconds ?? null, decimals: 2 },
];
let found = jobs; // what the filters leave, in order
let drawn = 0; // how many of them have a row

// What is shown of a job: the output asked for, at its last iteration; of a fill its answer.
function chosen(job) {
  return job.outputs[job.isFill ? "raw" : filters.output.value];
}

function source(key, file) {
  return data.embedded
    ? data.embedded[key].pictures[file]
    : `jobs/${key}/${encodeURIComponent(file)}`;
}

function options(select, values, all) {
  if (all) select.append(element("option", { value: "" }, all));
  for (const [value, title] of values) select.append(element("option", { value }, title));
}

function prepareTable() {
  for (const name of ["image", "mask", "method", "status"]) {
    const values = [...new Set(jobs.map((job) => job[name]))];
    options(filters[name], values.map((value) => [value, value]), "all");
  }
  options(filters.output, data.outputs.map((output) => [output, output]));
  if (data.outputs.includes("averaged")) {
    filters.output.querySelector('[value="averaged"]').defaultSelected = true;
    filters.output.value = "averaged";
  }
  const sortable = columns.filter((column) => column.of);
  options(filters.sort, sortable.map((column) => [column.name, column.title]), "suite's order");
  const head = byId("table").tHead.rows[0];
  for (const column of columns) {
    const cell = element("th", { scope: "col", "data-column": column.name });
    if (column.decimals !== undefined) cell.className = "number";
    if (column.of) {
      const button = element("button", { type: "button" }, column.title);
      button.addEventListener("click", () => sortBy(column.name));
      cell.append(button);
    } else {
      cell.append(element("span", { class: "unseen" }, "restoration"));
    }
    head.append(cell);
  }
  filters.addEventListener("input", () => draw());
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(draw));
  new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) addRows();
    },
    { rootMargin: "1200px" },
  ).observe(byId("more"));
  draw();
}

function sortBy(name) {
  filters.descending.checked = filters.sort.value === name && !filters.descending.checked;
  filters.sort.value = name;
  draw();
}

function matches(job) {
  const words = filters.text.value.toLowerCase().split(/\s+/);
  const name = `${job.image} ${job.mask} ${job.method} ${job.seed} ${job.status} ${job.reason}`;
  return (
    words.every((word) => name.toLowerCase().includes(word)) &&
    ["image", "mask", "method", "status"].every(
      (each) => !filters[each].value || job[each] === filters[each].value,
    )
  );
}

// Numbers by size, words as people order them; what is missing comes last either way.
function order(column, isDescending) {
  const letters = new Intl.Collator(undefined, { numeric: true });
  return (one, other) => {
    const [a, b] = [column.of(one), column.of(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    const difference = column.decimals === undefined ? letters.compare(a, b) : Number(a) - Number(b);
    return (isDescending ? -1 : 1) * (difference || 0);
  };
}

function draw() {
  const column = columns.find((each) => each.of && each.name === filters.sort.value);
  const isDescending = filters.descending.checked;
  found = jobs.filter(matches);
  if (column) found.sort(order(column, isDescending));
  else if (isDescending) found.reverse();
  for (const cell of byId("table").tHead.rows[0].cells) {
    const isSorted = column && cell.dataset.column === column.name;
    if (isSorted) cell.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  }
  const many = `${jobs.length} job${jobs.length === 1 ? "" : "s"}`;
  byId("count").textContent = found.length === jobs.length ? many : `${found.length} of ${many}`;
  byId("table").tBodies[0].replaceChildren();
  drawn = 0;
  addRows();
}

function addRows() {
  const rows = found.slice(drawn, drawn + AT_ONCE).map(row);
  drawn += rows.length;
  byId("table").tBodies[0].append(...rows);
  byId("more").hidden = drawn === found.length;
}

function row(job) {
  const cells = columns.map((column) => {
    const cell = element("td", { class: column.name, "data-title": column.short ?? column.title });
    if (column.name === "picture") {
      const file = chosen(job)?.file;
      if (file) cell.append(element("img", { src: source(job.key, file), alt: "", loading: "lazy" }));
    } else if (column.name === "image") {
      cell.append(element("a", { href: `#${job.address}` }, ...parted(job.image)));
    } else if (column.decimals === undefined) {
      cell.append(...parted(column.of(job)));
    } else {
      cell.classList.add("number");
      cell.append(shown(column.of(job), column.decimals));
    }
    return cell;
  });
  const made = element("tr", { "data-status": job.status }, ...cells);
  made.addEventListener("click", (event) => {
    if (!event.target.closest("a") && !String(getSelection())) location.hash = job.address;
  });
  return made;
}

// ------------------------------------------------------------------------------------------------
// One job

const dialog = byId("job");
const waiting = new Map(); // jobs that are being loaded, by key: whom to tell
const loaded = new Map(); // what is known of a job, by key
let open = null; // the job that is shown, with its details and pictures
let player = null;

// Jobs by where a link finds them: by the beginning of their key; two may have the same run.
const addresses = new Map();
for (const job of jobs) {
  let place = `job-${job.key.slice(0, 16)}`;
  while (addresses.has(place)) place += "-again";
  addresses.set(place, job);
  job.address = place;
}

// Called by the file of each job.
function received(key, details) {
  loaded.set(key, details);
  waiting.get(key)?.();
}

function details(job) {
  if (data.embedded) return Promise.resolve(data.embedded[job.key].details);
  if (loaded.has(job.key)) return Promise.resolve(loaded.get(job.key));
  return new Promise((resolve, reject) => {
    waiting.set(job.key, () => resolve(loaded.get(job.key)));
    const script = element("script", { src: `jobs/${job.key}/job.js` });
    script.addEventListener("error", () => reject(new Error(`jobs/${job.key}/job.js is missing`)));
    document.head.append(script);
  });
}

function picture(key, file) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", () => reject(new Error(`${file} is missing`)));
    image.src = source(key, file);
  });
}

function followAddress() {
  const job = addresses.get(location.hash.slice(1));
  if (job) show(job);
  else if (dialog.open) dialog.close();
}

async function show(job) {
  stop();
  open = { job, details: null, pictures: new Map() };
  const seed = job.isFill ? "" : ` / seed ${job.seed}`;
  byId("job-title").textContent = `${job.image} / ${job.mask} / ${job.method}${seed}`;
  const [before, after] = neighbours(job);
  byId("previous").disabled = !before;
  byId("next").disabled = !after;
  const said = job.status === "done" && !job.reason ? "" : `${job.status}${job.reason && `: ${job.reason}`}`;
  say(said);
  if (!dialog.open) dialog.showModal();
  const mine = open;
  try {
    mine.details = await details(job);
    if (open !== mine) return;
    fill(mine);
    await drawPictures();
  } catch (error) {
    if (open === mine) say(error.message);
  }
}

function say(text) {
  byId("job-status").textContent = text;
  byId("job-status").hidden = !text;
}

function neighbours(job) {
  const place = found.indexOf(job);
  return place < 0 ? [] : [found[place - 1], found[place + 1]];
}

// All that does not wait for pictures.
function fill({ job, details }) {
  byId("record").textContent = JSON.stringify(details.record ?? {}, null, 2);
  byId("log").textContent = details.log ?? "";
  byId("log-of").hidden = !details.log;
  byId("view").hidden = !details.pictures;
  if (!details.pictures) return;
  const outputs = Object.keys(details.pictures);
  const wanted = job.isFill ? "raw" : byId("output").value || filters.output.value;
  byId("output").replaceChildren();
  options(byId("output"), outputs.map((output) => [output, output]));
  byId("output").value = outputs.includes(wanted) ? wanted : outputs.at(-1);
  byId("steps").hidden = job.isFill;
  toLast();
}

function toLast() {
  const last = steps().length - 1;
  byId("iteration").max = last;
  byId("iteration").value = last;
  byId("iteration").disabled = last === 0;
  byId("play").disabled = last === 0;
}

function steps() {
  return open.details.pictures[byId("output").value];
}

function step() {
  return steps()[Number(byId("iteration").value)];
}

// Every picture is painted from truth, mask and output by the browser itself.
const paintings = {
  masked: { title: "masked", paint: (brush, { truth, hole }) => brush.over(truth, hole, "lighten") },
  composited: {
    title: "restoration",
    paint: (brush, { truth, mask, output, hole }) => {
      brush.over(output, hole, "multiply");
      brush.keep();
      brush.over(truth, mask, "multiply");
      brush.add();
    },
  },
  output: { title: "output as it is", paint: (brush, { output }) => brush.over(output) },
  truth: { title: "truth", paint: (brush, { truth }) => brush.over(truth) },
  error: {
    title: "error, 4 times",
    paint: (brush, { truth, output }) => {
      brush.over(truth, output, "difference");
      brush.double();
      brush.double();
    },
  },
};

class Brush {
  constructor(canvas, { naturalWidth: width, naturalHeight: height }) {
    Object.assign(canvas, { width, height });
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.kept = null;
  }

  over(below, above, how) {
    this.context.globalCompositeOperation = "source-over";
    this.context.drawImage(below, 0, 0);
    if (above) {
      this.context.globalCompositeOperation = how;
      this.context.drawImage(above, 0, 0);
    }
  }

  keep() {
    this.kept = copy(this.canvas);
  }

  add() {
    this.context.globalCompositeOperation = "lighter";
    this.context.drawImage(this.kept, 0, 0);
  }

  double() {
    this.keep();
    this.add();
  }
}

function copy(picture) {
  const width = picture.naturalWidth ?? picture.width;
  const height = picture.naturalHeight ?? picture.height;
  const canvas = Object.assign(element("canvas"), { width, height });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas;
}

// White where the mask is black.
function inverted(mask) {
  const canvas = copy(mask);
  const context = canvas.getContext("2d");
  context.globalCompositeOperation = "difference";
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  return canvas;
}

async function ready(file) {
  const mine = open;
  if (!mine.pictures.has(file)) mine.pictures.set(file, picture(mine.job.key, file));
  return mine.pictures.get(file);
}

async function drawPictures() {
  if (!open.details.pictures) return;
  const [mine, now] = [open, step()];
  drawNumbers(now);
  const [truth, mask, output] = await Promise.all(["truth.png", "mask.png", now.file].map(ready));
  if (open !== mine || step() !== now) return; // somebody went on meanwhile
  mine.hole ??= inverted(mask);
  for (const side of ["left", "right"]) {
    const kind = byId(`${side}-of`).value;
    paintings[kind].paint(new Brush(byId(side), truth), { truth, mask, output, hole: mine.hole });
    byId(side).setAttribute("aria-label", paintings[kind].title);
  }
  const { naturalWidth: width, naturalHeight: height } = truth;
  const box = byId("compare");
  box.style.aspectRatio = `${width} / ${height}`;
  box.style.maxWidth = `${Math.max(width, ENLARGED)}px`;
  box.classList.toggle("enlarged", width < ENLARGED);
  box.dataset.file = now.file; // what is painted by now
  box.dataset.key = mine.job.key;
}

function divide() {
  const share = byId("divider").value / 10;
  byId("right").style.clipPath = `inset(0 0 0 ${share}%)`;
  byId("line").style.left = `${share}%`;
}

function drawNumbers(now) {
  const { details, job } = open;
  byId("at").textContent = `iteration ${now.iteration} of ${steps().at(-1).iteration}`;
  byId("iteration").setAttribute("aria-valuetext", `iteration ${now.iteration}`);
  const head = element("tr", {}, element("th", { scope: "col" }, byId("output").value));
  for (const region of data.regions) head.append(element("th", { scope: "col" }, region));
  byId("scores").tHead.replaceChildren(head);
  const rows = data.measures.map((measure) => {
    const cells = data.regions.map((region) =>
      element(
        "td",
        { class: "number" },
        shown(now.scores[`${measure.name}_${region}`], measure.decimals),
      ),
    );
    return element("tr", {}, element("th", { scope: "row" }, short(measure)), ...cells);
  });
  const seconds = shown(now.seconds, 2);
  const about = now.loss === null ? `${seconds} seconds` : `${seconds} seconds, loss ${now.loss}`;
  rows.push(element("tr", {}, element("td", { colspan: data.regions.length + 1 }, about)));
  byId("scores").tBodies[0].replaceChildren(...rows);
  const best = details.oracle;
  byId("oracle").textContent = best
    ? `Oracle, which knows the truth: ${shown(best.psnr, 2)} dB in the hole, ${best.output} output at iteration ${best.iteration}.`
    : "";
  byId("curves").replaceChildren(...(job.isFill ? [] : charts(details, now)));
}

function charts({ curve, loss, levels, pictures }, now) {
  const lines = ["raw", "averaged"]
    .filter((output) => curve[output].some((value) => value !== null))
    .map((output) => ({ title: output, at: curve.iteration, values: curve[output] }));
  const marks = Object.entries(pictures)
    .filter(([output]) => output.startsWith("stop:"))
    .map(([output, [chosen]]) => ({ title: output, at: chosen.iteration, value: chosen.scores.psnr_hole }));
  const quality = { title: "hole PSNR (dB)", lines, marks, levels, now: now.iteration };
  const known = [{ title: "loss", at: loss.iteration, values: loss.loss }];
  const losses = { title: "loss", lines: known, marks: [], levels: {}, now: now.iteration, isLog: true };
  return [quality, losses].filter(({ lines: some }) => some.length).map(chart);
}

// ------------------------------------------------------------------------------------------------
// Charts

const SVG = "http://www.w3.org/2000/svg";
const ROOM = { width: 460, height: 220, left: 46, right: 12, top: 22, bottom: 34 };

function drawing(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const first = Math.ceil(low / size - 1e-9);
  const last = Math.floor(high / size + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * size);
}

function chart({ title, lines, marks, levels, now, isLog }) {
  const scaled = (value) => (isLog ? Math.log10(Number(value)) : Number(value));
  const isDrawn = (value) => value !== null && value !== undefined && Number.isFinite(scaled(value));
  const values = [
    ...lines.flatMap((line) => line.values),
    ...marks.map((mark) => mark.value),
    ...Object.values(levels),
  ].filter(isDrawn);
  const heights = values.map(scaled);
  const most = Math.max(1, ...lines.flatMap((line) => line.at));
  let [low, high] = heights.length ? [Math.min(...heights), Math.max(...heights)] : [0, 1];
  if (low === high) [low, high] = [low - 1, high + 1];
  const x = (iteration) => ROOM.left + (iteration / most) * (ROOM.width - ROOM.left - ROOM.right);
  const y = (height) =>
    ROOM.height - ROOM.bottom - ((height - low) / (high - low)) * (ROOM.height - ROOM.top - ROOM.bottom);

  const svg = drawing("svg", { viewBox: `0 0 ${ROOM.width} ${ROOM.height}`, role: "img", class: "chart" });
  svg.setAttribute("aria-label", `${title} against iterations`);
  svg.append(drawing("text", { x: 2, y: 12, class: "title" }, title));
  for (const tick of ticks(low, high, 4)) {
    const label = isLog ? (10 ** tick).toPrecision(1) : String(Number(tick.toPrecision(6)));
    svg.append(drawing("line", { x1: ROOM.left, x2: ROOM.width - ROOM.right, y1: y(tick), y2: y(tick), class: "grid" }));
    svg.append(drawing("text", { x: ROOM.left - 4, y: y(tick) + 4, class: "end" }, label));
  }
  for (const tick of ticks(0, most, 5)) {
    svg.append(drawing("text", { x: x(tick), y: ROOM.height - ROOM.bottom + 14, class: "middle" }, String(tick)));
  }
  svg.append(drawing("text", { x: ROOM.width - ROOM.right, y: ROOM.height - 4, class: "end" }, "iterations"));
  for (const [name, level] of Object.entries(levels).filter(([, each]) => isDrawn(each))) {
    const line = drawing("line", { x1: x(0), x2: x(most), y1: y(level), y2: y(level), class: "level" });
    line.append(drawing("title", {}, `${name}: ${shown(level, 2)}`));
    svg.append(line);
  }
  const [best] = Object.entries(levels).filter(([, each]) => isDrawn(each)).sort(([, a], [, b]) => b - a);
  if (best) {
    const place = { x: x(0) + 4, y: y(best[1]) + (y(best[1]) < ROOM.top + 12 ? 12 : -4) };
    svg.append(drawing("text", place, `best fill: ${best[0]}`));
  }
  lines.forEach(({ at, values: those }, index) => {
    const points = at.flatMap((iteration, place) =>
      isDrawn(those[place]) ? [`${x(iteration).toFixed(1)},${y(scaled(those[place])).toFixed(1)}`] : [],
    );
    svg.append(drawing("polyline", { points: points.join(" "), class: `curve curve-${index}` }));
  });
  for (const mark of marks.filter((each) => isDrawn(each.value))) {
    const point = drawing("circle", { cx: x(mark.at), cy: y(scaled(mark.value)), r: 4, class: "mark" });
    point.append(drawing("title", {}, `${mark.title} at ${mark.at}: ${shown(mark.value, 2)}`));
    svg.append(point);
  }
  svg.append(drawing("line", { x1: x(now), x2: x(now), y1: ROOM.top, y2: ROOM.height - ROOM.bottom, class: "now" }));
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * ROOM.width;
    goTo(((place - ROOM.left) / (ROOM.width - ROOM.left - ROOM.right)) * most);
  });
  return element("figure", {}, svg, legend(lines, marks, levels));
}

function legend(lines, marks, levels) {
  const entries = lines.map((line, index) => [`curve-${index}`, line.title]);
  if (marks.length) entries.push(["mark", marks.map((mark) => mark.title).join(", ")]);
  if (Object.keys(levels).length) entries.push(["level", `fills: ${Object.keys(levels).join(", ")}`]);
  const made = element("figcaption", { class: "legend" });
  for (const [kind, title] of lines.length > 1 || entries.length > 1 ? entries : []) {
    made.append(element("span", {}, element("i", { class: kind }), ` ${title}`));
  }
  return made;
}

// To the checkpoint nearest to an iteration.
function goTo(iteration) {
  const distances = steps().map((each) => Math.abs(each.iteration - iteration));
  byId("iteration").value = distances.indexOf(Math.min(...distances));
  refresh();
}

// ------------------------------------------------------------------------------------------------
// What people do

function refresh() {
  drawPictures().catch((error) => say(error.message));
}

function stop() {
  clearInterval(player);
  player = null;
  byId("play").textContent = "play";
}

function play() {
  if (player) return stop();
  const slider = byId("iteration");
  if (slider.value === slider.max) slider.value = 0;
  else slider.stepUp();
  refresh();
  byId("play").textContent = "pause";
  player = setInterval(() => {
    slider.stepUp();
    refresh();
    if (slider.value === slider.max) stop();
  }, STEP_MILLISECONDS);
}

function go(which) {
  const job = neighbours(open.job)[which];
  if (!job) return;
  // The way back from a job is one step, however many were looked at.
  history.replaceState(null, "", `#${job.address}`);
  show(job);
}

function prepareJob() {
  const kinds = Object.entries(paintings).map(([name, { title }]) => [name, title]);
  for (const [side, kind] of [["left", "masked"], ["right", "composited"]]) {
    options(byId(`${side}-of`), kinds);
    byId(`${side}-of`).value = kind;
    byId(`${side}-of`).addEventListener("input", refresh);
  }
  divide();
  byId("divider").addEventListener("input", divide);
  byId("iteration").addEventListener("input", () => {
    stop();
    refresh();
  });
  byId("output").addEventListener("input", () => {
    stop();
    toLast();
    refresh();
  });
  byId("play").addEventListener("click", play);
  byId("previous").addEventListener("click", () => go(0));
  byId("next").addEventListener("click", () => go(1));
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    stop();
    open = null;
    if (location.hash.startsWith("#job-")) history.pushState(null, "", "#jobs");
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select")) return;
    if (event.key === "p") go(0);
    if (event.key === "n") go(1);
  });
  addEventListener("hashchange", followAddress);
  followAddress();
}

prepareTable();
prepareJob();
