// Every picture is painted from truth, mask and output by the browser itself.

const paintings = {
  masked: {
    title: "masked",
    paint: (brush, { truth, mask, hole }) => {
      brush.over(truth, mask, "multiply");
      brush.keep();
      brush.over(colour(data.hole, hole), hole, "multiply");
      brush.add();
    },
  },
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

// Paints one of these onto a canvas; pictures: truth and mask, and the output where it needs one.
function paint(kind, canvas, pictures) {
  paintings[kind].paint(new Brush(canvas, pictures.truth), {
    ...pictures,
    hole: inverted(pictures.mask),
  });
}

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

// One colour, as large as another canvas.
function colour(levels, { width, height }) {
  const canvas = Object.assign(element("canvas"), { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = `rgb(${levels.join(" ")})`;
  context.fillRect(0, 0, width, height);
  return canvas;
}
