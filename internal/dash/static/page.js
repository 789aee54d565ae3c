// The page: keeps a stream of snapshots open while it is seen, and draws each.

import { List, attr, el, show, text } from './dom.js';
import { count, num, plural, rate, span } from './format.js';
import { Pool } from './pool.js';
import { Proxies } from './proxies.js';
import { Spark } from './spark.js';
import { Token, loginByLink, session } from './token.js';

const silence = 5000; // ms without a snapshot, then the connection counts as lost
const again = 2000;   // ms before another try

const at = (id) => document.getElementById(id);
const pools = new List(at('pools'), () => new Pool(act));
const proxies = new Proxies(at('proxies'));
const spark = new Spark(at('spark'));
const token = new Token();
const empty = el('article', 'card empty',
  el('p', '', 'There are no pools yet. Add one to the config file, and Fairlead takes it over:'),
  el('pre', '', 'pools:\n  - name: render\n    slots: 4\n    backends:\n      - {address: "127.0.0.1:9101"}'));

let stream = null;
let opening = false; // finding out whether the stream may be had
let heard = performance.now();
let problem = '';

function draw(s) {
  const now = num(s.takenUnixMs);
  const sum = (of) => s.pools.reduce((total, pool) => total + num(of(pool)), 0);
  const decisions = sum((p) => p.decisionsPerSecond);
  const waiting = sum((p) => p.queue);
  text(at('about'), `${s.software || 'Fairlead'} · term ${s.epoch} · up ${span(s.uptimeMs)}`);
  text(at('rate'), rate(decisions));
  spark.add(now, decisions);
  text(at('flying'), count(sum((p) => p.inFlight)));
  text(at('slots'), ` / ${plural(sum((p) => p.slots), 'slot', 'slots')}`);
  text(at('waiting'), count(waiting));
  text(at('joined'), count(s.proxies.filter((p) => p.connected).length));
  text(at('known'), s.proxies.length ? ` / ${count(s.proxies.length)}` : '');
  pools.update(s.pools.map((pool) => ({ pool, at: now })), ({ pool }) => pool.name);
  if (s.pools.length) empty.remove();
  else if (!empty.isConnected) at('pools').append(empty);
  proxies.update(s.proxies);
  attr(at('main'), 'aria-busy', 'false');
  document.title = waiting ? `Fairlead: ${count(waiting)} waiting` : 'Fairlead';
}

function pill(node, kind, glyph, word) {
  attr(node, 'data-kind', kind);
  attr(node, 'data-glyph', glyph);
  text(node, word);
}

// standing shows whether what the page shows is live.
function standing() {
  const quiet = performance.now() - heard;
  const lost = quiet > silence || !stream || stream.readyState !== EventSource.OPEN;
  if (opening && token.must) pill(at('link'), 'idle', '–', 'logged out');
  else if (problem) pill(at('link'), 'bad', '✕', 'no snapshot');
  else if (!lost) pill(at('link'), 'ok', '●', 'live');
  else pill(at('link'), 'bad', '✕', 'lost');
  document.body.toggleAttribute('data-lost', lost || problem !== '');
  show(at('notice'), (lost && !token.must) || problem !== '');
  if (problem) text(at('notice'), `The controller answers, but tells nothing: ${problem}. What you see is old.`);
  else if (lost) {
    text(at('notice'), 'The connection to the controller is lost, so what you see is '
      + `${plural(Math.round(quiet / 1000), 'second', 'seconds')} old. Trying again.`);
  }
}

function listen() {
  if (stream) stream.close();
  stream = new EventSource('api/v1/watch');
  const opened = stream;
  const on = (name, then) => stream.addEventListener(name, (event) => {
    if (opened !== stream) return;
    heard = performance.now();
    then(event.data && JSON.parse(event.data));
    standing();
  });
  on('message', (snapshot) => {
    problem = '';
    draw(snapshot);
  });
  on('problem', (p) => { problem = p.error || 'for no reason that it gave'; });
  on('ready', (r) => {
    show(at('ready'), true);
    pill(at('ready'), r.ready ? 'ok' : 'warn', r.ready ? '✓' : '!', r.ready ? 'deciding' : `not ready: ${r.why}`);
  });
}

// tend mends the stream: a browser tries again by itself only after some failures.
let tried = 0;
function tend() {
  if (document.hidden) return;
  const now = performance.now();
  const dead = !stream || stream.readyState === EventSource.CLOSED || now - heard > 2 * silence;
  if (dead && now - tried > again) {
    tried = now;
    enter();
  }
  standing();
}

// enter opens the stream, and has who may not see it log in first. A stream that was
// refused says no more than one that is lost, so each new one begins here.
async function enter() {
  if (opening) return;
  opening = true;
  const may = await session().catch(() => null); // a controller that is away is told of by standing
  if (may && may.readNeedsToken && !may.canChange) await token.ask('To see anything here, show the token.', true);
  opening = false;
  if (!document.hidden) listen();
}

// follow logs in by a link, at the start or when one is put into the address of this page.
async function follow() {
  const wrong = await loginByLink();
  if (wrong) say(wrong);
  else if (wrong === '') token.close(true);
}

const send = (path, body) => fetch(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

// act drains or undrains a backend, and says how that went. Who has not shown the token
// is asked for it first.
async function act(pool, backend, verb) {
  try {
    const may = (await session()).canChange || await token.ask('To change something here, show the token.');
    if (!may) return;
    const answer = await send(`api/v1/${verb}`, { pool, backend });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error);
    const runs = body.inFlight ? `${plural(body.inFlight, 'request runs', 'requests run')} on there` : 'nothing runs there';
    say(verb === 'drain' ? `${backend} takes no new requests; ${runs}.` : `${backend} takes requests again.`);
  } catch (error) {
    say(`Could not ${verb} ${backend}: ${error.message}`);
  }
}

let clear = 0;
function say(sentence) {
  text(at('toast'), sentence);
  clearTimeout(clear);
  clear = setTimeout(() => text(at('toast'), ''), 8000);
}

// A page that nobody sees costs the controller nothing.
document.addEventListener('visibilitychange', () => {
  if (document.hidden && stream) {
    stream.close();
    stream = null;
  } else if (!document.hidden) {
    heard = performance.now();
    tried = heard;
    enter();
  }
});

window.addEventListener('hashchange', follow);
await follow();
setInterval(tend, 1000);
await enter();
