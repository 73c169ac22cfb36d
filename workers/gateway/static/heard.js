// The words as they come, each utterance with its time; those of the window on show stand out.

import { clock, find, make, percent, write } from './dom.js';

const MOST = 60;

export class Heard {
  constructor() {
    this.list = find('#heard ol');
    this.none = find('#heard-none');
    this.key = '';
  }

  draw(source, message, end, published) {
    if (!message) return; // what ties the words to the clock has not come yet
    const utterances = [...source.words.values()]
      .filter((each) => source.wall(each.words[0].start_ns) / 1000 <= end)
      .slice(-MOST);
    write(this.none, utterances.length ? '' : nothing(message, published));
    const since = message?.window.start_ns ?? 0;
    const key = utterances.map((each) => `${each.utterance}:${each.seq}`).join() + Math.floor(since / 5e8);
    if (key === this.key) return;
    this.key = key;
    this.list.replaceChildren(...utterances.map((each) => line(source, each, since)));
    this.list.scrollTop = this.list.scrollHeight;
  }
}

function line(source, utterance, since) {
  const start = source.wall(utterance.words[0].start_ns);
  const words = utterance.words.flatMap((word) => {
    const element = make('span', { text: word.text, className: word.end_ns < since ? 'past' : '' });
    element.title = `${clock(source.wall(word.start_ns))}, ${percent(word.confidence)} sure`;
    return [element, ' '];
  });
  return make('li', { className: utterance.final ? '' : 'open' },
    make('time', { text: clock(start), dateTime: new Date(start).toISOString() }), make('p', {}, ...words));
}

function nothing(message, published) {
  if (published) return 'Nothing said yet';
  return message?.evidence.text?.used
    ? 'Words count, but are not shown: stream.publish_transcript is off'
    : 'Words are not shown: stream.publish_transcript is off';
}
