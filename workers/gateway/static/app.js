// The page: takes what the gateway sends, keeps what is looked at, and draws it.

import { Charts } from './charts.js';
import { themeChanged } from './colours.js';
import { ask, listen } from './connection.js';
import { clock, find, make, write } from './dom.js';
import { EvidenceTable } from './evidence.js';
import { FaceDrawing } from './face.js';
import { Heard } from './heard.js';
import { Health } from './health.js';
import { SourceHistory } from './history.js';
import { Now } from './now.js';
import { VocabularyForm } from './vocabulary.js';

const STEP_S = 5;
const sources = new Map();
let chosen = null;
let published = false;
let pausedAt = null; // wall time in seconds; null while live
let drawAsked = false;

const charts = new Charts(find('#panels'));
const health = new Health();
const evidence = new EvidenceTable();
const face = new FaceDrawing();
const heard = new Heard();
const vocabulary = new VocabularyForm({
  onChange: () => {
    restyle();
    draw();
  },
});
const now = new Now({
  onFocus: (name) => {
    charts.focus(name);
    now.focus(charts.focused);
    draw();
  },
  onRemove: (name) => vocabulary.remove(name),
});

// -- what comes -------------------------------------------------------------------------------------

function source(name) {
  if (!sources.has(name)) {
    sources.set(name, new SourceHistory(name));
    chosen ??= name;
    drawSources();
  }
  return sources.get(name);
}

let waiting = null; // what comes while older scores are fetched

async function catchUp() {
  waiting = [];
  const newest = Math.max(-1, ...[...sources.values()].map((each) => each.newest?.time_ns ?? -1));
  const path = `api/scores${newest < 0 ? '' : `?since=${newest}`}`;
  const { scores } = await ask(path).catch(() => ({ scores: [] })); // then the page begins with what comes
  for (const message of [...scores, ...waiting]) source(message.source).add(message);
  waiting = null;
  draw();
}

function take(kind, message) {
  if (kind === 'emotion' && waiting) {
    waiting.push(message);
  } else if (kind === 'emotion') {
    const version = source(message.source).newest?.vocabulary;
    source(message.source).add(message);
    if (message.vocabulary !== version && message.vocabulary !== vocabulary.current?.version) vocabulary.load();
  } else if (kind === 'transcript') {
    source(message.source).addWords(message);
  } else if (kind === 'face') {
    if (pausedAt === null) source(message.source).face = message;
  } else {
    health.take(message);
    for (const each of message.sources) source(each.source);
    drawSources();
  }
  draw();
}

// -- what is shown ----------------------------------------------------------------------------------

function draw() {
  if (drawAsked) return;
  drawAsked = true;
  requestAnimationFrame(() => {
    drawAsked = false;
    drawNow();
  });
}

function drawNow() {
  health.draw([...sources.values()], [...sources.values()].reduce((sum, each) => sum + each.missed, 0));
  const shown = sources.get(chosen);
  if (!shown) return now.draw(undefined, []);
  const live = shown.times.at(-1) ?? Date.now() / 1000;
  const end = pausedAt ?? live;
  const message = shown.at(end);
  now.draw(message, shown.names);
  evidence.draw(message);
  charts.draw(shown, end, Number(find('#span').value));
  face.draw(shown.face, pausedAt === null ? shown.newest?.time_ns : null);
  heard.draw(shown, message, end, published);
  write(find('#moment'), pausedAt === null ? 'live' : `${clock(end * 1000)}, ${Math.round(live - end)} s ago`);
}

function drawSources() {
  const group = find('#sources');
  const names = [...sources.keys()];
  if (group.dataset.names !== names.join()) {
    group.dataset.names = names.join();
    group.replaceChildren(...names.map((name) => (names.length === 1 ? make('span', { className: 'lone', text: name })
      : make('button', { type: 'button', onclick: () => choose(name) }, make('span', { text: name }), make('span', { className: 'word' })))));
  }
  if (names.length === 1) return;
  names.forEach((name, index) => {
    const button = group.children[index];
    button.ariaPressed = String(name === chosen);
    const state = health.message?.sources.find((each) => each.source === name)?.state;
    const emotions = sources.get(name).newest?.emotions ?? [];
    const top = emotions.length ? emotions.reduce((best, each) => (each.smoothed > best.smoothed ? each : best)).name : '';
    write(button.lastChild, state === 'running' ? top : (state ?? ''));
  });
}

function choose(name) {
  chosen = name;
  restyle();
  drawSources();
  draw();
}

function restyle() {
  charts.restyle();
  now.restyle();
  heard.key = '';
}

// -- time -------------------------------------------------------------------------------------------

function pauseAt(time) {
  const shown = sources.get(chosen);
  const live = shown?.times.at(-1) ?? Date.now() / 1000;
  const earliest = shown?.times[0] ?? live;
  pausedAt = time === null || time > live + 0.5 ? null : Math.max(earliest, time);
  find('#pause').ariaPressed = String(pausedAt !== null);
  write(find('#pause'), pausedAt === null ? 'Pause' : 'Go live');
  find('#back').value = pausedAt === null ? 0 : Math.round(pausedAt - live);
  draw();
}

function step(seconds) {
  const live = sources.get(chosen)?.times.at(-1) ?? Date.now() / 1000;
  pauseAt((pausedAt ?? live) + seconds);
}

find('#pause').onclick = () => pauseAt(pausedAt === null ? sources.get(chosen)?.times.at(-1) ?? null : null);
find('#back').oninput = (event) => {
  const live = sources.get(chosen)?.times.at(-1) ?? Date.now() / 1000;
  const back = Number(event.target.value);
  pauseAt(back === 0 ? null : live + back);
};
find('#span').onchange = () => {
  charts.restyle();
  draw();
};
for (const button of document.querySelectorAll('#modalities button')) {
  button.onclick = () => {
    const on = button.ariaPressed !== 'true';
    if (!on && charts.shown.size === 1) return; // one stays
    button.ariaPressed = String(on);
    charts.show(button.dataset.modality, on);
    draw();
  };
}
document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target !== document.body) return;
  const keys = {
    ' ': () => find('#pause').click(),
    ArrowLeft: () => step(-STEP_S),
    ArrowRight: () => step(STEP_S),
    End: () => pauseAt(null),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

// -- dark and light ---------------------------------------------------------------------------------

const dark = matchMedia('(prefers-color-scheme: dark)');

function useTheme(theme) {
  if (theme) localStorage.setItem('theme', theme);
  const used = localStorage.getItem('theme') ?? (dark.matches ? 'dark' : 'light');
  document.documentElement.dataset.theme = used;
  write(find('#theme'), used === 'dark' ? 'Light' : 'Dark');
  find('#theme').ariaLabel = used === 'dark' ? 'Use light colours' : 'Use dark colours';
  themeChanged();
  restyle();
  draw();
}

find('#theme').onclick = () => useTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
dark.onchange = () => useTheme();
useTheme();

// -- go ---------------------------------------------------------------------------------------------

listen({
  onOpen: async () => {
    health.begin();
    const told = ask('api/config').then((config) => {
      published = config.stream.publish_transcript;
    });
    await Promise.allSettled([catchUp(), told, vocabulary.load()]);
  },
  onMessage: take,
  onLost: () => {
    health.lose();
    draw();
  },
});
setInterval(draw, 1000);
