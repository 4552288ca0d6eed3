// What one page knows of a live session: the cells as the server has put them in order, and over them its own changes that the
// server has not counted yet. So whoever steers sees what they do at once, nobody is drawn back by what was done before, and once
// nothing is under way all pages hold the same (docs/live-session.md). Imports nothing.

export const paneOf = (name) => (/^\d+(\.|$)/.test(name) ? name.split(".")[0] : null);

/** Series come first: a change may show one and lay a View over it at once. */
const inOrder = (change) => Object.keys(change).sort((one, other) => one.includes(".") - other.includes("."));

/** `cells` with what the server tells of them. Another series in a pane forgets the parts of the former one's View. */
function told(cells, change) {
  const next = { ...cells };
  for (const name of inOrder(change)) {
    if (name === paneOf(name)) for (const held of Object.keys(next)) if (held.startsWith(`${name}.`)) delete next[held];
    if (change[name] === null) delete next[name];
    else next[name] = change[name];
  }
  return next;
}

/** The same with a change of this page, as the server will take it in: what is meant for a series that is not there is left out. */
function laid(cells, change) {
  let next = cells;
  for (const name of inOrder(change)) {
    const pane = paneOf(name);
    const meant = name === pane || pane === null || (next[pane]?.series && next[pane].series === change[name].series);
    if (meant) next = told(next, { [name]: change[name] });
  }
  return next;
}

export class Replica {
  constructor() {
    this.ordered = {};
    this.pending = [];
    this.counter = 0;
    this.shown = {};
  }

  /** This page changes `cells`: the change to send, {change, cells}. */
  change(cells) {
    this.counter += 1;
    const one = { change: this.counter, cells };
    this.pending.push(one);
    this.shown = laid(this.shown, cells);
    return one;
  }

  /** A `live.state` of the server: the names of the cells that are others now. */
  told({ change, cells }) {
    this.ordered = told(this.ordered, cells);
    this.pending = this.pending.filter((one) => one.change > change);
    const before = this.shown;
    this.shown = this.pending.reduce((held, one) => laid(held, one.cells), this.ordered);
    return [...new Set([...Object.keys(before), ...Object.keys(this.shown)])].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(this.shown[name]));
  }

  /** Nothing of its own is under way any more: what was refused is given up. */
  giveUp() {
    this.pending = [];
    return this.told({ change: 0, cells: {} });
  }
}
