/** Tag lists: "v=1; a=rsa-sha256; …" (RFC 6376 3.2), in signatures, seals and key records. */
export type Tags = ReadonlyMap<string, string>;

/** Reads a tag list; outer blanks of values are removed. undefined: a syntax error, or a tag that stands twice. */
export function readTags(text: string): Tags | undefined {
  const tags = new Map<string, string>();
  const parts = text.split(";");
  if (isBlank(parts.at(-1) ?? "")) parts.pop();
  for (const part of parts) {
    const equals = part.indexOf("=");
    if (equals < 0) return undefined;
    const name = trim(part.slice(0, equals));
    if (!/^[A-Za-z]\w*$/.test(name) || tags.has(name)) return undefined;
    tags.set(name, trim(part.slice(equals + 1)));
  }
  return tags;
}

const isBlank = (text: string): boolean => /^[ \t\r\n]*$/.test(text);

/** By hand: a pattern for blanks at the end takes quadratic time where there are many in the middle. */
function trim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && BLANKS.includes(text[from] as string)) from += 1;
  while (to > from && BLANKS.includes(text[to - 1] as string)) to -= 1;
  return text.slice(from, to);
}

const BLANKS = " \t\r\n";

/** A value without any blank in it: base64 and lists may be folded anywhere. */
export const unfolded = (value: string): string => (/[ \t\r\n]/.test(value) ? value.replace(/[ \t\r\n]+/g, "") : value);

/** Strict base64, blanks allowed. undefined: not base64. */
export function fromBase64(value: string): Buffer | undefined {
  const text = unfolded(value);
  return text !== "" && /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
}
