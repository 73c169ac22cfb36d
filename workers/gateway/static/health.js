// How the daemon does: what is wrong in plain words, the figures at the foot, and the tables behind them.

import { find, make, write } from './dom.js';

const STATES = {
  failed: 'has failed',
  silent: 'does not answer',
  restarting: 'stopped and is being started again',
  lost: 'has lost its device, and looks for it',
};
const STARTING = { loading: 'is loading its models', ready: 'is ready and waits' };
const SLOW = { frame: 'Frames', face: 'Faces' };
const SILENT_MS = 3000;

export class Health {
  constructor() {
    this.message = null;
    this.heardAt = 0;
    this.connected = false;
  }

  // A stream that has just begun has as long to bring the first message as it has for each later one.
  begin() {
    this.connected = true;
    this.heardAt = performance.now();
  }

  lose() {
    this.connected = false;
  }

  take(message) {
    this.message = message;
    this.heardAt = performance.now();
  }

  get answers() {
    return this.connected && performance.now() - this.heardAt < SILENT_MS;
  }

  problems() {
    const problems = [];
    if (!this.connected) problems.push('The connection to emostream is lost; trying again');
    else if (!this.answers) problems.push('No scores come: the inference worker does not answer');
    if (!this.message || !this.answers) return problems;
    for (const worker of this.message.workers) {
      if (!STATES[worker.state]) continue;
      problems.push(`${title(worker)} ${STATES[worker.state]}${worker.detail ? `: ${worker.detail}` : ''}`);
    }
    for (const topic of this.message.topics) {
      const state = this.message.sources.find((each) => each.source === topic.source)?.state;
      const what = SLOW[topic.topic];
      if (what && state === 'running' && topic.alive && topic.rate_hz < topic.expected_hz / 2) {
        problems.push(`${what} of ${topic.source} come slowly: ${topic.rate_hz.toFixed(1)} a second`);
      }
    }
    const { vocabulary_error: error, degraded } = this.message;
    if (error) problems.push(`The vocabulary was not read again: ${error}`);
    if (degraded) problems.push(`Degraded: ${degraded}`);
    return problems;
  }

  draw(sources, missed) {
    this.#state();
    this.#problems();
    if (!this.message) return;
    this.#facts(sources, missed);
    if (find('details').open) this.#tables();
  }

  #state() {
    const state = find('#state');
    if (!this.answers) return write(state, this.connected ? 'No answer' : 'Not connected');
    if (!this.message) return write(state, 'Connected');
    const starting = this.message.workers.find((worker) => STARTING[worker.state] && worker.worker !== 'gateway');
    const ended = this.message.sources.every((source) => source.state === 'ended');
    if (ended) return write(state, 'Its sources have ended');
    return write(state, starting ? `${title(starting)} ${STARTING[starting.state]}` : 'Running');
  }

  #problems() {
    const list = find('#problems');
    const problems = this.problems();
    if (problems.join('\n') === [...list.children].map((each) => each.textContent).join('\n')) return;
    list.replaceChildren(...problems.map((text) => make('li', { text })));
  }

  #facts(sources, missed) {
    const { topics, latency, workers, backend, vocabulary, name } = this.message;
    const rate = (topic) => topics.filter((each) => each.topic === topic).reduce((sum, each) => sum + each.rate_hz, 0);
    const score = latency.find((each) => each.stage === 'score');
    const dropped = topics.reduce((sum, each) => sum + each.dropped, 0);
    const memory = workers.reduce((sum, each) => sum + each.rss_mb, 0);
    const restarts = workers.reduce((sum, each) => sum + each.restarts, 0);
    const windows = sources.reduce((sum, each) => sum + windowsPerSecond(each), 0);
    const facts = [
      ['daemon', name],
      ['windows', `${windows.toFixed(1)} a second`],
      ['frames', `${rate('frame').toFixed(1)} a second`],
      ['faces looked at', `${rate('face').toFixed(1)} a second`],
      ['capture to score', score ? `${score.p50_ms.toFixed(0)} ms, 99 % within ${score.p99_ms.toFixed(0)} ms` : '–'],
      ['dropped', `${dropped}`],
      ['missed here', `${missed}`, missed > 0],
      ['restarts', `${restarts}`, restarts > 0],
      ['memory', `${(memory / 1000).toFixed(1)} GB`],
      ['backend', backend],
      ['vocabulary', vocabulary],
    ];
    const list = find('#facts');
    if (list.children.length !== facts.length) {
      list.replaceChildren(...facts.map(([term]) => make('div', {}, make('dt', { text: term }), make('dd'))));
    }
    facts.forEach(([, value, wrong], index) => {
      write(list.children[index].lastChild, value);
      list.children[index].classList.toggle('wrong', Boolean(wrong));
    });
  }

  #tables() {
    const { workers, topics, latency } = this.message;
    fill('#workers', workers.map((each) => ({
      wrong: Boolean(STATES[each.state]),
      cells: [each.worker, each.source, each.state, each.cpu.toFixed(2), `${each.rss_mb.toFixed(0)} MB`, `${each.restarts}`],
      text: 3,
    })));
    fill('#topics', topics.map((each) => ({
      wrong: !each.alive,
      cells: [each.topic, each.source, each.rate_hz.toFixed(1), `${each.expected_hz}`, `${each.dropped}`],
      text: 2,
    })));
    fill('#stages', latency.map((each) => ({
      cells: [each.stage, each.p50_ms.toFixed(1), each.p99_ms.toFixed(1)],
      text: 1,
    })));
  }
}

function fill(selector, rows) {
  find(`${selector} tbody`).replaceChildren(...rows.map(({ cells, text, wrong }) =>
    make('tr', { className: wrong ? 'wrong' : '' }, ...cells.map((cell, index) => (index === 0
      ? make('th', { text: cell, scope: 'row' })
      : make('td', { text: cell, className: index < text ? '' : 'number' }))))));
}

function title(worker) {
  return worker.source ? `The worker ${worker.worker} of ${worker.source}` : `The worker ${worker.worker}`;
}

function windowsPerSecond(source) {
  const recent = source.times.slice(-20);
  if (recent.length < 2 || Date.now() / 1000 - recent.at(-1) > 3) return 0;
  return (recent.length - 1) / (recent.at(-1) - recent[0]);
}
