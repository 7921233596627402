/**
 * Comments of structured header fields (RFC 5322 3.2.2): nested, with quoted pairs. A filter that reads them otherwise than a
 * reader's program sees another address, or another server, than he does.
 */

/** The offset after the comment that opens at `start`; the end of the text for one that never closes. */
export function skipComment(value: string, start: number): number {
  let depth = 0;
  let at = start;
  for (; at < value.length; at += 1) {
    const char = value[at];
    if (char === "\\") at += 1;
    else if (char === "(") depth += 1;
    else if (char === ")") {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return value.length;
}

/** Each comment as one blank; linear. Quoted strings are not looked for: for fields and texts that have none. */
export function withoutComments(value: string): string {
  let text = "";
  let at = 0;
  for (let open = value.indexOf("("); open >= 0; open = value.indexOf("(", at)) {
    text += `${value.slice(at, open)} `;
    at = skipComment(value, open);
  }
  return text + value.slice(at);
}
