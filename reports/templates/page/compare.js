// The two sides of the divider: pictures of the open job, or restorations of other methods.

const SIDES = ["left", "right"];
const BY_A_KEY = 20; // thousandths of a picture's width that a key moves the divider
const ENLARGED = 480; // pixels that a picture is shown wide at least, where there is room
const OTHER = "method "; // before the name of another method, as the value of an option
const wish = { left: "masked", right: "composited" }; // what was chosen last

// Other methods' jobs of the same image and hole, by the value of their option.
function others(job) {
  const same = jobs.filter(
    (each) =>
      each.image === job.image && each.mask === job.mask && each.method !== job.method && result(each)?.file,
  );
  return new Map(oneOfEach(same, job.seed).map((each) => [OTHER + each.method, each]));
}

function offerSides(job) {
  const own = Object.entries(paintings).map(([name, { title }]) => [name, title]);
  const rest = [...others(job)].map(([name, each]) => [name, each.method]);
  for (const side of SIDES) {
    const select = byId(`${side}-of`);
    select.replaceChildren();
    for (const [label, values] of [["this job", own], ["other methods", rest]]) {
      if (!values.length) continue;
      const group = element("optgroup", { label });
      options(group, values);
      select.append(group);
    }
    const isThere = [...select.options].some((option) => option.value === wish[side]);
    select.value = isThere ? wish[side] : "composited";
  }
}

// What a side shows: how it is painted, from which output of which job, and its scores.
function chosenSide(side, now) {
  const value = byId(`${side}-of`).value;
  const other = others(open.job).get(value);
  if (other) {
    const { file, scores } = result(other);
    return { kind: "composited", key: other.key, file, scores, title: other.method };
  }
  const hasScores = !["truth", "masked"].includes(value);
  const scores = hasScores ? data.measures.map((measure) => now.scores[measure.column]) : null;
  return { kind: value, key: open.job.key, file: now.file, scores, title: paintings[value].title };
}

async function drawPictures() {
  if (!open?.details?.pictures) return;
  const [mine, now] = [open, step()];
  say();
  drawNumbers(now);
  const turn = {};
  mine.turn = turn;
  const isOver = () => open !== mine || mine.turn !== turn; // somebody went on meanwhile
  const sides = SIDES.map((side) => chosenSide(side, now));
  const own = (file) => ready(mine, mine.job.key, file);
  let painted;
  try {
    painted = await Promise.all([own("truth.png"), own("mask.png"), ...sides.map(({ key, file }) => ready(mine, key, file))]);
  } catch (error) {
    if (!isOver()) say(error.message);
    return;
  }
  if (isOver()) return;
  const [truth, mask, ...outputs] = painted;
  SIDES.forEach((side, index) => {
    const { kind, scores, title } = sides[index];
    paint(kind, byId(side), { truth, mask, output: outputs[index] });
    byId(side).setAttribute("aria-label", title);
    byId(`${side}-scores`).textContent = scores ? scoreLine(scores) : "";
  });
  const { naturalWidth: width, naturalHeight: height } = truth;
  const box = byId("compare");
  box.style.aspectRatio = `${width} / ${height}`;
  box.style.maxWidth = `min(${Math.max(width, ENLARGED)}px, ${(85 * width) / height}vh)`;
  box.classList.toggle("enlarged", width < ENLARGED);
  box.dataset.file = now.file; // what is painted by now
  box.dataset.key = mine.job.key;
}

async function ready(mine, key, file) {
  const place = `${key}/${file}`;
  if (!mine.pictures.has(place)) mine.pictures.set(place, picture(key, file));
  return mine.pictures.get(place);
}

function clearSides() {
  for (const side of SIDES) {
    Object.assign(byId(side), { width: 1, height: 1 });
    byId(side).removeAttribute("aria-label");
    byId(`${side}-scores`).textContent = "";
  }
  for (const name of ["file", "key"]) delete byId("compare").dataset[name];
}

function divide() {
  const share = byId("divider").value / 10;
  byId("right").style.clipPath = `inset(0 0 0 ${share}%)`;
  byId("line").style.left = `${share}%`;
  byId("divider").setAttribute("aria-valuetext", `${Math.round(share)} % from the left`);
}

function prepareSides() {
  for (const side of SIDES) {
    byId(`${side}-of`).addEventListener("input", (event) => {
      wish[side] = event.target.value;
      drawPictures();
    });
  }
  divide();
  byId("divider").addEventListener("input", divide);
  byId("divider").addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    event.target.value = Number(event.target.value) + way * BY_A_KEY;
    divide();
  });
}
