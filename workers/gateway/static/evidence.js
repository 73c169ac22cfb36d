// What face, voice and words gave to the window: how much of it, how old, and why not.

import { age, find, make, percent, write } from './dom.js';

const NAMES = { face: 'Face', voice: 'Voice', text: 'Words' };

export class EvidenceTable {
  constructor() {
    this.rows = new Map();
    for (const [modality, name] of Object.entries(NAMES)) {
      const covered = make('td', { text: '–' });
      const old = make('td', { text: '–' });
      const why = make('td', { colSpan: 3 });
      const main = make('tr', { className: 'off' },
        make('th', { scope: 'row' }, make('span', { className: 'mark', ariaHidden: 'true' }), name), covered, old);
      const remark = make('tr', { className: 'why' }, why);
      find('#evidence tbody').append(main, remark);
      this.rows.set(modality, { main, covered, old, remark, why });
    }
  }

  draw(message) {
    for (const [modality, row] of this.rows) {
      const item = message?.evidence[modality];
      row.main.classList.toggle('off', !item?.used);
      write(row.covered, item ? percent(item.coverage) : '–');
      write(row.old, item ? age(item.age_ms) : '–');
      const remarks = item ? remarksOn(item, message.baseline?.[modality], modality) : [];
      write(row.why, remarks.join('; '));
      row.remark.hidden = !remarks.length;
    }
  }
}

function remarksOn(item, baseline, modality) {
  const remarks = [];
  if (!item.used) remarks.push(`Not used: ${item.why}`);
  if (item.used && item.pending_ms) remarks.push(`${age(item.pending_ms)} still being worked on`);
  if (item.dropped) remarks.push(`${item.dropped} of the window never looked at`);
  if (item.used && baseline?.state === 'learning') {
    remarks.push(`learning your neutral ${modality}: ${Math.ceil(baseline.seconds_left)} s left`);
  } else if (item.used && baseline) {
    remarks.push(`less your neutral ${modality}, ${baseline.calibrated ? 'calibrated' : 'learned'}`);
  }
  return remarks;
}
