/**
 * Millions of networks in few bytes: for each prefix length in use one open-addressed table of the network's words. A look-up
 * masks the address once for each length in use (at most 33 for IPv4, 129 for IPv6), however many networks there are, and
 * nothing is ever sorted, so that a list can be read in while mails go on.
 */
import { ipBytes } from "./ip.ts";

export interface PrefixTable {
  /** @param bytes 4 or 16 octets; @param bits length of the prefix. Host bits do not matter. */
  add(bytes: ArrayLike<number>, bits: number): void;
  /** Lies the address in one of the networks? */
  has(ip: string): boolean;
  /** Networks, each counted once. */
  readonly size: number;
  /** What the tables take, bytes. */
  readonly bytes: number;
}

export function createPrefixTable(): PrefixTable {
  const families = { v4: new Map<number, WordTable>(), v6: new Map<number, WordTable>() };
  const words = new Uint32Array(4);
  const all = (): WordTable[] => [...families.v4.values(), ...families.v6.values()];
  return {
    add(bytes, bits) {
      const count = bytes.length / 4;
      const family = count === 1 ? families.v4 : families.v6;
      let table = family.get(bits);
      if (!table) {
        table = new WordTable(count);
        family.set(bits, table);
      }
      mask(bytes, bits, words);
      table.add(words);
    },
    has(ip) {
      const bytes = ipBytes(ip);
      if (!bytes) return false;
      for (const [bits, table] of bytes.length === 4 ? families.v4 : families.v6) {
        mask(bytes, bits, words);
        if (table.has(words)) return true;
      }
      return false;
    },
    get size() {
      return all().reduce((sum, table) => sum + table.size, 0);
    },
    get bytes() {
      return all().reduce((sum, table) => sum + table.bytes, 0);
    },
  };
}

/** The first `bits` bits of an address as 32-bit words, the rest 0. */
function mask(bytes: ArrayLike<number>, bits: number, words: Uint32Array): void {
  for (let word = 0; word * 4 < bytes.length; word += 1) {
    const at = word * 4;
    const kept = Math.min(32, Math.max(0, bits - word * 32));
    const value =
      ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    words[word] = kept === 0 ? 0 : (value & (0xffffffff << (32 - kept))) >>> 0;
  }
}

const FIRST_SLOTS = 16;
/** A table grows when it is fuller than this: probes stay short. */
const LOAD_MAX = 0.6;

/** A set of keys of one or four words. All zeros marks an empty slot, so the key of all zeros is kept apart. */
class WordTable {
  size = 0;
  private readonly width: number;
  private slots: Uint32Array;
  private hasZero = false;

  constructor(width: number) {
    this.width = width;
    this.slots = new Uint32Array(FIRST_SLOTS * width);
  }

  get bytes(): number {
    return this.slots.byteLength;
  }

  add(key: Uint32Array): void {
    if (this.isZero(key, 0)) {
      if (!this.hasZero) this.size += 1;
      this.hasZero = true;
      return;
    }
    if (this.size >= (this.slots.length / this.width) * LOAD_MAX) this.grow();
    const at = this.find(key, 0);
    if (!this.isZero(this.slots, at)) return;
    this.put(at, key, 0);
    this.size += 1;
  }

  has(key: Uint32Array): boolean {
    return this.isZero(key, 0) ? this.hasZero : !this.isZero(this.slots, this.find(key, 0));
  }

  /** Where the key is, or the empty slot where it belongs. */
  private find(key: Uint32Array, from: number): number {
    const { width, slots } = this;
    let at = (this.hash(key, from) & (slots.length / width - 1)) * width;
    while (!this.isZero(slots, at) && !this.same(at, key, from)) {
      at += width;
      if (at === slots.length) at = 0;
    }
    return at;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += this.width) {
      if (!this.isZero(old, at)) this.put(this.find(old, at), old, at);
    }
  }

  private put(at: number, key: Uint32Array, from: number): void {
    for (let word = 0; word < this.width; word += 1) this.slots[at + word] = key[from + word] ?? 0;
  }

  private same(at: number, key: Uint32Array, from: number): boolean {
    for (let word = 0; word < this.width; word += 1) if (this.slots[at + word] !== key[from + word]) return false;
    return true;
  }

  private isZero(key: Uint32Array, from: number): boolean {
    for (let word = 0; word < this.width; word += 1) if (key[from + word] !== 0) return false;
    return true;
  }

  /** Neighbouring networks differ in few bits: the finalizer of MurmurHash3 spreads them. */
  private hash(key: Uint32Array, from: number): number {
    let hash = 0;
    for (let word = 0; word < this.width; word += 1) {
      hash = Math.imul(hash ^ (key[from + word] ?? 0), 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      hash ^= hash >>> 16;
    }
    return hash >>> 0;
  }
}
