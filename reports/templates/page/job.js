// The view of one job: pictures under a divider, checkpoints, scores, and how it was made.

const STEP_MILLISECONDS = 700; // of a checkpoint while they are played
const dialog = byId("job");
const waiting = new Map(); // jobs that are being loaded, by key: whom to tell
const loaded = new Map(); // what is known of a job, by key
let open = null; // the job that is shown, with its details and pictures when they are there
let wanted = ""; // the output that is shown of a job that has it
let player = null; // whoever plays the checkpoints

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
    const fail = (how) => reject(new Error(`jobs/${job.key}/job.js is ${how}`));
    script.addEventListener("error", () => fail("missing"));
    script.addEventListener("load", () => loaded.has(job.key) || fail("damaged"));
    document.head.append(script);
  });
}

function followAddress() {
  const place = location.hash.slice(1);
  const job = addresses.get(place);
  if (!job) {
    if (dialog.open) dialog.close();
    if (place.startsWith("job-")) byId("count").textContent += "; none has the address asked for";
    return;
  }
  if (!dialog.open) wanted = filters.output.value || job.stands;
  show(job);
}

async function show(job) {
  stop();
  open = { job, details: null, pictures: new Map() };
  const seed = job.isFill ? "" : ` / seed ${job.seed}`;
  byId("job-title").textContent = `${job.image} / ${job.mask} / ${job.method}${seed}`;
  const [before, after] = neighbours(job);
  byId("previous").disabled = !before;
  byId("next").disabled = !after;
  clear();
  offerSides(job);
  say();
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

// Nothing of another job stands under this one's name.
function clear() {
  clearSides();
  for (const id of ["curves", "oracle", "at", "record", "log"]) byId(id).replaceChildren();
  byId("scores").tHead.replaceChildren();
  byId("scores").tBodies[0].replaceChildren();
  byId("output").replaceChildren();
  for (const id of ["log-of", "steps"]) byId(id).hidden = true;
}

// The job's own status, and what has gone wrong on this page.
function say(trouble = "") {
  const { status, reason } = open.job;
  const own = status === "done" && !reason ? "" : [status, reason].filter(Boolean).join(": ");
  byId("job-status").textContent = [own, trouble].filter(Boolean).join("; ");
  byId("job-status").hidden = !byId("job-status").textContent;
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
  const seconds = shownSeconds(now.seconds);
  const until = byId("output").value.startsWith("stop:") ? " until the rule had stopped" : "";
  const loss = now.loss === null ? "" : `, loss ${now.loss}`;
  const about = `${seconds} seconds${until}${loss}`;
  rows.push(element("tr", {}, element("td", { colspan: data.regions.length + 1 }, about)));
  byId("scores").tBodies[0].replaceChildren(...rows);
  const best = details.oracle;
  byId("oracle").textContent = best
    ? `Oracle, which knows the truth: ${shown(best.psnr, 2)} dB in the hole, ${best.output} output at iteration ${best.iteration}.`
    : "";
  byId("curves").replaceChildren(...(job.isFill ? [] : charts(details, now)));
}

function charts({ curve, loss, levels, pictures }, now) {
  const lines = Object.entries(pictures)
    .filter(([output]) => !output.startsWith("stop:"))
    .map(([output, shown]) =>
      output in curve
        ? { title: output, at: curve.iteration, values: curve[output] }
        : { title: output, at: shown.map((one) => one.iteration), values: shown.map((one) => one.scores.psnr_hole) },
    )
    .filter((line) => line.values.some((value) => value !== null));
  const marks = Object.entries(pictures)
    .filter(([output]) => output.startsWith("stop:"))
    .map(([output, [chosen]]) => ({ title: output, at: chosen.iteration, value: chosen.scores.psnr_hole }));
  const quality = { title: "hole PSNR (dB)", lines, marks, levels, now: now.iteration };
  const known = [{ title: "loss", at: loss.iteration, values: loss.loss }];
  const losses = { title: "loss", lines: known, marks: [], levels: {}, now: now.iteration, isLog: true };
  return [quality, losses].map(chart);
}

// To the checkpoint nearest to an iteration.
function goTo(iteration) {
  stop();
  const distances = steps().map((each) => Math.abs(each.iteration - iteration));
  byId("iteration").value = distances.indexOf(Math.min(...distances));
  drawPictures();
}

function stop() {
  player = null;
  byId("play").textContent = "play";
}

// From checkpoint to checkpoint, each when the one before it has been seen.
async function play() {
  if (player) return stop();
  if (!open?.details?.pictures) return;
  const mine = {};
  player = mine;
  byId("play").textContent = "pause";
  const slider = byId("iteration");
  if (slider.value === slider.max) slider.value = 0;
  else slider.stepUp();
  await drawPictures();
  while (player === mine && slider.value !== slider.max) {
    await new Promise((over) => setTimeout(over, STEP_MILLISECONDS));
    if (player !== mine) return;
    slider.stepUp();
    await drawPictures();
  }
  if (player === mine) stop();
}

function go(which) {
  const job = neighbours(open.job)[which];
  if (!job) return;
  // The way back from a job is one step, however many were looked at.
  history.replaceState(null, "", `#${job.address}`);
  show(job);
}

function prepareJob() {
  byId("iteration").addEventListener("input", () => {
    stop();
    drawPictures();
  });
  byId("output").addEventListener("input", () => {
    stop();
    wanted = byId("output").value;
    if (open?.details?.pictures) toLast();
    drawPictures();
  });
  byId("play").addEventListener("click", play);
  byId("previous").addEventListener("click", () => go(0));
  byId("next").addEventListener("click", () => go(1));
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    stop();
    open = null;
    // A job that was closed is no place to come back to.
    if (location.hash.startsWith("#job-")) history.replaceState(null, "", "#jobs");
  });
  dialog.addEventListener("pointerdown", (event) => {
    const box = dialog.getBoundingClientRect();
    const isWithin = box.left <= event.clientX && event.clientX <= box.right;
    if (!isWithin || event.clientY < box.top || event.clientY > box.bottom) dialog.close();
  });
  document.addEventListener("keydown", (event) => {
    if (!open || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("select")) return;
    if (event.key === "p") go(0);
    if (event.key === "n") go(1);
  });
  addEventListener("hashchange", followAddress);
  followAddress();
}
