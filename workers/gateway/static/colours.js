// The colour of each emotion: the vocabulary's, or one of a fixed row; made legible on the ground it is on.

const FIXED = [
  '#f2c14e', '#5b8def', '#e5534b', '#57ab5a', '#a78bfa', '#f0883e', '#39c5cf', '#ff8fab', '#b0a160', '#9aa4b2',
];
const LEAST_CONTRAST = 3; // WCAG 2.2, 1.4.11: of what must be seen to be understood

const chosen = new Map();
let given = new Map();

export function useVocabulary(emotions) {
  given = new Map(emotions.filter((emotion) => emotion.colour).map(({ name, colour }) => [name, colour]));
  chosen.clear();
}

export function isDark() {
  return document.documentElement.dataset.theme === 'dark';
}

export function themeChanged() {
  chosen.clear();
}

export function colourOf(name, index) {
  if (!chosen.has(name)) chosen.set(name, legible(given.get(name) ?? fixed(index)));
  return chosen.get(name);
}

export function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function fixed(index) {
  if (index < FIXED.length) return FIXED[index];
  return hex(fromHue((index * 0.618034) % 1));
}

function fromHue(hue) {
  return [0, 1 / 3, 2 / 3].map((shift) => {
    const place = (hue + 1 - shift) % 1;
    return 0.45 + 0.4 * Math.min(1, Math.max(0, Math.abs(place * 6 - 3) - 1));
  });
}

function legible(colour) {
  const ground = luminance(parse(css('--ground')));
  const target = isDark() ? [1, 1, 1] : [0, 0, 0];
  const original = parse(colour);
  let mixed = original;
  for (let share = 0; share < 0.9 && contrast(luminance(mixed), ground) < LEAST_CONTRAST; share += 0.05) {
    mixed = original.map((value, i) => value + (target[i] - value) * share);
  }
  return hex(mixed);
}

function parse(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
}

function hex(parts) {
  return `#${parts.map((part) => Math.round(part * 255).toString(16).padStart(2, '0')).join('')}`;
}

function luminance(parts) {
  const [r, g, b] = parts.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
