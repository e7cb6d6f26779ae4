/** State codes in the order in which they were found, each with a note: a whole number. */

/** Grows as needed; an entry takes about 20 bytes. */
export class CodeSet {
  #codes: Float64Array = new Float64Array(1 << 16);
  #notes: Int32Array = new Int32Array(1 << 16);
  #slots: Int32Array = new Int32Array(1 << 18);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a code with its note, unless it is there already; gives its index. */
  add(code: number, note: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(code) & mask;
    for (;;) {
      const found = this.#slots[slot] ?? 0;
      if (found === 0) break;
      if (this.#codes[found - 1] === code) return found - 1;
      slot = (slot + 1) & mask;
    }
    const index = this.#size;
    if (index === this.#codes.length) this.#grow();
    this.#codes[index] = code;
    this.#notes[index] = note;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    if (this.#size * 2 > this.#slots.length) this.#rehash();
    return index;
  }

  /** The code that was found as number `index`. */
  at(index: number): number {
    return this.#codes[index] ?? -1;
  }

  /** What was noted of the code with number `index`. */
  noteAt(index: number): number {
    return this.#notes[index] ?? -1;
  }

  /** Notes something else of the code with number `index`. */
  note(index: number, note: number): void {
    this.#notes[index] = note;
  }

  #grow(): void {
    const codes = new Float64Array(this.#codes.length * 2);
    codes.set(this.#codes);
    this.#codes = codes;
    const notes = new Int32Array(this.#notes.length * 2);
    notes.set(this.#notes);
    this.#notes = notes;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#size; index += 1) {
      let slot = hash(this.at(index)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
  }
}

function hash(code: number): number {
  const low = code | 0;
  const high = (code / 4294967296) | 0;
  let mixed = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d) ^ Math.imul(high + 0x165667b1, 0x297a2d39);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 15);
}
