// A backend's slots, as squares.

import { attr, el, fill, show } from './dom.js';
import { num } from './format.js';

const most = 64; // squares; more slots make a bar

// describe says in words what the squares show.
export function describe(backend) {
  const { slots, inFlight } = backend;
  const foreign = num(backend.foreign);
  let words = `${inFlight} of ${slots} ${slots === 1 ? 'slot' : 'slots'} in flight`;
  if (foreign >= 0.05) words += `, others use ${foreign.toFixed(1)}`;
  if (inFlight > slots) words += `, ${inFlight - slots} over`;
  return words;
}

export class Slots {
  constructor() {
    this.squares = el('span', 'squares');
    this.bar = el('span', 'bar');
    this.bar.hidden = true;
    this.node = el('span', 'slots', this.squares, this.bar);
    this.node.setAttribute('role', 'img');
  }

  update(backend) {
    const { slots, inFlight } = backend;
    const label = describe(backend);
    attr(this.node, 'aria-label', label);
    attr(this.node, 'title', label);
    const total = Math.max(slots, inFlight);
    show(this.squares, total <= most);
    show(this.bar, total > most);
    if (total > most) {
      this.squares.replaceChildren();
      fill(this.bar, inFlight / slots);
      attr(this.bar, 'data-kind', inFlight > slots ? 'bad' : null);
      return;
    }
    while (this.squares.childElementCount > total) this.squares.lastElementChild.remove();
    while (this.squares.childElementCount < total) this.squares.append(el('i'));
    attr(this.squares, 'data-many', total > 16 ? '' : null);
    const others = inFlight + Math.ceil(num(backend.foreign) - 0.05);
    let n = 0;
    for (const square of this.squares.children) {
      let kind = 'free';
      if (n >= slots) kind = 'over';
      else if (n < inFlight) kind = 'on';
      else if (n < others) kind = 'other';
      if (square.className !== kind) square.className = kind;
      n++;
    }
  }
}
