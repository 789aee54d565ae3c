// One pool: its figures, its queue and its backends.

import { List, attr, el, fill, role, show, text } from './dom.js';
import { brief, count, millis, num, plural, rate, span, words } from './format.js';
import { Spark } from './spark.js';
import { Backend, columns } from './backend.js';
import { Explain } from './explain.js';

const blocks = 24; // of those who wait, one each; more are counted
const many = 8;    // backends; more get a filter

function figure(label, ...values) {
  return el('div', 'figure', el('dt', '', label), el('dd', '', ...values));
}

export class Pool {
  // act(pool, backend, verb) drains or undrains, and returns a promise.
  constructor(act) {
    this.name = el('h2');
    this.summary = el('span', 'soft');
    this.flying = el('span');
    this.slots = el('small');
    this.flyBar = el('span', 'bar');
    this.rate = el('span');
    this.spark = new Spark(null, 'decisions per second over the last minute');
    this.wait = el('span');
    this.queue = new Queue();
    this.refused = new List(el('span', 'chips'), () => new Chip());
    this.none = el('span', 'soft', 'none');
    this.rows = el('div', 'rows');
    role(this.rows, 'rowgroup');
    this.backends = new List(this.rows, () => new Backend((b, verb) => act(this.last.name, b.address, verb)));
    this.filter = new Filter(() => this.list());
    this.empty = el('div', 'empty', el('p', '', 'This pool has no backends, so its requests are refused. '
      + 'List some in the config under its backends:, or start an agent beside one:'), this.command = el('code'));
    this.table = this.makeTable();
    this.explain = new Explain();
    this.node = this.layout();
  }

  layout() {
    const wait = figure('mean wait', this.wait);
    wait.classList.add('wait');
    const figures = el('dl', 'figures',
      figure('in flight', this.flying, this.slots, this.flyBar),
      figure('decisions/s', this.rate, this.spark.node),
      wait,
      this.queue.node,
      figure('refused', this.none, this.refused.parent));
    figures.lastElementChild.classList.add('refused');
    return el('article', 'card pool',
      el('header', 'head', this.name, this.summary, this.filter.node),
      figures, this.table, this.empty, this.explain.node);
  }

  makeTable() {
    const head = role(el('div', 'row heads'), 'row');
    for (const [kind, label] of columns) head.append(role(el('div', `cell ${kind}`, label), 'columnheader'));
    head.lastElementChild.setAttribute('aria-label', 'action');
    return role(el('div', 'table', role(el('div', 'headgroup', head), 'rowgroup'), this.rows), 'table');
  }

  update({ pool, at }) {
    this.last = pool;
    this.at = at;
    text(this.name, pool.name);
    attr(this.table, 'aria-label', `backends of ${pool.name}`);
    text(this.summary, [summarize(pool.backends), ...manner(pool)].join(' · '));
    text(this.flying, count(pool.inFlight));
    text(this.slots, ` / ${plural(pool.slots, 'slot', 'slots')}`);
    fill(this.flyBar, pool.slots ? pool.inFlight / pool.slots : 0);
    text(this.rate, rate(pool.decisionsPerSecond));
    this.spark.add(at, num(pool.decisionsPerSecond));
    text(this.wait, millis(pool.waitMs));
    this.queue.update(pool);
    const refused = Object.entries(pool.refused).filter(([, n]) => num(n) > 0).sort();
    this.refused.update(refused, ([reason]) => reason);
    show(this.none, refused.length === 0);
    show(this.table, pool.backends.length > 0);
    show(this.empty, pool.backends.length === 0);
    text(this.command, `fairlead agent --controller HOST:7400 --pool ${pool.name} --address HOST:PORT`);
    attr(this.table, 'data-many', pool.backends.length > many ? '' : null);
    this.filter.offer(pool.backends.length > many);
    this.list();
    this.explain.update(pool);
  }

  // list shows the backends that the filter lets through.
  list() {
    const wanted = this.last.backends.filter((b) => this.filter.lets(b));
    this.backends.update(wanted.map((backend) => ({ backend, at: this.at })), ({ backend }) => backend.address);
  }
}

// manner says what is not as in most pools.
function manner(pool) {
  return [
    num(pool.workers) > 0 && `${plural(pool.workers, 'worker', 'workers')} a backend`,
    pool.link === 'direct' && 'direct links',
    pool.assign && pool.assign !== 'none' && `assign: ${pool.assign}`,
    pool.byProxies ? 'proxies decide' : pool.decide === 'proxy' && 'the controller decides for now',
    pool.decide === 'auto' && 'decide: auto',
    pool.prefer && pool.prefer !== 'none' && `prefer: ${pool.prefer}`,
  ].filter(Boolean);
}

// summarize counts backends by state.
function summarize(backends) {
  const states = new Map();
  for (const b of backends) states.set(b.state, (states.get(b.state) || 0) + 1);
  const parts = [...states].map(([state, n]) => `${n} ${state || 'unknown'}`);
  return `${plural(backends.length, 'backend', 'backends')}${parts.length ? `: ${parts.join(', ')}` : ''}`;
}

// Queue is who waits: a number of a limit, a bar, and a block for each of the first.
class Queue {
  constructor() {
    this.waiting = el('span');
    this.limit = el('small');
    this.bar = el('span', 'bar');
    this.blocks = el('span', 'blocks');
    this.blocks.setAttribute('aria-hidden', 'true');
    for (let i = 0; i < blocks; i++) this.blocks.append(el('i'));
    this.more = el('small');
    this.classes = el('small', 'classes');
    this.oldest = el('small', 'oldest');
    this.node = el('div', 'figure queue', el('dt', '', 'queue'),
      el('dd', '', this.waiting, this.limit, this.oldest, this.bar, el('span', 'line', this.blocks, this.more), this.classes));
  }

  update(pool) {
    const { queue, queueLimit } = pool;
    text(this.waiting, count(queue));
    text(this.limit, ` / ${count(queueLimit)} waiting`);
    text(this.oldest, queue ? `oldest ${millis(pool.oldestWaitMs)} of ${span(pool.queueTimeoutMs)}` : '');
    const share = queueLimit ? queue / queueLimit : 0;
    fill(this.bar, share);
    attr(this.bar, 'data-kind', share >= 0.9 ? 'bad' : share >= 0.5 ? 'warn' : null);
    let n = 0;
    for (const block of this.blocks.children) {
      const kind = n++ < queue ? 'on' : '';
      if (block.className !== kind) block.className = kind;
    }
    text(this.more, queue > blocks ? `+${brief(queue - blocks)}` : '');
    text(this.classes, byClass(pool.queueByClass));
  }
}

// byClass says how many of each class wait, where a pool has more than one in its queue.
function byClass(waiting) {
  const some = ['critical', 'normal', 'sheddable'].filter((c) => num((waiting || {})[c]) > 0);
  return some.length > 1 || some.length === 1 && some[0] !== 'normal'
    ? some.map((c) => `${count(waiting[c])} ${c}`).join(', ') : '';
}

// Chip is a reason and how often it was one.
class Chip {
  constructor() {
    this.reason = el('span');
    this.count = el('b');
    this.node = el('span', 'chip', this.reason, ' ', this.count);
  }

  update([reason, n]) {
    text(this.reason, words(reason));
    text(this.count, brief(n));
    attr(this.node, 'title', `${count(n)} since the controller started`);
  }
}

// Filter picks among many backends.
class Filter {
  constructor(changed) {
    this.input = el('input');
    this.input.type = 'search';
    this.input.placeholder = 'address, zone or state';
    this.input.setAttribute('aria-label', 'Show backends with this in their address, zone or state');
    this.input.addEventListener('input', changed);
    this.box = el('input');
    this.box.type = 'checkbox';
    this.box.addEventListener('change', changed);
    this.node = el('div', 'filter', el('label', '', this.box, 'only those that take no grants'), this.input);
    this.node.hidden = true;
  }

  offer(wanted) {
    show(this.node, wanted);
  }

  lets(backend) {
    if (this.node.hidden) return true;
    if (this.box.checked && backend.eligible) return false;
    const wanted = this.input.value.trim().toLowerCase();
    return `${backend.address} ${backend.zone} ${backend.state}`.toLowerCase().includes(wanted);
  }
}
