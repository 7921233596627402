import { isIP } from "node:net";

const ADDRESSES_KEPT = 8192;
const known = new Map<string, Uint8Array | undefined>();

/** An address as bytes: 4 for IPv4, 16 for IPv6. A mapped address stays IPv6. undefined: no address. Read once: few are asked often. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (known.has(text)) return known.get(text);
  if (known.size >= ADDRESSES_KEPT) known.clear();
  const bytes = readAddress(text);
  known.set(text, bytes);
  return bytes;
}

function readAddress(text: string): Uint8Array | undefined {
  const family = isIP(text);
  if (family === 4) return Uint8Array.from(text.split("."), Number);
  if (family !== 6 || text.includes("%")) return undefined;
  const groups = groupsOf(text);
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(address: string): number[] {
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(":"),
  );
  const [front = "", back] = text.split("::");
  const head = front.split(":").filter(Boolean);
  const tail = (back ?? "").split(":").filter(Boolean);
  const zeros = Array.from({ length: back === undefined ? 0 : 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
}

/** Do two addresses of one family agree in their first bits? */
export function agree(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  if (a.length !== b.length) return false;
  const whole = bits >> 3;
  for (let at = 0; at < whole; at += 1) if (a[at] !== b[at]) return false;
  const rest = bits & 7;
  return rest === 0 || (((a[whole] ?? 0) ^ (b[whole] ?? 0)) & (0xff00 >> rest) & 0xff) === 0;
}

/** 32 hexadecimal digits with dots between them, for the macro i of IPv6 (RFC 7208 7.3). */
export const nibbles = (bytes: Uint8Array): string =>
  [...bytes]
    .flatMap((byte) => [(byte >> 4).toString(16), (byte & 15).toString(16)])
    .join(".")
    .toUpperCase();
