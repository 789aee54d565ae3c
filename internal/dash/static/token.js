// The token: asked for when something needs it, and changed for a cookie at once.

import { el, show, text } from './dom.js';

export class Token {
  constructor() {
    this.input = el('input');
    this.input.type = 'password';
    this.input.autocomplete = 'off';
    this.input.setAttribute('aria-label', 'token');
    this.input.setAttribute('aria-describedby', 'token-hint');
    this.hint = el('p', 'soft');
    this.hint.id = 'token-hint';
    this.wrong = el('p', 'wrong');
    this.wrong.setAttribute('role', 'alert');
    this.cancel = button('Cancel', 'quiet', () => this.close(false));
    this.submit = button('Log in', 'main', () => {});
    this.submit.type = 'submit';
    this.form = el('form', '', this.hint, this.input, this.wrong, el('div', 'buttons', this.cancel, this.submit));
    this.node = el('dialog', 'token', el('h2', '', 'Log in'), this.form);
    this.node.setAttribute('aria-label', 'Log in');
    this.form.addEventListener('submit', (event) => {
      event.preventDefault(); // the page's policy lets no form be sent
      this.send();
    });
    this.node.addEventListener('cancel', (event) => { // the escape key
      if (this.must) event.preventDefault();
    });
    this.node.addEventListener('close', () => this.closed()); // by whatever closed it
    document.body.append(this.node);
    this.done = null;
    this.must = false;
  }

  // ask opens the dialog, and resolves to whether somebody logged in. One that must be
  // answered cannot be closed otherwise.
  ask(why, must = false) {
    this.must = this.must || must;
    show(this.cancel, !this.must);
    if (this.asked) return this.asked;
    this.asked = new Promise((done) => { this.done = done; });
    text(this.wrong, '');
    this.node.showModal();
    this.input.focus();
    session().then((s) => {
      const where = s.tokenHint ? `${s.tokenHint[0].toUpperCase()}${s.tokenHint.slice(1)}.` : '';
      text(this.hint, `${why} ${where}`);
    }, () => text(this.hint, why));
    return this.asked;
  }

  close(ok) {
    if (!this.asked) return;
    this.asked = null;
    this.must = false;
    this.input.value = '';
    this.node.close();
    this.done(ok);
  }

  // closed is called after each closing, also one that a browser insists on.
  closed() {
    if (this.node.open || !this.asked) return;
    if (this.must) this.node.showModal();
    else this.close(false);
  }

  async send() {
    this.submit.disabled = true;
    const wrong = await login(this.input.value);
    this.submit.disabled = false;
    text(this.wrong, wrong);
    if (!wrong) this.close(true);
    else this.input.select();
  }
}

function button(label, kind, then) {
  const node = el('button', kind, label);
  node.type = 'button';
  node.addEventListener('click', then);
  return node;
}

const patience = 5000; // ms

// session asks what this page may do.
export async function session() {
  const answer = await fetch('api/v1/session', { signal: AbortSignal.timeout(patience) });
  if (!answer.ok) throw new Error('the controller does not say');
  return answer.json();
}

// login returns what was wrong with the token; empty: nothing.
export async function login(token) {
  try {
    const answer = await fetch('api/v1/login', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
      signal: AbortSignal.timeout(patience),
    });
    if (answer.ok) return '';
    return (await answer.json()).error;
  } catch (error) {
    return `The controller cannot be reached: ${error.message}`;
  }
}

// loginByLink logs in with a token in the page's address, and takes it out of there: what
// stands behind the # is not sent, but can be seen and kept. It returns what login does,
// or null where there was no token.
export async function loginByLink() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  return login(given);
}
