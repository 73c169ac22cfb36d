// What is nearest, in letters to be read across a room, and a bar for every emotion.

import { colourOf } from './colours.js';
import { find, make, percent, write } from './dom.js';

const MODALITY_NAMES = { face: 'face', voice: 'voice', text: 'words' };
const LONG = 9;
const PROBABLE = 0.5;

export class Now {
  constructor({ onFocus, onRemove }) {
    this.onFocus = onFocus;
    this.onRemove = onRemove;
    this.body = find('#bars tbody');
    this.rows = new Map();
    this.focused = null;
  }

  restyle() {
    this.rows.clear();
    this.body.replaceChildren();
  }

  focus(name) {
    this.focused = name;
    for (const [each, { button }] of this.rows) button.ariaPressed = String(each === name);
  }

  draw(message, names) {
    this.#hero(message);
    if (names.join('\n') !== [...this.rows.keys()].join('\n')) this.#build(names);
    const scores = new Map((message?.emotions ?? []).map((emotion) => [emotion.name, emotion]));
    for (const [name, row] of this.rows) {
      const score = scores.get(name);
      row.fill.style.width = percent(score?.smoothed ?? 0).replace(' ', '');
      write(row.probable, score ? percent(score.smoothed) : '–');
      write(row.distance, score ? score.distance.toFixed(2) : '–');
      row.element.classList.toggle('strong', (score?.smoothed ?? 0) >= 0.5);
      const before = score?.uncorrected?.smoothed;
      row.before.hidden = before === undefined;
      if (before !== undefined) row.before.style.left = `calc(${(before * 100).toFixed(1)}% - 1px)`;
    }
  }

  #hero(message) {
    const nearest = find('#nearest');
    const detail = find('#nearest-detail');
    const emotions = message?.emotions ?? [];
    nearest.classList.toggle('nothing', !emotions.length);
    if (!message) {
      write(nearest, 'Waiting for the first window');
      write(detail, '');
    } else if (!emotions.length) {
      write(nearest, 'Nothing to go by');
      write(detail, reasons(message.evidence));
    } else {
      const top = emotions.reduce((best, each) => (each.smoothed > best.smoothed ? each : best));
      nearest.classList.toggle('long', top.name.length > LONG);
      nearest.classList.toggle('weak', top.smoothed < PROBABLE);
      write(nearest, top.name);
      const used = Object.keys(top.by_modality).map((modality) => MODALITY_NAMES[modality] ?? modality);
      const how = top.smoothed < PROBABLE ? `Nearest, but only ${percent(top.smoothed)} probable` : `${percent(top.smoothed)} probable`;
      write(detail, `${how}; distance ${top.distance.toFixed(2)}, from ${list(used)}`);
    }
  }

  #build(names) {
    this.rows.clear();
    this.body.replaceChildren();
    names.forEach((name, index) => {
      const colour = colourOf(name, index);
      const chip = make('span', { className: 'chip', ariaHidden: 'true' });
      chip.style.background = colour;
      const button = make('button', { type: 'button', ariaPressed: String(name === this.focused) }, chip, name);
      button.title = `Make the curve of ${name} stand out`;
      button.onclick = () => this.onFocus(name);
      const fill = make('span', { className: 'fill' });
      fill.style.background = colour;
      const before = make('span', { className: 'before', hidden: true, title: 'without the personal baseline' });
      const probable = make('td', { text: '–' });
      const distance = make('td', { text: '–', className: 'distance' });
      const remove = make('button', { type: 'button', text: '×', ariaLabel: `Remove ${name}` });
      remove.onclick = () => this.onRemove(name);
      const element = make('tr', {},
        make('th', { scope: 'row' }, button),
        make('td', { className: 'bar' }, make('span', { className: 'track' }, fill, before)),
        probable, distance,
        make('td', { className: 'remove' }, remove));
      this.body.append(element);
      this.rows.set(name, { element, button, fill, before, probable, distance });
    });
  }
}

function reasons(evidence) {
  return Object.entries(evidence)
    .map(([modality, { why }]) => `${MODALITY_NAMES[modality] ?? modality}: ${why}`)
    .join('; ');
}

function list(words) {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
