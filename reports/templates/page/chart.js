// Curves of one job, drawn as SVG.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = ["●", "■", "▲", "◆", "✚"]; // of what stopping rules chose
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

function numbered(some) {
  return some.map((tick) => [tick, String(Number(tick.toPrecision(6)))]);
}

// Ticks of a logarithmic axis with their labels: 1, 2 and 5 times powers of ten, or fewer or more.
function decades(low, high) {
  const powers = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) powers.push(power);
  const within = (digits) =>
    powers
      .flatMap((power) => digits.map((digit) => digit * 10 ** power))
      .filter((value) => low <= Math.log10(value) && Math.log10(value) <= high);
  const fine = within([1, 2, 5]);
  const some = fine.length > 6 ? within([1]) : fine;
  if (some.length > 1) return some.map((value) => [Math.log10(value), String(Number(value.toPrecision(1)))]);
  return [low, high].map((end) => [end, String(Number((10 ** end).toPrecision(3)))]);
}

function chart({ title, lines, marks, levels, now, isLog }) {
  const scaled = (value) => (isLog ? Math.log10(Number(value)) : Number(value));
  const isDrawn = (value) => value !== null && value !== undefined && Number.isFinite(scaled(value));
  const values = [
    ...lines.flatMap((line) => line.values),
    ...marks.map((mark) => mark.value),
    ...Object.values(levels),
  ].filter(isDrawn);
  if (!values.length) return "";
  marks = marks.filter((mark) => isDrawn(mark.value));
  levels = Object.fromEntries(Object.entries(levels).filter(([, level]) => isDrawn(level)));
  const heights = values.map(scaled);
  const most = Math.max(1, ...lines.flatMap((line) => line.at));
  let [low, high] = [Math.min(...heights), Math.max(...heights)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const x = (iteration) => ROOM.left + (iteration / most) * (ROOM.width - ROOM.left - ROOM.right);
  const y = (height) =>
    ROOM.height - ROOM.bottom - ((height - low) / (high - low)) * (ROOM.height - ROOM.top - ROOM.bottom);

  const svg = drawing("svg", { viewBox: `0 0 ${ROOM.width} ${ROOM.height}`, role: "img", class: "chart" });
  svg.setAttribute("aria-label", `${title} against iterations`);
  svg.append(drawing("text", { x: 2, y: 12, class: "title" }, title));
  for (const [tick, label] of isLog ? decades(low, high) : numbered(ticks(low, high, 4))) {
    svg.append(drawing("line", { x1: ROOM.left, x2: ROOM.width - ROOM.right, y1: y(tick), y2: y(tick), class: "grid" }));
    svg.append(drawing("text", { x: ROOM.left - 4, y: y(tick) + 4, class: "end" }, label));
  }
  for (const tick of ticks(0, most, 5)) {
    svg.append(drawing("text", { x: x(tick), y: ROOM.height - ROOM.bottom + 14, class: "middle" }, String(tick)));
  }
  svg.append(drawing("text", { x: ROOM.width - ROOM.right, y: ROOM.height - 4, class: "end" }, "iterations"));
  for (const [name, level] of Object.entries(levels)) {
    const line = drawing("line", { x1: x(0), x2: x(most), y1: y(level), y2: y(level), class: "level" });
    line.append(drawing("title", {}, `${name}: ${shown(level, 2)}`));
    svg.append(line);
  }
  lines.forEach(({ at, values: those }, index) => {
    const points = at.flatMap((iteration, place) =>
      isDrawn(those[place]) ? [`${x(iteration).toFixed(1)},${y(scaled(those[place])).toFixed(1)}`] : [],
    );
    svg.append(drawing("polyline", { points: points.join(" "), class: `curve curve-${index}` }));
  });
  marks.forEach((mark, index) => {
    const place = { x: x(mark.at), y: y(scaled(mark.value)) + 4, class: "mark middle" };
    const point = drawing("text", place, SHAPES[index % SHAPES.length]);
    point.append(drawing("title", {}, `${mark.title} at ${mark.at}: ${shown(mark.value, 2)}`));
    svg.append(point);
  });
  svg.append(drawing("line", { x1: x(now), x2: x(now), y1: ROOM.top, y2: ROOM.height - ROOM.bottom, class: "now" }));
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * ROOM.width;
    goTo(((place - ROOM.left) / (ROOM.width - ROOM.left - ROOM.right)) * most);
  });
  return element("figure", {}, svg, legend(lines, marks, levels));
}

function legend(lines, marks, levels) {
  const sample = (name, ...content) => element("i", { class: name }, ...content);
  const entries = lines.map((line, index) => [sample(`curve-${index}`), line.title]);
  marks.forEach((mark, index) => {
    entries.push([sample("mark", SHAPES[index % SHAPES.length]), mark.title]);
  });
  const fills = Object.keys(levels).sort((a, b) => levels[b] - levels[a]);
  if (fills.length) entries.push([sample("level"), `fills, best first: ${fills.join(", ")}`]);
  const made = element("figcaption", { class: "legend" });
  if (entries.length > 1) {
    made.append(...entries.map(([what, title]) => element("span", {}, what, ` ${title}`)));
  }
  return made;
}
