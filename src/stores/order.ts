import type { Value } from "../kit/store.ts";

/** Orders texts by their UTF-8 bytes, as every store lists them. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * A record as the text all stores keep.
 * @throws TypeError for what JSON cannot say, which is a bug of the caller
 */
export function toJson(value: Value): string {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) throw new TypeError("a record must be a JSON value");
  return json;
}
