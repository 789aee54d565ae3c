// Numbers and times for people.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

// num reads a number of the API, whose 64-bit integers are strings.
export const num = (value) => Number(value) || 0;

export const count = (value) => whole.format(num(value));

// brief is a count that stays narrow: 12,345 but 1.2M.
export const brief = (value) => (num(value) < 100000 ? count(value) : short.format(num(value)));

// rate is a number each second.
export function rate(value) {
  const n = num(value);
  if (n > 0 && n < 9.95) return n.toFixed(1);
  return brief(n);
}

// millis is a duration in milliseconds, with three digits at most.
export function millis(value) {
  const n = num(value);
  if (n <= 0) return '0 ms';
  if (n < 9.95) return `${n.toFixed(1)} ms`;
  if (n < 999.5) return `${n.toFixed(0)} ms`;
  if (n < 9950) return `${(n / 1000).toFixed(1)} s`;
  return span(n);
}

// span is a duration in milliseconds, in its two largest units.
export function span(value) {
  const s = Math.round(num(value) / 1000);
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min ${s % 60} s`;
  const h = Math.floor(m / 60);
  if (h < 24) return `${h} h ${m % 60} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

export const percent = (share) => `${Math.round(num(share) * 100)} %`;

// words makes a name of the API readable: queue_full, REASON_QUEUE_FULL.
export const words = (name) => String(name).replace(/^REASON_/, '').toLowerCase().replaceAll('_', ' ');

export const plural = (n, one, many) => `${count(n)} ${num(n) === 1 ? one : many}`;

// Rate makes a number each second out of totals, over the last few seconds.
export class Rate {
  constructor() {
    this.seen = [];
  }

  // next takes the total at a moment in milliseconds.
  next(at, total) {
    const seen = this.seen;
    const last = seen[seen.length - 1];
    if (last && (total < last.total || at < last.at)) seen.length = 0; // another controller's count
    if (!last || at > last.at) seen.push({ at, total });
    while (seen.length > 2 && seen[1].at <= at - 3000) seen.shift();
    const first = seen[0];
    return at > first.at ? ((total - first.total) * 1000) / (at - first.at) : 0;
  }
}
