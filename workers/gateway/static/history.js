// The last ten minutes of each source, as columns that the charts can draw.

export const MODALITIES = ['fused', 'face', 'voice', 'text'];
const KEPT_S = 600;
const SLACK_S = 60; // old rows go many at a time

export class SourceHistory {
  constructor(name) {
    this.name = name;
    this.times = []; // seconds, wall time
    this.messages = [];
    this.columns = new Map(); // emotion → { fused, face, voice, text }: distances, null where there is none
    this.words = new Map(); // utterance → message
    this.face = null;
    this.missed = 0;
    this.wallOffsetMs = 0; // what to add to the capture clock
  }

  get newest() {
    return this.messages.at(-1);
  }

  get names() {
    return this.at(Infinity)?.emotions.map((emotion) => emotion.name) ?? [];
  }

  add(message) {
    const newest = this.newest;
    if (newest && message.time_ns <= newest.time_ns && message.wall_time <= newest.wall_time) return;
    if (newest && message.seq > newest.seq + 1) this.missed += message.seq - newest.seq - 1;
    const wall = Date.parse(message.wall_time);
    this.wallOffsetMs = wall - message.time_ns / 1e6;
    this.times.push(wall / 1000);
    this.messages.push(message);
    for (const emotion of message.emotions) {
      if (!this.columns.has(emotion.name)) {
        const empty = () => new Array(this.times.length - 1).fill(null);
        this.columns.set(emotion.name, Object.fromEntries(MODALITIES.map((name) => [name, empty()])));
      }
    }
    const scores = new Map(message.emotions.map((emotion) => [emotion.name, emotion]));
    for (const [name, columns] of this.columns) {
      const score = scores.get(name);
      columns.fused.push(score ? score.distance : null);
      for (const modality of MODALITIES.slice(1)) columns[modality].push(score?.by_modality[modality] ?? null);
    }
    this.#forget();
  }

  addWords(message) {
    this.words.delete(message.utterance);
    if (message.words.length) this.words.set(message.utterance, message);
  }

  // The newest message at or before a wall time in seconds; with scores if there is one in the last second.
  at(time) {
    let index = Math.min(this.indexAfter(time), this.times.length) - 1;
    return this.messages[index];
  }

  indexAfter(time) {
    let low = 0;
    let high = this.times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  wall(timeNs) {
    return timeNs / 1e6 + this.wallOffsetMs;
  }

  #forget() {
    const end = this.times.at(-1);
    if (this.times[0] > end - KEPT_S - SLACK_S) return;
    const count = this.indexAfter(end - KEPT_S);
    this.times.splice(0, count);
    this.messages.splice(0, count);
    for (const [name, columns] of this.columns) {
      for (const modality of MODALITIES) columns[modality].splice(0, count);
      if (columns.fused.every((value) => value === null)) this.columns.delete(name);
    }
    for (const [utterance, message] of this.words) {
      if (this.wall(message.words.at(-1).end_ns) / 1000 < end - KEPT_S) this.words.delete(utterance);
    }
  }
}
