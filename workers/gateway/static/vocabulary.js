// The words that are scored: added and taken away while the daemon runs, saved when asked.

import { useVocabulary } from './colours.js';
import { ask, put } from './connection.js';
import { find, make } from './dom.js';

const TYPING_MS = 300;
const CLOSE = 0.6;

export class VocabularyForm {
  constructor({ onChange }) {
    this.onChange = onChange;
    this.current = null;
    this.before = null; // the emotions to which "Undo" returns
    this.input = find('#phrase');
    this.hint = find('#hint');
    find('#add').onsubmit = (event) => {
      event.preventDefault();
      this.add(this.input.value);
    };
    this.input.oninput = () => {
      clearTimeout(this.timer);
      this.#say('');
      this.timer = setTimeout(() => this.#examine(), TYPING_MS);
    };
    find('#edit').onclick = () => this.#edit();
    find('#save').onclick = () => this.#change(this.#emotions(), { save: true });
    find('#undo').onclick = () => this.#change(this.before);
  }

  async load() {
    const vocabulary = await ask('api/vocabulary').catch(() => null); // it is asked for again with the next stream
    if (vocabulary) this.#use(vocabulary);
  }

  add(text) {
    const name = text.trim().replace(/\s+/g, ' ');
    if (!name) return this.#say('Type a word or phrase first', true);
    if (this.current.emotions.some((emotion) => emotion.name === name)) return this.#say(`${name} is there already`, true);
    return this.#change([...this.#emotions(), { name }], { added: name });
  }

  remove(name) {
    const rest = this.#emotions().filter((emotion) => emotion.name !== name);
    if (!rest.length) return this.#say('The last word stays', true);
    return this.#change(rest);
  }

  #emotions() {
    return this.current.emotions.map(({ trained, ...emotion }) => emotion);
  }

  #use(vocabulary) {
    const first = this.current === null;
    this.current = vocabulary;
    if (vocabulary.saved || first) this.before = this.#emotions();
    useVocabulary(vocabulary.emotions);
    find('#add').hidden = !vocabulary.editable;
    find('#unsaved').hidden = vocabulary.saved || !vocabulary.editable;
    find('#unsaved-text').textContent = `Tried out, and gone when the daemon ends. Save goes to ${vocabulary.file}`;
    this.onChange(vocabulary);
  }

  async #change(emotions, { save = false, added = '' } = {}) {
    clearTimeout(this.timer);
    this.#suggest([]);
    try {
      this.#use(await put('api/vocabulary', { emotions, save }));
    } catch (error) {
      this.#say(error.message, true);
      const problem = error.content?.problems?.[0];
      if (problem) this.#suggest(problem.suggestions);
      return;
    }
    if (added) this.input.value = '';
    if (save) this.#say(saved(this.current));
    else this.#say(added ? `${added} is scored from the next window on` : '');
  }

  async #examine() {
    const phrase = this.input.value.trim();
    if (!phrase) return;
    try {
      const word = await ask(`api/word?phrase=${encodeURIComponent(phrase)}`);
      if (phrase !== this.input.value.trim()) return; // typed on meanwhile
      this.#say(word.known ? told(word) : word.message, !word.known);
      this.#suggest(word.known ? [] : word.suggestions);
    } catch (error) {
      this.#say(error.message, true);
    }
  }

  #edit() {
    const on = find('#now').classList.toggle('editing');
    find('#edit').ariaPressed = String(on);
  }

  #say(text, wrong = false) {
    this.hint.textContent = text;
    this.hint.classList.toggle('wrong', wrong);
  }

  #suggest(words) {
    const buttons = words.map((word) => {
      const button = make('button', { type: 'button', text: word });
      button.onclick = () => {
        this.input.value = word;
        this.add(word);
      };
      return button;
    });
    find('#suggestions').replaceChildren(...buttons);
  }
}

function told({ trained, nearest }) {
  const close = nearest.filter((each) => each.cosine > CLOSE).map((each) => each.name);
  const parts = [];
  if (close.length) parts.push(`Close in meaning to ${close.join(' and ')}`);
  if (!trained) parts.push('not among the words it was trained on: compare it with itself over time');
  const text = parts.join('; ');
  return text && text[0].toUpperCase() + text.slice(1);
}

function saved({ file, used_at_start: used }) {
  return file === used ? `Saved to ${file}` : `Saved to ${file}. To start with it, set vocabulary: ${file}`;
}
