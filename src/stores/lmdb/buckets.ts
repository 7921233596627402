/**
 * Windows lie in buckets, by a digest of whose they are: each bucket's rows stand together in the order of the keys, so that many of one bucket
 * share pages. A bucket is two characters in front of the key.
 */
import type { Key } from "../../kit/store.ts";
import { keyOf } from "./keys.ts";

export const BUCKETS = 1_024;
const SIGNS = 32;
const FIRST_SIGN = 0x40;

/** A key as one text: the length of the partition, the partition, the id. */
export type TextKey = string & { readonly textKey: never };

export const textKey = ({ partition, id }: Key): TextKey => `${partition.length}:${partition}${id}` as TextKey;

/** FNV-1a over the characters. */
export function bucketOf(text: TextKey): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % BUCKETS;
}

/** Where it lies in LMDB. */
export function placeOf(text: TextKey): Buffer {
  const colon = text.indexOf(":");
  const middle = colon + 1 + Number(text.slice(0, colon));
  const bucket = bucketOf(text);
  const signs = String.fromCharCode(FIRST_SIGN + Math.floor(bucket / SIGNS), FIRST_SIGN + (bucket % SIGNS));
  return keyOf(signs + text.slice(colon + 1, middle), text.slice(middle));
}
