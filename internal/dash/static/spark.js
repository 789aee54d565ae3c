// A small line of the last minute.

const svg = 'http://www.w3.org/2000/svg';
const width = 120;
const height = 30;
const least = 15000; // ms; a line that has just begun fills no more than its share of this
const most = 60000;  // ms

export class Spark {
  // The element is an <svg> of the page, or a new one when none is given.
  constructor(node, label) {
    this.node = node || document.createElementNS(svg, 'svg');
    this.node.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.node.setAttribute('preserveAspectRatio', 'none');
    if (label) {
      this.node.setAttribute('class', 'spark');
      this.node.setAttribute('role', 'img');
      this.node.setAttribute('aria-label', label);
    }
    this.area = document.createElementNS(svg, 'path');
    this.line = document.createElementNS(svg, 'path');
    this.area.setAttribute('class', 'area');
    this.line.setAttribute('class', 'line');
    this.node.append(this.area, this.line);
    this.points = [];
  }

  // add takes the value at a moment in milliseconds.
  add(at, value) {
    const points = this.points;
    if (points.length && at <= points[points.length - 1].at) return;
    points.push({ at, value });
    while (points.length > 2 && points[1].at < at - most) points.shift();
    if (points.length < 2) return;
    const top = Math.max(1, ...points.map((p) => p.value)) * 1.1;
    const window = Math.min(most, Math.max(least, at - points[0].at));
    const x = (p) => (width - ((at - p.at) / window) * width).toFixed(1);
    const y = (p) => (height - 1 - (p.value / top) * (height - 3)).toFixed(1);
    const line = points.map((p, i) => `${i ? 'L' : 'M'}${x(p)} ${y(p)}`).join('');
    this.line.setAttribute('d', line);
    this.area.setAttribute('d', `${line}V${height}H${x(points[0])}Z`);
  }
}
