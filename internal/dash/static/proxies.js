// The proxies, as a table.

import { List, attr, el, role, show, text } from './dom.js';
import { brief, count, num, percent, plural, rate, span } from './format.js';

const columns = [
  ['name', 'proxy'], ['state', 'session'], ['listens', 'listeners'], ['num', 'connections'],
  ['num', 'waiting'], ['num', 'in flight'], ['num', 'asks/s'], ['num', 'CPU'],
];

function cell(column, ...children) {
  const [kind, label] = columns[column];
  const node = role(el('div', `cell ${kind}`, ...children), 'cell');
  node.dataset.label = label;
  return node;
}

export class Proxies {
  constructor(node) {
    this.summary = el('span', 'soft');
    this.rows = role(el('div', 'rows'), 'rowgroup');
    this.list = new List(this.rows, () => new Row());
    const head = role(el('div', 'row heads'), 'row');
    for (const [kind, label] of columns) head.append(role(el('div', `cell ${kind}`, label), 'columnheader'));
    this.table = role(el('div', 'table proxies', role(el('div', 'headgroup', head), 'rowgroup'), this.rows), 'table');
    this.table.setAttribute('aria-label', 'proxies');
    this.empty = el('div', 'empty',
      el('p', '', 'No proxy has joined, so no traffic flows. Start one:'),
      el('code', '', 'fairlead proxy --controller HOST:7400'));
    node.append(el('header', 'head', el('h2', '', 'Proxies'), this.summary), this.table, this.empty);
    this.node = node;
  }

  update(proxies) {
    const joined = proxies.filter((p) => p.connected).length;
    text(this.summary, proxies.length ? `${joined} of ${plural(proxies.length, 'proxy', 'proxies')} connected` : '');
    show(this.table, proxies.length > 0);
    show(this.empty, proxies.length === 0);
    this.list.update(proxies, (p) => `${p.name} ${p.instance}`);
    show(this.node, true);
  }
}

class Row {
  constructor() {
    this.name = el('b', 'address');
    this.place = el('small');
    this.pill = el('span', 'pill');
    this.since = el('small');
    this.listeners = new List(el('span', 'listeners'), () => new Listener());
    this.none = el('span', 'soft', '–');
    this.values = Array.from({ length: 5 }, () => el('span'));
    this.most = el('small');
    this.node = role(el('div', 'row', cell(0, this.name, this.place), cell(1, this.pill, this.since),
      cell(2, this.listeners.parent, this.none), ...this.values.map((v, i) => cell(3 + i, v))), 'row');
    this.values[0].after(this.most);
  }

  update(p) {
    const status = p.status || { listeners: [] };
    text(this.name, p.name);
    attr(this.name, 'title', [p.software, p.address, p.instance].filter(Boolean).join(' · '));
    text(this.place, [p.zone && `zone ${p.zone}`, p.address].filter(Boolean).join(' · '));
    const [kind, glyph, word] = !p.connected ? ['bad', '✕', 'lost']
      : status.draining ? ['warn', '◐', 'draining'] : ['ok', '●', 'connected'];
    attr(this.pill, 'data-kind', kind);
    attr(this.pill, 'data-glyph', glyph);
    text(this.pill, word);
    text(this.since, p.connected ? `for ${span(p.connectedMs)}${choice(p)}` : 'its slots stay taken for the grace');
    attr(this.since, 'title', p.whyNot || null);
    attr(this.node, 'data-out', p.connected ? null : '');
    this.listeners.update(status.listeners, (l) => l.name);
    show(this.none, status.listeners.length === 0);
    const cpu = num(status.cpu);
    const most = num(status.maxConnections);
    text(this.most, p.connected && most ? `of ${brief(most)}` : '');
    attr(this.most, 'title', most ? `at most ${count(most)}` : null);
    [count(status.connections), count(status.waiting), count(status.inFlight), rate(p.asksPerSecond), percent(cpu)]
      .forEach((value, i) => text(this.values[i], p.connected ? value : '–'));
  }
}

// choice says how the proxy stands when one is chosen for a client.
function choice(p) {
  if (num(p.load)) return `, load ${num(p.load).toFixed(1)}`;
  return p.whyNot ? `; no clients are led here: ${p.whyNot}` : '';
}

class Listener {
  constructor() {
    this.name = el('span');
    this.place = el('span', 'place');
    this.node = el('span', 'listener', this.name, ' ', this.place);
  }

  update(l) {
    text(this.name, l.name);
    text(this.place, l.error ? `✕ ${l.error}` : l.address || 'not bound');
    attr(this.node, 'data-kind', l.error ? 'bad' : null);
    attr(this.node, 'title', l.error || l.address);
  }
}
