// What two texts differ in, word by word, for eyes. Pure.

const MOST = 1500;
const words = (text) => String(text ?? "").match(/\s+|[\p{L}\p{N}]+(?:[.,][\p{N}]+)?|[^\s\p{L}\p{N}]/gu) ?? [];

/** [{text, kind: "same" | "gone" | "new"}] from one text to another; neighbours of a kind in one piece. */
export function difference(from, to) {
  const [a, b] = [words(from), words(to)];
  if (a.length > MOST || b.length > MOST) return from === to ? pieces([["same", from]]) : pieces([["gone", from], ["new", to]]);
  const long = longest(a, b);
  const found = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      found.push(["same", a[i]]);
      i += 1;
      j += 1;
    } else if (i < a.length && (j >= b.length || long[i + 1][j] >= long[i][j + 1])) {
      found.push(["gone", a[i]]);
      i += 1;
    } else {
      found.push(["new", b[j]]);
      j += 1;
    }
  }
  return pieces(found);
}

/** [i][j]: how many words a from i on and b from j on have in common, in order. */
function longest(a, b) {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  }
  return table;
}

function pieces(found) {
  const joined = [];
  for (const [kind, text] of found) {
    if (joined.at(-1)?.kind === kind) joined.at(-1).text += text;
    else if (text) joined.push({ kind, text });
  }
  return joined;
}

/** The same as elements: <del>, <ins> and plain text. */
export function drawn(from, to) {
  return difference(from, to).map(({ kind, text }) => {
    if (kind === "same") return document.createTextNode(text);
    const element = document.createElement(kind === "gone" ? "del" : "ins");
    element.textContent = text;
    return element;
  });
}
