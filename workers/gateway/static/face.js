// The scored face as points and lines, drawn from its features; there is no picture here.

import { css } from './colours.js';
import { find, write } from './dom.js';

// Of MediaPipe's 478 landmarks every second one is in the features. Numbers are landmarks, pairs the middle
// between two; the corners of the eyes follow from the origin, which lies midway between the eyes.
const OUTLINES = [
  { closed: true, points: [10, 338, 332, 284, 356, 454, 288, 378, 400, 152, 176, 150, 136, 172, 58, 234, 162, 54, 'temple'] },
  { closed: false, points: [70, [104, 52], 66, [66, 8]] },
  { closed: false, points: [300, 334, 296, 336] },
  { closed: true, points: ['outerRight', 246, 160, 158, 'innerRight', 154, 144] },
  { closed: true, points: [362, 398, 384, 386, 388, 466, 'outerLeft', 390, 374, 380, 382] },
  { closed: true, points: [76, 40, 0, 270, 306, 320, 314, 84, 90] },
  { closed: true, points: [78, 80, 82, 312, 310, 308, 318, 402, 14, 178, 88] },
  { closed: false, points: [168, 6, 4] },
  { closed: false, points: [98, 2, 326] },
];
const DERIVED = {
  innerRight: (at) => [-at(362)[0], at(362)[1]],
  outerRight: (at) => [-1 + at(362)[0], -at(362)[1]],
  outerLeft: (at) => [1 - at(362)[0], -at(362)[1]],
  temple: (at) => [(at(54)[0] + at(10)[0]) / 2 - 0.06, (at(54)[1] + at(10)[1]) / 2 - 0.14],
};
const IRISES = [[468, 468], [474, 476]];
const STALE_S = 1.5;
const HEIGHT = 4.6; // of a face and its surroundings, in distances between the eyes

export class FaceDrawing {
  constructor() {
    this.canvas = find('#face canvas');
    this.text = find('#face-text');
    this.shown = null;
  }

  draw(message, nowNs) {
    const stale = !message || (nowNs && nowNs - message.time_ns > STALE_S * 1e9);
    const face = stale ? undefined : message.faces.find((each) => each.scored) ?? message.faces[0];
    const others = stale ? 0 : Math.max(0, message.faces.length - 1);
    const text = !face ? 'No face in view'
      : pose(face.rotation) + (others ? `; ${others} other face${others > 1 ? 's' : ''} in view` : '');
    write(this.text, text);
    if (this.canvas.ariaLabel !== text) this.canvas.ariaLabel = text;
    this.#paint(face);
  }

  #paint(face) {
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!face) return;
    const scale = Math.min(height / HEIGHT, width / 3.6);
    context.translate(width / 2, height * 0.42);
    context.rotate(-face.rotation[2]);
    const at = (index) => place(face, index).map((value) => value * scale);
    context.fillStyle = css('--soft');
    context.globalAlpha = 0.55;
    const size = Math.max(1, scale * 0.016);
    for (let index = 0; index < 468; index += 2) {
      const [x, y] = at(index);
      context.fillRect(x - size / 2, y - size / 2, size, size);
    }
    context.globalAlpha = 1;
    context.strokeStyle = css('--ink');
    context.lineWidth = Math.max(1.2, scale * 0.028);
    context.lineJoin = context.lineCap = 'round';
    for (const { closed, points } of OUTLINES) smooth(context, points.map(at), closed);
    context.fillStyle = css('--ink');
    for (const iris of IRISES) {
      const [x, y] = at(iris);
      context.beginPath();
      context.arc(x, y, scale * 0.07, 0, 2 * Math.PI);
      context.fill();
    }
  }
}

function place(face, which) {
  if (Array.isArray(which)) {
    const [a, b] = which.map((index) => place(face, index));
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }
  if (DERIVED[which]) return DERIVED[which]((index) => place(face, index));
  return face.points[which / 2];
}

// A Catmull-Rom curve through the points.
function smooth(context, points, closed) {
  const count = points.length;
  const get = (i) => (closed ? points[(i + count) % count] : points[Math.min(count - 1, Math.max(0, i))]);
  context.beginPath();
  context.moveTo(...points[0]);
  for (let i = 0; i < (closed ? count : count - 1); i++) {
    const [a, b, c, d] = [get(i - 1), get(i), get(i + 1), get(i + 2)];
    context.bezierCurveTo(
      b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6, c[0] - (d[0] - b[0]) / 6, c[1] - (d[1] - b[1]) / 6, c[0], c[1]);
  }
  context.stroke();
}

function pose([pitch, yaw]) {
  const turned = Math.abs(yaw) < 0.2 ? '' : yaw > 0 ? 'turned right' : 'turned left';
  const tilted = Math.abs(pitch) < 0.2 ? '' : pitch > 0 ? 'looking up' : 'looking down';
  const words = [turned, tilted].filter(Boolean).join(', ');
  return words ? `Face ${words}` : 'Face to the camera';
}
