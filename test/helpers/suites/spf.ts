/** The SPF suites: openspf.org's YAML (RFC 7208, RFC 4408, pyspf's own) and a line format of another implementation. */
import { readdirSync, readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import type { ZoneRecord } from "../../../scripts/lib/dns/records.ts";
import type { ZoneEntry } from "../../../scripts/lib/dns/server.ts";
import { reverseName } from "../../../src/kit/names.ts";
import { hasSuite, suitePath } from "./corpus.ts";

export interface SpfCase {
  readonly file: string;
  readonly name: string;
  readonly ip: string;
  readonly helo: string;
  /** "" for the null sender. */
  readonly sender: string;
  /** HELO is checked first, and MAIL FROM when that passes. */
  readonly checksHelo?: boolean;
  /** pyspf's own ways: 0 is lax, 2 is harsh. */
  readonly strict?: number;
  /** Any of these will do. */
  readonly results: readonly string[];
  /** absent: not asked about; "DEFAULT": the domain's owner says nothing. */
  readonly explanation?: string;
  readonly zone: ReadonlyMap<string, readonly ZoneEntry[]>;
}

export function spfCases(): SpfCase[] {
  if (!hasSuite("auth-spf")) return [];
  return readdirSync(suitePath("auth-spf"))
    .filter((file) => file.endsWith(".yml"))
    .flatMap((file) => {
      const text = readFileSync(suitePath("auth-spf", file), "utf8");
      return file.startsWith("stalwart-") ? lineCases(file, text) : yamlCases(file, text);
    });
}

interface Suite {
  readonly tests?: Readonly<Record<string, YamlCase>>;
  readonly zonedata?: Readonly<Record<string, readonly unknown[]>>;
}

interface YamlCase {
  readonly host: string;
  readonly helo: string;
  readonly mailfrom?: string;
  readonly result: string | readonly string[];
  readonly explanation?: string;
  readonly strict?: number;
}

const yamlCases = (file: string, text: string): SpfCase[] =>
  parseAllDocuments(text).flatMap((document) => {
    const { tests = {}, zonedata = {} } = (document.toJS() ?? {}) as Suite;
    const zone = zoneFrom(zonedata);
    return Object.entries(tests).map(([name, each]) => ({
      file,
      name,
      ip: each.host,
      helo: each.helo,
      sender: each.mailfrom ?? "",
      results: [each.result].flat().map((result) => result.toLowerCase()),
      ...(each.explanation !== undefined && { explanation: each.explanation }),
      ...(each.strict !== undefined && { strict: each.strict }),
      zone,
    }));
  });

/** A name with SPF records (type 99, obsolete) and no TXT has them as TXT: so the suites want to be read. */
function zoneFrom(data: Readonly<Record<string, readonly unknown[]>>): Map<string, ZoneEntry[]> {
  const zone = new Map<string, ZoneEntry[]>();
  for (const [name, records] of Object.entries(data)) {
    const entries: ZoneEntry[] = [];
    const spf: ZoneEntry[] = [];
    let hasTxt = false;
    for (const record of records) {
      if (record === "TIMEOUT") entries.push({ silence: true });
      if (typeof record !== "object" || record === null) continue;
      for (const [type, value] of Object.entries(record)) {
        if (type === "TXT") hasTxt = true;
        if (value === "TIMEOUT") entries.push({ silence: (type === "SPF" ? "TXT" : type) as ZoneRecord["type"] });
        else if (type === "SPF") spf.push({ type: "TXT", value: stringsOf(value) });
        else if (!(type === "TXT" && value === "NONE")) entries.push(entryOf(type, value));
      }
    }
    zone.set(name.toLowerCase().replace(/\.$/, ""), hasTxt ? entries : [...entries, ...spf]);
  }
  return zone;
}

const stringsOf = (value: unknown): Buffer[] => {
  const strings = [value].flat();
  return (strings.length === 0 ? [""] : strings).map((text) => Buffer.from(String(text)));
};

function entryOf(type: string, value: unknown): ZoneEntry {
  if (type === "TXT") return { type, value: stringsOf(value) };
  if (type === "MX") {
    const [preference, host] = value as [number, string];
    return { type, value: [preference, host] };
  }
  return { type: type as "A", value: String(value) };
}

/** Blocks between "---": records as "type: name value", tests as lists of "key: value". */
const lineCases = (file: string, text: string): SpfCase[] =>
  text.split(/^---$/m).flatMap((block, at) => lineBlock(file, block, at));

/** Each "expect" ends a case; what an item does not say again holds on. Records inside an item are its own. */
function lineBlock(file: string, block: string, at: number): SpfCase[] {
  const shared = new Map<string, ZoneEntry[]>([["_dns_error.org", [{ rcode: 2 }]]]);
  const cases: SpfCase[] = [];
  let part = "";
  const item: Record<string, string> = {};
  let zone = shared;
  for (const line of block.split("\n")) {
    const [, key = "", value = ""] = /^\s*(?:- )?([a-z]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === "" || line.startsWith("#")) continue;
    if (!line.startsWith(" ")) part = key;
    else if (part === "records") addLine(shared, key, value);
    else if (part === "tests") {
      if (/^\s*- /.test(line)) zone = new Map(shared);
      if (["spf", "a", "mx", "ptr", "exp"].includes(key)) addLine(zone, key, value);
      else if (key === "expect") cases.push(lineCase(file, `${at + 1}.${cases.length + 1}`, { item, value, zone }));
      else item[key] = value;
    }
  }
  return cases;
}

function lineCase(
  file: string,
  name: string,
  { item, value, zone }: { item: Record<string, string>; value: string; zone: Map<string, ZoneEntry[]> },
): SpfCase {
  const [result = "", ...words] = value.split(" ");
  const { domain = "", sender = "", ip = "" } = item;
  const explanation = words.length > 0 ? { explanation: words.join(" ") } : {};
  return { file, name, ip, helo: domain, sender, checksHelo: true, results: [result], zone, ...explanation };
}

function addLine(zone: Map<string, ZoneEntry[]>, type: string, rest: string): void {
  const [, name = "", value = ""] = /^(\S+)\s*(.*)$/.exec(rest) ?? [];
  const add = (owner: string, entry: ZoneEntry): void => {
    const key = owner.toLowerCase().replace(/\.$/, "");
    zone.set(key, [...(zone.get(key) ?? []), entry]);
  };
  const values = value.split(/[\s,]+/).filter(Boolean);
  if (type === "ptr") for (const host of values) add(reverseName(name), { type: "PTR", value: host });
  else if (type === "mx") {
    // Addresses stand where a name should: each gets one.
    for (const [index, ip] of values.entries()) {
      add(name, { type: "MX", value: [index, `host${index}.${name}`] });
      add(`host${index}.${name}`, { type: ip.includes(":") ? "AAAA" : "A", value: ip });
    }
  } else if (type === "a") {
    for (const ip of values) add(name, { type: ip.includes(":") ? "AAAA" : "A", value: ip });
  } else add(name, { type: "TXT", value: [value] });
}
