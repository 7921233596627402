const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, "0");

/** Encodes a value for a parameter (RFC 3461 section 4): printable ASCII but "+" and "=" stands for itself. */
export function xtext(value: string): string {
  if (/^[!-*,-<>-~]*$/.test(value)) return value;
  return value.replace(/[^!-*,-<>-~]+/gu, (run) => Buffer.from(run).reduce((text, byte) => `${text}+${hex(byte)}`, ""));
}

/** Encodes an address of type utf-8 (RFC 6533 section 3); `\x{…}` that is already there stays. */
const utf8Xtext = (value: string): string =>
  value.replace(/[^!-*,-<>-~]/gu, (char) => `\\x{${hex(char.codePointAt(0) ?? 0)}}`);

/** An original recipient: the address type as it is, the address encoded. */
export function orcptText(orcpt: string): string {
  const split = orcpt.indexOf(";") + 1;
  const type = orcpt.slice(0, split);
  const address = orcpt.slice(split);
  return xtext(type.slice(0, -1)) + type.slice(-1) + (type.toLowerCase() === "utf-8;" ? utf8Xtext : xtext)(address);
}
