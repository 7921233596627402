/** SPF records (RFC 7208 4.5, 5, 12): the whole record is read before any of it is used, because one error makes all of it void. */
import { isIPv4, isIPv6 } from "node:net";
import { type MacroString, parseDomainSpec, parseMacros } from "./macro.ts";
import { addressBytes } from "./network.ts";

export type Qualifier = "pass" | "fail" | "softfail" | "neutral";

export type Mechanism =
  | { readonly kind: "all" }
  | { readonly kind: "include" | "exists"; readonly domain: MacroString }
  | { readonly kind: "ptr"; readonly domain?: MacroString }
  | { readonly kind: "a" | "mx"; readonly domain?: MacroString; readonly bits4: number; readonly bits6: number }
  | { readonly kind: "ip"; readonly network: Uint8Array; readonly bits: number };

export interface Directive {
  readonly qualifier: Qualifier;
  readonly mechanism: Mechanism;
  /** As written, for the evidence. */
  readonly text: string;
}

export interface SpfRecord {
  readonly directives: readonly Directive[];
  readonly redirect?: MacroString;
  readonly explanation?: MacroString;
}

const QUALIFIERS: Readonly<Record<string, Qualifier>> = { "+": "pass", "-": "fail", "~": "softfail", "?": "neutral" };
const DIRECTIVE = /^([+\-?~]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?=[:/]|$)(.*)$/i;
const MODIFIER = /^([a-z][a-z0-9_.-]*)=(.*)$/i;

export const isSpfRecord = (text: string): boolean => /^v=spf1(?: |$)/i.test(text);

const RECORDS_KEPT = 4096;
const known = new Map<string, SpfRecord | undefined>();

/** Reads a record that begins with v=spf1. undefined: a syntax error. Read once: the same few records judge most mail. */
export function readSpfRecord(text: string): SpfRecord | undefined {
  if (known.has(text)) return known.get(text);
  if (known.size >= RECORDS_KEPT) known.clear();
  const record = parse(text);
  known.set(text, record);
  return record;
}

function parse(text: string): SpfRecord | undefined {
  if (!/^[\x20-\x7e]*$/.test(text)) return undefined;
  const directives: Directive[] = [];
  const modifiers: { redirect?: MacroString; explanation?: MacroString } = {};
  for (const term of text.split(" ").slice(1)) {
    if (term === "") continue;
    const modifier = MODIFIER.exec(term);
    if (modifier) {
      if (!takeModifier(modifiers, modifier)) return undefined;
      continue;
    }
    const match = DIRECTIVE.exec(term);
    const mechanism = match && readMechanism((match[2] ?? "").toLowerCase(), match[3] ?? "");
    if (!mechanism) return undefined;
    directives.push({ qualifier: QUALIFIERS[match[1] || "+"] ?? "pass", mechanism, text: term });
  }
  return { directives, ...modifiers };
}

function takeModifier(
  modifiers: { redirect?: MacroString; explanation?: MacroString },
  [, name = "", value = ""]: RegExpExecArray,
): boolean {
  const key = { redirect: "redirect", exp: "explanation" }[name.toLowerCase()] as keyof typeof modifiers | undefined;
  if (!key) return parseMacros(value, { explanation: true }) !== undefined;
  const domain = parseDomainSpec(value);
  if (!domain || modifiers[key]) return false;
  modifiers[key] = domain;
  return true;
}

function readMechanism(name: string, rest: string): Mechanism | undefined {
  switch (name) {
    case "all":
      return rest === "" ? { kind: "all" } : undefined;
    case "include":
    case "exists": {
      const domain = rest.startsWith(":") ? parseDomainSpec(rest.slice(1)) : undefined;
      return domain && { kind: name, domain };
    }
    case "ptr": {
      if (rest === "") return { kind: "ptr" };
      const domain = rest.startsWith(":") ? parseDomainSpec(rest.slice(1)) : undefined;
      return domain && { kind: "ptr", domain };
    }
    case "a":
    case "mx":
      return readHosts(name, rest);
    default:
      return readNetwork(name, rest);
  }
}

function readHosts(kind: "a" | "mx", rest: string): Mechanism | undefined {
  const match = /^(?::(.*?))?(?:\/(0|[1-9]\d{0,2}))?(?:\/\/(0|[1-9]\d{0,2}))?$/.exec(rest);
  if (!match) return undefined;
  const [bits4, bits6] = [Number(match[2] ?? 32), Number(match[3] ?? 128)];
  if (bits4 > 32 || bits6 > 128) return undefined;
  if (match[1] === undefined) return { kind, bits4, bits6 };
  const domain = parseDomainSpec(match[1]);
  return domain && { kind, domain, bits4, bits6 };
}

function readNetwork(name: string, rest: string): Mechanism | undefined {
  const match = /^:([0-9a-f.:]+)(?:\/(0|[1-9]\d{0,2}))?$/i.exec(rest);
  const address = match?.[1] ?? "";
  const family = name === "ip4" ? isIPv4(address) : isIPv6(address);
  const network = family ? addressBytes(address) : undefined;
  if (!match || !network) return undefined;
  const bitsMax = network.length * 8;
  const bits = Number(match[2] ?? bitsMax);
  return bits <= bitsMax ? { kind: "ip", network, bits } : undefined;
}
