/**
 * Which pages of a volume speak of an address: buckets of codes, the first bits of the SHA-256 of an address's role and lower-case text, each
 * with its pages. Two addresses with one code only cost a page read in vain, so a code has hardly more bits than there are codes.
 *
 * A bucket is the number of its codes, then for each the step from the code before (Rice), how many pages it stands in (gamma), the first of
 * them, and the steps to the others (Rice).
 */
import { hash } from "node:crypto";
import { createBitWriter, readBits } from "./bits.ts";
import type { Cipher } from "./cipher.ts";

export type Role = "sender" | "recipient";

/** What has to be known to read the buckets. */
export interface BucketForm {
  readonly codeBits: number;
  /** There are 2^bucketBits of them. */
  readonly bucketBits: number;
  /** Of a page's number. */
  readonly pageBits: number;
}

/** One code of so many is another address's. */
const SPARE_BITS = 3;
const PER_BUCKET_BITS = 6;
const CODE_BITS_MAX = 32;
const HEX_DIGITS = CODE_BITS_MAX / 4;

/** An address as a number of 32 bits. In an encrypted archive nobody without the key can make it. */
export type Coder = (role: Role, address: string) => number;

/** @param path a file of that day */
export function coderOf(path: string, cipher: Cipher | undefined): Coder {
  const digest = (text: string): string => cipher?.hash(path, text) ?? hash("sha256", text, "hex");
  return (role, address) => Number.parseInt(digest(`${role} ${address.toLowerCase()}`).slice(0, HEX_DIGITS), 16);
}

const upper = (code: number, bits: number): number => Math.floor(code / 2 ** (CODE_BITS_MAX - bits));

export interface AddressIndex {
  /** In the order of pages. */
  add(role: Role, address: string, page: number): void;
  /** The buckets one after the other, with where each begins in front. */
  finish(): BucketForm & { readonly buckets: Buffer };
}

export function createAddressIndex(codeOf: Coder): AddressIndex {
  const known = new Map<number, number[]>();
  const latest = new Map<Role, { address: string; code: number }>();
  const code = (role: Role, address: string): number => {
    const last = latest.get(role);
    if (last?.address === address) return last.code;
    const made = codeOf(role, address);
    latest.set(role, { address, code: made });
    return made;
  };
  let lastPage = 0;
  return {
    add(role, address, page) {
      const made = code(role, address);
      const pages = known.get(made);
      lastPage = page;
      if (!pages) known.set(made, [page]);
      else if (pages.at(-1) !== page) pages.push(page);
    },
    finish() {
      const bits = Math.ceil(Math.log2(known.size + 1));
      const bucketBits = Math.max(0, bits - PER_BUCKET_BITS);
      const form = { codeBits: Math.min(CODE_BITS_MAX, bits + SPARE_BITS), bucketBits, pageBits: pageBitsOf(lastPage) };
      return { ...form, buckets: writeBuckets(mergedBy(known, form.codeBits), form) };
    },
  };
}

const pageBitsOf = (last: number): number => 32 - Math.clz32(last);

/** Codes that differ only in bits that are left out become one. */
function mergedBy(known: ReadonlyMap<number, readonly number[]>, codeBits: number): [code: number, pages: number[]][] {
  const merged = new Map<number, Set<number>>();
  for (const [code, pages] of known) {
    const short = upper(code, codeBits);
    const all = merged.get(short);
    if (all) for (const page of pages) all.add(page);
    else merged.set(short, new Set(pages));
  }
  return [...merged].sort(([a], [b]) => a - b).map(([code, pages]) => [code, [...pages].sort((a, b) => a - b)]);
}

const OFFSET_BYTES = 4;

function writeBuckets(codes: readonly [number, readonly number[]][], form: BucketForm): Buffer {
  const bodies: Buffer[] = [];
  const wide = form.codeBits - form.bucketBits;
  let at = 0;
  for (let bucket = 0; bucket < 2 ** form.bucketBits; bucket += 1) {
    const from = at;
    while (at < codes.length && (codes[at]?.[0] ?? 0) < (bucket + 1) * 2 ** wide) at += 1;
    bodies.push(writeBucket(codes.slice(from, at), bucket * 2 ** wide, form));
  }
  const head = Buffer.alloc((bodies.length + 1) * OFFSET_BYTES);
  let offset = 0;
  bodies.forEach((body, index) => {
    head.writeUInt32LE(offset, index * OFFSET_BYTES);
    offset += body.length;
  });
  head.writeUInt32LE(offset, bodies.length * OFFSET_BYTES);
  return Buffer.concat([head, ...bodies]);
}

function writeBucket(
  codes: readonly (readonly [number, readonly number[]])[],
  first: number,
  { pageBits }: BucketForm,
): Buffer {
  const out = createBitWriter();
  out.gamma(codes.length + 1);
  let last = first - 1;
  for (const [code, pages] of codes) {
    out.rice(code - last - 1, SPARE_BITS);
    last = code;
    out.gamma(pages.length);
    out.bits(pages[0] ?? 0, pageBits);
    const small = smallOf(pages.length, pageBits);
    for (const [index, page] of pages.slice(1).entries()) out.rice(page - (pages[index] ?? 0) - 1, small);
  }
  return out.finish();
}

/** The usual step from one page to the next, as a power of two. */
const smallOf = (pages: number, pageBits: number): number =>
  Math.max(0, pageBits - Math.floor(Math.log2(pages + 1)) - 1);

/** Reads so many bytes of the buckets from a place on. */
export type ReadAt = (offset: number, bytes: number) => Buffer;

/** @returns the pages that may speak of an address. @throws Error when these are no buckets */
export function findCode(code: number, form: BucketForm, read: ReadAt): number[] {
  const bucket = upper(code, form.bucketBits);
  const bounds = read(bucket * OFFSET_BYTES, 2 * OFFSET_BYTES);
  const begin = (2 ** form.bucketBits + 1) * OFFSET_BYTES;
  const from = bounds.readUInt32LE(0);
  const bytes = read(begin + from, bounds.readUInt32LE(OFFSET_BYTES) - from);
  return searchBucket(bytes, upper(code, form.codeBits), {
    ...form,
    first: bucket * 2 ** (form.codeBits - form.bucketBits),
  });
}

function searchBucket(
  bytes: Buffer,
  wanted: number,
  { pageBits, first }: BucketForm & { readonly first: number },
): number[] {
  const reader = readBits(bytes);
  let code = first - 1;
  for (let left = reader.gamma() - 1; left > 0; left -= 1) {
    code += reader.rice(SPARE_BITS) + 1;
    const count = reader.gamma();
    const pages = [reader.bits(pageBits)];
    const small = smallOf(count, pageBits);
    while (pages.length < count) pages.push((pages.at(-1) ?? 0) + reader.rice(small) + 1);
    if (code === wanted) return pages;
    if (code > wanted) return [];
  }
  return [];
}
