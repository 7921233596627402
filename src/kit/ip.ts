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

/** How long a prefix of each family is. */
export interface PrefixBits {
  readonly v4: number;
  readonly v6: number;
}

/**
 * The network of so many bits that an address lies in, as canonical CIDR text: "203.0.113.0/24", "2001:db8::/64".
 * @throws TypeError for what is no address (doors give none)
 */
export function networkOf(ip: string, { v4, v6 }: PrefixBits): string {
  // Asked of every stranger's connection, and mostly so.
  if (v4 === 32 && isIP(ip) === 4) return `${ip}/32`;
  if (v4 === 24 && isIP(ip) === 4) return `${ip.slice(0, ip.lastIndexOf("."))}.0/24`;
  const address = parsed(ip);
  return rangeText(address.toByteArray(), address.kind() === "ipv4" ? v4 : v6);
}

/** Host bits cleared. */
function rangeText(bytes: readonly number[], bits: number): string {
  const kept = bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - index * 8))));
  return `${kept.length === 4 ? kept.join(".") : ipaddr.fromByteArray(kept).toString()}/${bits}`;
}

/** A range as `networkOf` would write it, host bits cleared; undefined: neither address nor CIDR range. */
export function canonicalRange(text: string): string | undefined {
  const range = parseRange(text);
  if (!range) return undefined;
  const [address, bits] = range;
  return networkOf(address.toString(), { v4: bits, v6: bits });
}

/** Every network of the given lengths that an address lies in, narrowest last. */
export function networksAround(
  ip: string,
  lengths: { readonly v4: readonly number[]; readonly v6: readonly number[] },
) {
  const address = parsed(ip);
  const bytes = address.toByteArray();
  return (address.kind() === "ipv4" ? lengths.v4 : lengths.v6).map((bits) => rangeText(bytes, bits));
}

/** Octets of an address, 4 or 16; IPv4-mapped IPv6 as IPv4. undefined: no address. */
export const ipBytes = (ip: string): number[] | undefined => (isIP(ip) ? ipaddr.process(ip).toByteArray() : undefined);

const LOCAL = new Set(["loopback", "private", "linkLocal", "uniqueLocal", "carrierGradeNat", "unspecified"]);

/** An address that means something only nearby: loopback, private, link-local, shared. Nobody else can know it. */
export const isNearbyIp = (ip: string): boolean => isIP(ip) !== 0 && LOCAL.has(ipaddr.process(ip).range());

function parsed(ip: string): ipaddr.IPv4 | ipaddr.IPv6 {
  if (!isIP(ip)) throw new TypeError(`not an address: ${ip}`);
  return ipaddr.process(ip);
}
