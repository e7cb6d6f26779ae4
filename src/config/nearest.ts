/** Finds the valid key that a mistyped one was meant to be. */

/** Keys are compared up to this length, so that a huge key costs no more than a long one. */
const lengthMax = 64;

/** Letters to insert, delete or replace to get from `a` to `b` (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const deleted = (above[column] ?? 0) + 1;
      const inserted = (current[column - 1] ?? 0) + 1;
      current.push(Math.min(replaced, deleted, inserted));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}

/** 0 for the same word in any case, 1 for words that have nothing in common. */
function difference(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  if (left.length >= 3 && (right.startsWith(left) || left.startsWith(right))) return 0.1;
  return editDistance(left, right) / Math.max(left.length, right.length, 1);
}

/** The candidate that is most like `word`, or `null` if none shares half of its letters. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const cut = word.slice(0, lengthMax);
  let best: string | null = null;
  let least = 0.5;
  for (const candidate of candidates) {
    const found = difference(cut, candidate);
    if (found > least || (found === least && best !== null)) continue;
    best = candidate;
    least = found;
  }
  return best;
}
