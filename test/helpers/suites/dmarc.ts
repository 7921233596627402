/**
 * Mails of three projects that are about DMARC, with what each project's own tests expect. Their DNS is made up here or lies in
 * rspamd.zone; reports (XML, JSON) are no mails to judge and are left out.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type Zone, zoneOf } from "../../../scripts/lib/dns/server.ts";
import type { SignedMail } from "../../../src/authenticity/dkim/verify.ts";
import { suitePath } from "./corpus.ts";
import { mailOf, rspamdZone } from "./dkim.ts";

export interface DmarcCase {
  readonly name: string;
  readonly mail: SignedMail;
  readonly ip: string;
  readonly sender: string;
  readonly zone: Zone;
  readonly edition: "rfc9989" | "rfc7489";
  /** "pass", "none", "permerror", "temperror", or "fail reject": the result and the policy. */
  readonly expected: string;
  /** "pass" when a DKIM signature must verify, "not-pass" when none may. */
  readonly dkim?: "pass" | "not-pass";
}

const mail = (...path: string[]): SignedMail => mailOf(readFileSync(suitePath("auth-dmarc-ar", ...path)));
const eml = (folder: string): string[] => {
  const path = suitePath("auth-dmarc-ar", folder);
  return existsSync(path)
    ? readdirSync(path)
        .filter((file) => file.endsWith(".eml"))
        .sort()
    : [];
};

export const dmarcCases = (): DmarcCase[] => [...rspamdCases(), ...spamassassinCases(), ...milterCases()];

const REJECT = "fail reject";
const NONE = "fail none";

/** What the name of the mail promises; the envelope is that of the project's own test where it has one. */
const RSPAMD: readonly (readonly [
  pattern: RegExp,
  expected: string,
  envelope?: readonly [ip: string, sender: string],
])[] = [
  [/^pass_/, "pass"],
  [/^fail_none1/, "none"],
  [/^fail_none/, NONE],
  [/^fail_reject/, REJECT, ["1.2.3.4", "foo@example.net"]],
  [/^fail_quarantine/, "fail quarantine", ["1.2.3.4", "foo@example.net"]],
  [/^subdomain_fail_none/, NONE],
  [/^subdomain_fail_reject/, REJECT],
  [/^subdomain_fail_quarantine/, "fail quarantine"],
  [/^onsubdomain_fail_alignment/, REJECT],
  [/^onsubdomain_pass_relaxed/, "pass"],
  [/^onsubdomain_fail/, "pass", ["37.48.67.26", "foo@mom.za.org"]],
  [/^dmarc_tmpfail/, "temperror", ["37.48.67.26", "foo@mom.za.org"]],
  [/^pct_none1/, NONE, ["37.48.67.26", "foo@mom.za.org"]],
  [/^pct_none/, "fail quarantine", ["37.48.67.26", "foo@mom.za.org"]],
  [/^(?:bad|good|no)_dkim|^dkim_unknown/, ""],
];

const rspamdCases = (): DmarcCase[] =>
  eml("rspamd").flatMap((file) => {
    const [, expected = "", envelope = ["127.0.0.1", ""]] = RSPAMD.find(([pattern]) => pattern.test(file)) ?? [];
    const dkim = /^(?:good_dkim|dkim_unknown)/.test(file) ? "pass" : /^bad_dkim/.test(file) ? "not-pass" : undefined;
    const [ip = "", sender = ""] = envelope;
    // pct is of RFC 7489, and so is an organisation by the Public Suffix List, which these domains were made for.
    const common = { mail: mail("rspamd", file), ip, sender, zone: rspamdZone(), edition: "rfc7489" as const };
    return [{ name: `rspamd/${file}`, ...common, expected, ...(dkim && { dkim }) }];
  });

/** Four domains, one for each policy; "ok" mails come from the address their SPF record names. */
const spamassassinCases = (): DmarcCase[] =>
  eml("spamassassin").map((file) => {
    const read = mail("spamassassin", file);
    const domain = /@([\w.-]+)/.exec(read.headers.first("from") ?? "")?.[1] ?? "";
    const ip = /\[([0-9.]+)\]/.exec(read.headers.first("received") ?? "")?.[1] ?? "";
    const policy = /reject/.test(file) ? "reject" : /quar/.test(file) ? "quarantine" : "none";
    const strict = file.includes("strict") ? "; adkim=s; aspf=s" : "";
    const passes = file.startsWith("nice_");
    const published = file.includes("nodmarc") ? [] : [`_dmarc.${domain} TXT v=DMARC1; p=${policy}${strict}`];
    const zone = zoneOf([...published, `${domain} TXT v=spf1 ip4:${passes ? ip : "192.0.2.99"} -all`]);
    const expected = published.length === 0 ? "none" : passes ? "pass" : `fail ${policy}`;
    return {
      name: `spamassassin/${file}`,
      mail: read,
      ip,
      sender: `test@${domain}`,
      zone,
      edition: "rfc9989",
      expected,
    };
  });

/** goestheweasel.com asks for reject, example.com for nothing; the client is never one of theirs. */
const MILTER_ZONE = zoneOf([
  "goestheweasel.com TXT v=spf1 -all",
  "_dmarc.goestheweasel.com TXT v=DMARC1; p=reject",
  "example.com TXT v=spf1 -all",
  "_dmarc.example.com TXT v=DMARC1; p=none",
]);

const milterCases = (): DmarcCase[] =>
  eml("authentication_milter/source").map((file) => {
    const read = mail("authentication_milter/source", file);
    const domains = [...(read.headers.first("from") ?? "").matchAll(/@([\w.-]+)/g)].map((match) =>
      (match[1] ?? "").toLowerCase(),
    );
    const expected = domains.includes("goestheweasel.com")
      ? REJECT
      : domains.includes("example.com")
        ? NONE
        : domains.length > 0
          ? ""
          : "permerror";
    const sender = `test@${domains[0] ?? "example.com"}`;
    return {
      name: `authentication_milter/${file}`,
      mail: read,
      ip: "1.2.3.4",
      sender,
      zone: MILTER_ZONE,
      edition: "rfc9989",
      expected,
    };
  });

/** Fields that another program wrote, with the name of the server they claim to be by. */
export function writtenResults(): { name: string; header: Buffer; hostname: string }[] {
  return eml("authentication_milter/expected").flatMap((name) => {
    const text = readFileSync(suitePath("auth-dmarc-ar/authentication_milter/expected", name)).toString("latin1");
    const from = text.search(/^Authentication-Results:/m);
    const hostname = /^Authentication-Results:\s*([^\s;]+)/m.exec(text)?.[1];
    return hostname === undefined
      ? []
      : [{ name, header: Buffer.from(text.slice(from).replace(/\r?\n/g, "\r\n"), "latin1"), hostname }];
  });
}
