/**
 * Which blocks of a volume speak of an address. The volume lies in the order of client addresses, so that a sender's entries are in a
 * few blocks and a recipient's are all over it; with this a look-up reads only the blocks that have one.
 *
 * "CLA1" ("CLE1": hashed with a key), the number of buckets, where each begins, then the buckets: addresses by the first 28 bits of the SHA-256 of their role and
 * lower-case text, each with its blocks. Two addresses with the same bits only cost a block read in vain.
 */
import { hash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { type Cipher, keyMissing } from "./cipher.ts";
import { readVarint, varints } from "./varint.ts";

export type Role = "sender" | "recipient";

/** An address and a block it stands in. */
export interface Mention {
  readonly role: Role;
  readonly address: string;
  readonly block: number;
  /** It is not written in lower case there. */
  readonly mixedCase: boolean;
}

/** What the index says of an address. */
export interface Found {
  readonly blocks: readonly number[];
  /** Somewhere it is written with capitals. */
  readonly mixedCase: boolean;
}

const MAGIC = "CLA1";
const MAGIC_KEYED = "CLE1";
const HEADER_BYTES = 8;
const OFFSET_BYTES = 4;
const PER_BUCKET = 32;
const BUCKET_BITS_MAX = 20;

const CODE_BITS = 28;

type Coder = (role: Role, address: string) => number;

/** In an encrypted archive nobody without the key can ask for an address. */
function coderOf(path: string, cipher: Cipher | undefined): Coder {
  const digest = (text: string): string => cipher?.hash(path, text) ?? hash("sha256", text, "hex");
  return (role, address) => Number.parseInt(digest(`${role} ${address.toLowerCase()}`).slice(0, CODE_BITS / 4), 16);
}

const bucketOf = (code: number, bits: number): number => code >>> (CODE_BITS - bits);

export interface AddressIndex {
  add(mention: Mention): void;
  toBuffer(): Buffer;
}

/** @param path a file of that day */
export function createAddressIndex(path: string, cipher: Cipher | undefined): AddressIndex {
  const codeOf = coderOf(path, cipher);
  const known = new Map<number, { blocks: Set<number>; mixedCase: boolean }>();
  return {
    add({ role, address, block, mixedCase }) {
      const code = codeOf(role, address);
      const found = known.get(code);
      if (!found) known.set(code, { blocks: new Set([block]), mixedCase });
      else {
        found.blocks.add(block);
        found.mixedCase ||= mixedCase;
      }
    },
    toBuffer() {
      const codes = [...known.keys()].sort((a, b) => a - b);
      const bits = Math.min(BUCKET_BITS_MAX, Math.max(0, Math.ceil(Math.log2(codes.length / PER_BUCKET || 1))));
      const bodies: number[][] = Array.from({ length: 2 ** bits }, () => []);
      const last = new Map<number, number>();
      for (const code of codes) {
        const bucket = bucketOf(code, bits);
        const entry = known.get(code);
        if (!entry) continue;
        bodies[bucket]?.push(code - (last.get(bucket) ?? firstOf(bucket, bits)), ...describe(entry));
        last.set(bucket, code);
      }
      return assemble(bodies.map(varints), cipher ? MAGIC_KEYED : MAGIC);
    },
  };
}

/** The smallest code of a bucket. */
const firstOf = (bucket: number, bits: number): number => bucket * 2 ** (CODE_BITS - bits);

/** In the lowest bits of the first number: is there one block only, which then follows in it; is it mixed case. */
const ONE = 1;
const MIXED = 2;
const FLAGS = 4;

function describe({ blocks, mixedCase }: { blocks: Set<number>; mixedCase: boolean }): number[] {
  const sorted = [...blocks].sort((a, b) => a - b);
  const mixed = mixedCase ? MIXED : 0;
  if (sorted.length === 1) return [(sorted[0] ?? 0) * FLAGS + mixed + ONE];
  const steps = sorted.map((block, index) => block - (sorted[index - 1] ?? 0));
  return [sorted.length * FLAGS + mixed, ...steps];
}

function assemble(bodies: readonly Buffer[], magic: string): Buffer {
  const head = Buffer.alloc(HEADER_BYTES + (bodies.length + 1) * OFFSET_BYTES);
  head.write(magic, "latin1");
  head.writeUInt32LE(bodies.length, MAGIC.length);
  let offset = 0;
  bodies.forEach((body, index) => {
    head.writeUInt32LE(offset, HEADER_BYTES + index * OFFSET_BYTES);
    offset += body.length;
  });
  head.writeUInt32LE(offset, HEADER_BYTES + bodies.length * OFFSET_BYTES);
  return Buffer.concat([head, ...bodies]);
}

/**
 * @returns undefined when the address is not in the volume
 * @throws Error when the file is no such index; Unavailable when a key is missing
 */
export function findAddress(
  path: string,
  { role, address }: Pick<Mention, "role" | "address">,
  cipher?: Cipher,
): Found | undefined {
  const file = openSync(path, "r");
  try {
    const head = readAt(file, 0, HEADER_BYTES);
    const buckets = head.readUInt32LE(MAGIC.length);
    const magic = head.toString("latin1", 0, MAGIC.length);
    if ((magic !== MAGIC && magic !== MAGIC_KEYED) || buckets === 0) throw new Error(`${path} is no index`);
    if (magic === MAGIC_KEYED && !cipher) throw keyMissing(path);
    const code = coderOf(path, magic === MAGIC_KEYED ? cipher : undefined)(role, address);
    const bits = Math.log2(buckets);
    const bucket = bucketOf(code, bits);
    const bounds = readAt(file, HEADER_BYTES + bucket * OFFSET_BYTES, 2 * OFFSET_BYTES);
    const from = bounds.readUInt32LE(0);
    const body = HEADER_BYTES + (buckets + 1) * OFFSET_BYTES;
    const bytes = readAt(file, body + from, bounds.readUInt32LE(OFFSET_BYTES) - from);
    return searchBucket(bytes, { first: firstOf(bucket, bits), wanted: code });
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  if (readSync(file, buffer, 0, bytes, position) < bytes) throw new Error("the index of addresses is cut off");
  return buffer;
}

function searchBucket(bytes: Buffer, { first, wanted }: { first: number; wanted: number }): Found | undefined {
  const reader = readVarint(bytes);
  let code = first;
  while (reader.more()) {
    code += reader.next();
    const head = reader.next();
    const rest = Math.floor(head / FLAGS);
    const blocks: number[] = [];
    if ((head & ONE) !== 0) blocks.push(rest);
    else for (let i = 0; i < rest; i += 1) blocks.push((blocks.at(-1) ?? 0) + reader.next());
    if (code === wanted) return { blocks, mixedCase: (head & MIXED) !== 0 };
  }
  return undefined;
}
