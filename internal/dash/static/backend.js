// One backend: a row of its pool's table.

import { attr, el, fill, role, show, text } from './dom.js';
import { Rate, brief, count, millis, num, percent, rate, span } from './format.js';
import { Slots } from './slots.js';

// How each state looks; its glyph and its word tell it without colour.
const states = {
  up: ['ok', '●'],
  draining: ['warn', '◐'],
  drained: ['idle', '○'],
  leaving: ['warn', '◌'],
  down: ['bad', '✕'],
  unknown: ['idle', '?'],
};

const old = 5000; // ms; a report older than this is marked

export const columns = [
  ['name', 'backend'], ['state', 'state'], ['fly', 'slots'], ['num', 'latency'], ['load', 'CPU'],
  ['load', 'memory'], ['num', 'others'], ['num', 'grants'], ['num', 'errors'], ['act', ''],
];

// cell makes a table cell that carries its column's name, for the narrow layout.
function cell(column, ...children) {
  const [kind, label] = columns[column];
  const node = role(el('div', `cell ${kind}`, ...children), 'cell');
  if (label) node.dataset.label = label;
  return node;
}

export class Backend {
  // act(backend, verb) drains or undrains, and returns a promise.
  constructor(act) {
    this.act = act;
    this.address = el('b', 'address');
    this.place = el('small');
    this.told = el('small', 'told');
    this.pill = el('span', 'pill');
    this.why = el('small', 'why');
    this.slots = new Slots();
    this.used = el('span', 'used');
    this.used.setAttribute('aria-hidden', 'true');
    this.latency = el('span');
    this.cpu = new Load();
    this.memory = new Load();
    this.foreign = el('span');
    this.grants = el('span');
    this.pace = el('small');
    this.errors = el('span');
    this.button = el('button', 'quiet');
    this.button.type = 'button';
    this.button.addEventListener('click', () => this.click());
    this.rate = new Rate();
    this.node = role(el('div', 'row',
      cell(0, this.address, this.place, this.told), cell(1, this.pill, this.why), cell(2, this.used, this.slots.node),
      cell(3, this.latency), cell(4, ...this.cpu.nodes), cell(5, ...this.memory.nodes), cell(6, this.foreign),
      cell(7, this.grants, this.pace), cell(8, this.errors), cell(9, this.button)), 'row');
  }

  update({ backend, at }) {
    this.last = backend;
    text(this.address, backend.address);
    attr(this.address, 'title', backend.address);
    text(this.place, [
      backend.zone && `zone ${backend.zone}`,
      backend.hasAgent && 'agent',
      !backend.fromConfig && 'joined by itself',
      backend.public && `clients at ${backend.public}`,
    ].filter(Boolean).join(' · '));
    this.standing(backend);
    this.slots.update(backend);
    text(this.used, `${backend.inFlight}/${backend.slots}`);
    text(this.latency, num(backend.latencyMs) > 0 ? millis(backend.latencyMs) : '–');
    this.report(backend);
    text(this.foreign, num(backend.foreign) >= 0.05 ? num(backend.foreign).toFixed(1) : '–');
    text(this.grants, brief(backend.grants));
    attr(this.grants, 'title', count(backend.grants));
    text(this.pace, `${rate(this.rate.next(at, num(backend.grants)))}/s`);
    text(this.told, num(backend.assigned)
      ? `${brief(backend.assigned)} assigned, ${brief(backend.rejected)} rejected, ${brief(backend.unanswered)} unanswered` : '');
    text(this.errors, num(backend.errors) ? brief(backend.errors) : '–');
    attr(this.errors, 'data-kind', num(backend.errors) ? 'bad' : null);
    this.label();
  }

  standing(backend) {
    const [kind, glyph] = states[backend.state] || states.unknown;
    attr(this.pill, 'data-kind', kind);
    attr(this.pill, 'data-glyph', glyph);
    text(this.pill, backend.state || 'unknown');
    text(this.why, backend.eligible ? '' : backend.why);
    attr(this.why, 'title', backend.eligible ? null : backend.why);
    attr(this.node, 'data-out', backend.eligible ? null : '');
  }

  report(backend) {
    const age = num(backend.reportAgeMs);
    const report = backend.report;
    const words = report ? `reported ${millis(age)} ago` : 'no report';
    this.cpu.update(report && report.cpuUtilization, age, words);
    this.memory.update(report && report.memUtilization, age, words);
    text(this.cpu.age, report ? `${age < 1000 ? '<1 s' : span(age)} ago` : '');
  }

  // label says on the button what it does.
  label() {
    const drained = this.last.state === 'draining' || this.last.state === 'drained';
    this.verb = drained ? 'undrain' : 'drain';
    const word = drained ? 'Undrain' : 'Drain';
    text(this.button, word);
    attr(this.button, 'aria-label', `${word} ${this.last.address}`);
    const off = this.busy || this.last.state === 'leaving';
    if (this.button.disabled !== off) this.button.disabled = off;
  }

  async click() {
    this.busy = true;
    this.label();
    await this.act(this.last, this.verb);
    this.busy = false;
    this.label();
    const focus = document.activeElement; // the button lost it while it was off
    if (focus === document.body || focus.closest('dialog')) this.button.focus();
  }
}

// Load is a share of something as a small bar, a number, and how old it is.
class Load {
  constructor() {
    this.bar = el('span', 'bar thin');
    this.bar.setAttribute('aria-hidden', 'true');
    this.value = el('span', 'value');
    this.age = el('small', 'age');
    this.nodes = [this.value, this.bar, this.age];
  }

  update(share, age, words) {
    const known = share !== null && share !== undefined;
    const n = num(share);
    show(this.bar, known);
    fill(this.bar, n);
    attr(this.bar, 'data-kind', age > old ? 'idle' : n >= 0.9 ? 'bad' : n >= 0.75 ? 'warn' : null);
    text(this.value, known ? percent(n) : '–');
    attr(this.value, 'title', words);
    attr(this.age, 'data-kind', age > old ? 'warn' : null);
  }
}
