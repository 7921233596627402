/** Signed and mis-signed mails of several implementations, with the DNS that each set brings. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Zone, type ZoneEntry, zoneOf } from "../../../scripts/lib/dns/server.ts";
import type { SignedMail } from "../../../src/authenticity/dkim/verify.ts";
import { Headers } from "../../../src/mail/headers.ts";
import { hasSuite, suitePath } from "./corpus.ts";

export type Expected = "pass" | "not-pass" | "any";

export interface DkimCase {
  readonly name: string;
  readonly expected: Expected;
  readonly mail: SignedMail;
  readonly zone: Zone;
}

export function mailOf(text: string | Buffer): SignedMail {
  const bytes = Buffer.from(text.toString("latin1").replace(/\r?\n/g, "\r\n"), "latin1");
  const empty = bytes.subarray(0, 2).toString() === "\r\n" ? 0 : bytes.indexOf("\r\n\r\n") + 2;
  const end = empty === 1 ? bytes.length : empty + 2;
  const block = bytes.subarray(0, end);
  return { block, headers: Headers.parse(block), body: bytes.subarray(end) };
}

/** Mails of the DKIM2 draft: another protocol, which nothing here speaks. */
export const dkim2Mails = (): number => filesBelow(suitePath("auth-dkim", "stalwart-dkim2")).length;

export function dkimCases(): DkimCase[] {
  if (!hasSuite("auth-dkim")) return [];
  const zones: Readonly<Record<string, Zone>> = { "mail-dkim": fakeDns(), rspamd: rspamdZone() };
  return ["mail-dkim", "spamassassin", "rspamd", "stalwart-dkim", "mailauth", "jdkim"].flatMap((set) =>
    filesBelow(suitePath("auth-dkim", set)).map((path) => {
      const text = readFileSync(path).toString("latin1");
      const [zone, content] = set === "stalwart-dkim" ? embedded(text) : [zones[set] ?? new Map(), text];
      const name = path.slice(suitePath("auth-dkim").length + 1);
      return { name, expected: expectedOf(name), mail: mailOf(Buffer.from(content, "latin1")), zone };
    }),
  );
}

function expectedOf(name: string): Expected {
  if (name.startsWith("mail-dkim/")) {
    return /\/(?:good|goodkey|mine|multiple|dk_multiple|no_body|dk_headers)_/.test(name) ? "pass" : "not-pass";
  }
  if (name.startsWith("stalwart-dkim/")) return "pass";
  if (/dkim2|huge_hlist|large_hlist|key_too|broken|revoked|bad_dkim|[-_]fail[-_]|FAIL_|adsp/.test(name))
    return "not-pass";
  return /^rspamd\/(?!dkim_many)|[-_]pass[-_]|nice_/.test(name) ? "pass" : "any";
}

const filesBelow = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
        .map((name) => join(folder, name))
        .filter((path) => statSync(path).isFile() && /\.(?:txt|eml|msg)$|nice_/.test(path))
        .sort()
    : [];

/** "name value" lines; "~~words~~" is a DNS error, NXDOMAIN is what it says. */
function fakeDns(): Zone {
  const zone = new Map<string, ZoneEntry[]>();
  for (const line of readFileSync(suitePath("auth-dkim/shared/mail-dkim/FAKE_DNS.dat"), "utf8").split("\n")) {
    const [, name = "", value = ""] = /^([^\s#;]\S*)\s+(.*)$/.exec(line) ?? [];
    if (name === "" || value === "NXDOMAIN") continue;
    const entry: ZoneEntry = value.startsWith("~~") ? { rcode: 2 } : { type: "TXT", value: [Buffer.from(value)] };
    zone.set(name.toLowerCase(), [entry]);
  }
  return zone;
}

/** Key lines, an empty line, the mail. */
function embedded(text: string): [Zone, string] {
  const [, keys = "", mail = ""] = /^(.*?)\r?\n\r?\n(.*)$/s.exec(text) ?? [];
  return [zoneOf(keys.split(/\r?\n/).map((line) => line.replace(/^(\S+)\s+/, "$1 TXT "))), mail];
}

/** What the DNS of that project's functional tests says. */
export const rspamdZone = (): Zone =>
  zoneOf(
    readFileSync(join(import.meta.dirname, "rspamd.zone"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#")),
  );
