// Why the next request of a pool would go where it would go.

import { List, el, show, text } from './dom.js';
import { millis, num, span, words } from './format.js';

const every = 2000; // ms between questions while open
const parts = ['speed', 'fill', 'foreign', 'utilization', 'errors', 'zone'];
const shown = 10;   // candidates
const latest = 6;   // past decisions

export class Explain {
  constructor() {
    this.verdict = el('p', 'verdict');
    this.candidates = new List(el('tbody'), () => new Line(3 + parts.length));
    this.decisions = new List(el('ul', 'decisions'), () => new Item());
    const head = el('tr');
    for (const name of ['backend', 'slots', 'score', ...parts]) head.append(el('th', '', name));
    this.zone = el('input');
    this.zone.type = 'text';
    this.zone.placeholder = 'zone';
    this.zone.addEventListener('change', () => this.ask());
    this.from = el('label', 'filter', 'for a request from', this.zone);
    this.table = el('div', 'scroll', el('table', '', el('thead', '', head), this.candidates.parent));
    this.past = el('h3', '', 'latest decisions');
    this.node = el('details', 'explain', el('summary', '', 'Where would the next request go, and why?'),
      this.from, this.verdict, this.table, this.past, this.decisions.parent);
    this.node.addEventListener('toggle', () => this.ask());
    this.asked = 0;
  }

  // update is called with each snapshot, and asks when it is time.
  update(pool) {
    this.pool = pool.name;
    show(this.from, pool.prefer === 'zone');
    if (this.node.open && performance.now() - this.asked >= every) this.ask();
  }

  async ask() {
    if (!this.node.open || this.asking) return;
    this.asking = true;
    this.asked = performance.now();
    try {
      const answer = await fetch(`api/v1/explain?${new URLSearchParams({ pool: this.pool, last: latest, zone: this.zone.value.trim() })}`);
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.error);
      this.draw(body);
    } catch (error) {
      text(this.verdict, `No explanation: ${error.message}`);
    } finally {
      this.asking = false;
    }
  }

  draw(e) {
    text(this.verdict, e.verdict);
    this.candidates.update(e.candidates.slice(0, shown), (c) => c.backend);
    show(this.table, e.candidates.length > 0);
    this.decisions.update(e.last, (d) => `${d.proxy} ${d.ask}`);
    show(this.past, e.last.length > 0);
  }
}

// Line is a candidate: the parts of its score, or why it is none.
class Line {
  constructor(width) {
    this.cells = Array.from({ length: width }, () => el('td'));
    this.why = el('small');
    this.node = el('tr', '', ...this.cells);
  }

  update(c) {
    const [backend, slots, score, ...rest] = this.cells;
    if (!backend.firstChild) backend.append(el('span'), this.why);
    text(backend.firstChild, c.backend);
    text(this.why, [c.inZone && `zone ${c.inZone}`, c.whyNot].filter(Boolean).join(': '));
    text(slots, `${c.inFlight}/${c.slots}`);
    text(score, num(c.score).toFixed(2));
    rest.forEach((cell, i) => text(cell, num(c[parts[i]]).toFixed(2)));
    this.node.className = c.eligible ? '' : 'out';
  }
}

// Item is one past decision, as a sentence.
class Item {
  constructor() {
    this.node = el('li');
  }

  update(d) {
    const waited = num(d.waitedUs) ? `after ${millis(num(d.waitedUs) / 1000)} in the queue` : 'at once';
    const how = d.backend
      ? `${d.backend}, ${waited}, score ${num(d.score).toFixed(2)}, ${d.free} free${d.zone ? `, for zone ${d.zone}` : ''}${num(d.zoneCost) ? `, which cost ${num(d.zoneCost).toFixed(2)}` : ''}`
      : `refused, ${words(d.reason)}, ${waited}`;
    text(this.node, `${num(d.agoMs) < 1000 ? 'now' : `${span(d.agoMs)} ago`}: ask ${d.ask} of ${d.proxy} → ${how}`);
  }
}
