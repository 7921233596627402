/**
 * Names of Redis keys. The partition is the hash tag, so that all keys of one partition lie in one slot of a Cluster:
 *
 *     c:{partition}:table    hash     a table's records of one partition; field = id, value = "version|json"
 *     cw:{partition}:id      string   a window
 *     cf:{partition}:id      string   a first-seen mark
 *     cd:{partition}:n:id    zset     the members of a count seen last, by time
 *     cd:{partition}:s:id    zset     its sample
 *     cd:{partition}:m:id    hash     its threshold and what it lost
 */
import type { Key } from "../../kit/store.ts";

const CODES: Readonly<Record<string, string>> = { "%": "%25", "{": "%7B", "}": "%7D" };
const DECODED: Readonly<Record<string, string>> = { "%25": "%", "%7B": "{", "%7D": "}" };
/** An empty hash tag would be none. */
const EMPTY = "%";

/** A partition without braces: the first closing one ends the hash tag. */
const encode = (partition: string): string =>
  partition === "" ? EMPTY : partition.replace(/[%{}]/g, (char) => CODES[char] ?? char);

const decode = (tag: string): string =>
  tag === EMPTY ? "" : tag.replace(/%(?:25|7B|7D)/g, (code) => DECODED[code] ?? code);

export const tableKey = (table: string, partition: string): string => `c:{${encode(partition)}}:${table}`;
export const windowKey = ({ partition, id }: Key): string => `cw:{${encode(partition)}}:${id}`;
export const firstKey = ({ partition, id }: Key): string => `cf:{${encode(partition)}}:${id}`;

export function distinctKeys({ partition, id }: Key): [newest: string, sample: string, state: string] {
  const tag = `{${encode(partition)}}`;
  return [`cd:${tag}:n:${id}`, `cd:${tag}:s:${id}`, `cd:${tag}:m:${id}`];
}

/** Matches, as a glob, every key of a table. */
export const tablePattern = (table: string): string => `c:{*}:${table.replace(/[\\*?[\]^-]/g, "\\$&")}`;

/** The partition of a table's key. */
export const partitionOf = (key: string, table: string): string =>
  decode(key.slice("c:{".length, -`}:${table}`.length));
