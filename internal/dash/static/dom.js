// Making and changing elements. Every text goes in as text: the names and addresses
// that the page shows are untrusted, and nothing here reads markup.

// el makes an element with a class and children: nodes, or strings as text.
export function el(tag, name, ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  node.append(...children);
  return node;
}

// role gives an element the ARIA role of a part of a table.
export function role(node, value) {
  node.setAttribute('role', value);
  return node;
}

// text sets an element's text, and touches the document only when it differs.
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

// attr sets an attribute when it differs; null removes it.
export function attr(node, name, value) {
  if (value === null) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else if (node.getAttribute(name) !== value) {
    node.setAttribute(name, value);
  }
}

export function show(node, wanted) {
  if (node.hidden === wanted) node.hidden = !wanted;
}

// fill sets how much of a bar is filled, 0 to 1.
export function fill(bar, share) {
  const value = `${(Math.max(0, Math.min(1, share || 0)) * 100).toFixed(1)}%`;
  if (bar.dataset.fill !== value) {
    bar.dataset.fill = value;
    bar.style.setProperty('--fill', value);
  }
}

// List keeps a parent's children in step with items, by key, and makes and moves no
// more than it has to. make(item) returns an object with a `node` and update(item).
export class List {
  constructor(parent, make) {
    this.parent = parent;
    this.make = make;
    this.parts = new Map();
  }

  update(items, keyOf) {
    const seen = new Set();
    let before = this.parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      if (seen.has(key)) continue;
      seen.add(key);
      let part = this.parts.get(key);
      if (!part) {
        part = this.make(item);
        this.parts.set(key, part);
      }
      if (part.node === before) before = before.nextElementSibling;
      else this.parent.insertBefore(part.node, before);
      part.update(item);
    }
    for (const [key, part] of this.parts) {
      if (seen.has(key)) continue;
      part.node.remove();
      this.parts.delete(key);
    }
  }
}
