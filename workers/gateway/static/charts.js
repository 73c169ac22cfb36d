// Rolling curves of distance: one panel for all evidence together, and one for each modality that is on.

import uPlot from './vendor/uplot/uPlot.esm.js';
import { colourOf, css } from './colours.js';
import { MODALITIES } from './history.js';

const NAMES = { fused: 'All together', face: 'Face', voice: 'Voice', text: 'Words' };
const LEAST_RANGE = 0.15;
const STEP = 0.05;
const SILENCE_S = 1.5; // between two windows: no line leads over it
const SLOW_SPAN_S = 200;
const SLOW_REDRAW_MS = 500;

export class Charts {
  constructor(parent) {
    this.parent = parent;
    this.shown = new Set(['fused']);
    this.focused = null; // the one emotion that stands out
    this.panels = new Map();
    this.key = '';
    this.drawnAt = 0;
    new ResizeObserver(() => this.#resize()).observe(parent);
  }

  show(modality, on) {
    if (on) this.shown.add(modality);
    else this.shown.delete(modality);
    this.key = '';
  }

  focus(name) {
    this.focused = this.focused === name ? null : name;
    this.key = '';
  }

  restyle() {
    this.key = '';
  }

  draw(source, end, span) {
    const names = source.names.length ? source.names : [...source.columns.keys()];
    const key = JSON.stringify([source.name, names, [...this.shown], this.focused]);
    if (key !== this.key) this.#build(key, names);
    else if (span > SLOW_SPAN_S && performance.now() - this.drawnAt < SLOW_REDRAW_MS) return;
    this.drawnAt = performance.now();
    const from = Math.max(0, source.indexAfter(end - span) - 1);
    const to = source.indexAfter(end);
    const times = source.times.slice(from, to);
    for (const [modality, { chart }] of this.panels) {
      const rows = names.map((name) => source.columns.get(name)?.[modality].slice(from, to) ?? []);
      chart.batch(() => {
        chart.setData([times, ...rows], false);
        chart.setScale('x', { min: end - span, max: end });
        chart.setScale('y', range(rows));
      });
    }
  }

  #build(key, names) {
    this.key = key;
    for (const { chart, element } of this.panels.values()) {
      chart.destroy();
      element.remove();
    }
    this.panels.clear();
    const last = MODALITIES.filter((modality) => this.shown.has(modality)).at(-1);
    for (const modality of MODALITIES) {
      if (!this.shown.has(modality)) continue;
      const element = document.createElement('div');
      element.className = 'panel';
      element.dataset.modality = modality;
      element.role = 'img';
      element.ariaLabel = `Curves of distance, ${NAMES[modality]}: the table of emotions holds the numbers`;
      const name = document.createElement('span');
      name.className = 'name';
      name.textContent = NAMES[modality];
      name.hidden = this.shown.size === 1;
      const plot = document.createElement('div');
      plot.className = 'plot';
      element.append(name, plot);
      this.parent.append(element);
      const chart = new uPlot(this.#options(names, plot, modality === last), [[], ...names.map(() => [])], plot);
      this.panels.set(modality, { chart, element, plot });
    }
  }

  #options(names, plot, withTimes) {
    const soft = css('--soft');
    const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const font = `${Math.round(size * 0.8)}px system-ui, "DejaVu Sans", sans-serif`;
    const axis = { stroke: soft, font, ticks: { show: false } };
    const grid = { stroke: css('--line'), width: 1 };
    return {
      width: plot.clientWidth || 300,
      height: plot.clientHeight || 120,
      padding: [size * 0.6, size * 1.8, withTimes ? 0 : size * 0.5, 0],
      legend: { show: false },
      cursor: { show: false },
      select: { show: false },
      scales: { x: { time: true, auto: false }, y: { auto: false, dir: -1 } },
      axes: [
        { ...axis, show: withTimes, grid: { show: false }, size: size * 1.5, space: size * 6,
          values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleTimeString('en-GB')) },
        { ...axis, grid, size: size * 3.2, space: size * 2.6, values: (_, ticks) => ticks.map((t) => t.toFixed(2)) },
      ],
      series: [
        {},
        ...names.map((name, index) => {
          const away = this.focused !== null && this.focused !== name;
          return {
            stroke: colourOf(name, index),
            width: this.focused === name ? 4 : 2.5,
            alpha: away ? 0.18 : 1,
            points: { show: false },
            spanGaps: false,
            gaps: silences,
          };
        }),
      ],
    };
  }

  #resize() {
    for (const { chart, plot } of this.panels.values()) {
      if (plot.clientWidth) chart.setSize({ width: plot.clientWidth, height: plot.clientHeight });
    }
  }
}

function range(rows) {
  let min = Infinity;
  let max = -Infinity;
  for (const row of rows) {
    for (const value of row) {
      if (value !== null && value < min) min = value;
      if (value !== null && value > max) max = value;
    }
  }
  if (min > max) return { min: 0.5, max: 1.5 };
  // In steps, so that the scale stands still while the curves move.
  const middle = (min + max) / 2;
  const half = Math.max(max - min, LEAST_RANGE) / 2;
  const snap = (value, round) => round(value / STEP) * STEP;
  return { min: snap(middle - half * 1.05, Math.floor), max: snap(middle + half * 1.05, Math.ceil) };
}

// The stretches, in pixels, over which nothing came or there was no evidence.
function silences(chart, series, first, last, nulls) {
  const times = chart.data[0];
  const found = nulls.map((gap) => [...gap]);
  for (let i = first + 1; i <= last; i++) {
    if (times[i] - times[i - 1] > SILENCE_S) {
      found.push([chart.valToPos(times[i - 1], 'x', true), chart.valToPos(times[i], 'x', true)]);
    }
  }
  return found.sort((a, b) => a[0] - b[0]);
}
