// Small helpers to build and reuse elements; text goes in as text, never as markup.

export const find = (selector) => document.querySelector(selector);

export function make(tag, { text, className, attributes = {}, data = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  Object.assign(element.dataset, data);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}

// Writes only what differs, so that nothing is read out or laid out again for the same text.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const percent = (share) => `${Math.round(share * 100)} %`;

export function age(ms) {
  if (ms === undefined || ms === null) return '–';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export const clock = (ms) => new Date(ms).toLocaleTimeString('en-GB');
