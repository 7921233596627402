import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** A compiled list of addresses and CIDR ranges. */
export interface IpRanges {
  has(ip: string): boolean;
  /** Length of the longest matching prefix, IPv4 counted as its mapped IPv6; undefined: none matches. */
  narrowest(ip: string): number | undefined;
}

const MAPPED_BITS = 96;

// isIP decides what is an address: ipaddr.js alone also takes "1.2.3", octal and hexadecimal forms.

/** The canonical text of an address: IPv4-mapped IPv6 as IPv4, IPv6 compressed. undefined: no address. */
export function canonicalIp(text: string): string | undefined {
  return isIP(text) ? ipaddr.process(text).toString() : undefined;
}

/** Reads "192.0.2.0/24", "2001:db8::/32" or a bare address. undefined: neither. */
function parseRange(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined {
  if (!isIP(text.replace(/\/\d{1,3}$/, ""))) return undefined;
  try {
    if (text.includes("/")) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch {
    return undefined;
  }
}

export const isIpRange = (text: string): boolean => parseRange(text) !== undefined;

/**
 * Compiles ranges once, for many questions.
 * @throws TypeError naming the first that is neither address nor CIDR range (config checks them before)
 */
export function ipRanges(list: readonly string[]): IpRanges {
  const ranges = list.map((text) => {
    const range = parseRange(text);
    if (!range) throw new TypeError(`not an address or CIDR range: ${text}`);
    return range;
  });
  const narrowest = (ip: string): number | undefined => {
    if (ranges.length === 0 || !isIP(ip)) return undefined;
    const address = ipaddr.process(ip);
    let best: number | undefined;
    for (const [network, bits] of ranges) {
      if (network.kind() !== address.kind() || !address.match(network, bits)) continue;
      const length = address.kind() === "ipv4" ? bits + MAPPED_BITS : bits;
      if (best === undefined || length > best) best = length;
    }
    return best;
  };
  return { narrowest, has: (ip) => narrowest(ip) !== undefined };
}

/** An address that can only be this machine. */
export const isLoopback = (ip: string): boolean => isIP(ip) !== 0 && ipaddr.process(ip).range() === "loopback";

/** Bits by which addresses usually belong to one holder: a /24, a /48. */
const NETWORK_BITS = { ipv4: 24, ipv6: 48 } as const;

/** The network an address lies in, as "192.0.2.0/24" or "2001:db8::/48"; the text itself when it is no address. */
export function networkOf(ip: string): string {
  if (!isIP(ip)) return ip;
  const address = ipaddr.process(ip);
  const kind = address.kind();
  const bytes = address.toByteArray();
  const kept = bytes.map((byte, at) => (8 * at < NETWORK_BITS[kind] ? byte : 0));
  return `${ipaddr.fromByteArray(kept).toString()}/${NETWORK_BITS[kind]}`;
}
