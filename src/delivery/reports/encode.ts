const LINE_MAX = 76;

export const isAscii = (text: string): boolean => /^[\x00-\x7e]*$/.test(text);

/** Text that anybody can pass on: as it is where it is plain ASCII in short lines, else base64. Lines end with CRLF. */
export function encodeText(text: string): { readonly encoding: "7bit" | "base64"; readonly body: string } {
  if (isAscii(text) && text.split("\r\n").every((line) => line.length <= 998)) return { encoding: "7bit", body: text };
  const lines =
    Buffer.from(text)
      .toString("base64")
      .match(/.{1,76}/g) ?? [];
  return { encoding: "base64", body: lines.join("\r\n") };
}

/** Quoted-printable (RFC 2045 6.7) of lines that may be long, hold 8-bit octets or end in a bare CR or LF. */
export function quotedPrintable(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .split(/\r\n|\r|\n/)
    .map(quotedLine)
    .join("\r\n");
}

function quotedLine(line: string): string {
  const marks = line.replace(/[^\t\x20-\x3c\x3e-\x7e]|[\t ]$/g, mark).match(/=[0-9A-F]{2}|[\s\S]/g) ?? [];
  const lines: string[] = [];
  let current = "";
  for (const each of marks) {
    if (current.length + each.length >= LINE_MAX) {
      lines.push(`${current}=`);
      current = "";
    }
    current += each;
  }
  return [...lines, current].join("\r\n");
}

const mark = (char: string): string => `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;

/** May it be sent as it is, 8-bit octets aside: lines that end with CRLF, none too long. */
export function hasFineLines(bytes: Buffer): boolean {
  const text = bytes.toString("latin1");
  return !/\r(?!\n)|(?<!\r)\n/.test(text) && !/[^\r\n]{999}/.test(text);
}

/** A header field in lines of about 76 characters, cut at blanks where there are any. */
export function fold(field: string): string {
  const lines: string[] = [];
  let rest = field;
  while (rest.length > LINE_MAX) {
    const blank = rest.lastIndexOf(" ", LINE_MAX);
    const at = blank > 1 ? blank : rest.indexOf(" ", LINE_MAX);
    if (at < 0) break;
    lines.push(rest.slice(0, at));
    rest = ` ${rest.slice(at).trimStart()}`;
  }
  return [...lines, rest].join("\r\n");
}
