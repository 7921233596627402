/** What the world finds of us in DNS: addresses and names of the host, and MX, SPF, DMARC and DKIM of the local domains. */

import { findKey, KEY_POLICY } from "../../authenticity/dkim/key.ts";
import { readAlgorithm } from "../../authenticity/dkim/signature.ts";
import { checkHost } from "../../authenticity/spf/check.ts";
import type { Config } from "../../config/schema.ts";
import { isNearbyIp } from "../../kit/ip.ts";
import { type Names, reverseName } from "../../kit/names.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { fail, type Line, ok, unknown, warn } from "./line.ts";

const DOMAINS_MAX = 20;
/** An address that nobody has: whom everybody may send for, it may. */
const ANYBODY = "192.0.2.1";
const RSA_BITS_GOOD = 2048;

export interface DnsQuestion {
  readonly config: Config;
  readonly names: Names;
  /** Of DKIM keys, as far as somebody named them. */
  readonly selectors: readonly string[];
  readonly nowMs: number;
}

export async function dnsLines(question: DnsQuestion): Promise<Line[]> {
  const host = await hostLines(question);
  const plain = question.config.localDomains.filter((domain) => !domain.startsWith("*."));
  const domains = plain.slice(0, DOMAINS_MAX).map((domain) => domainLines(question, domain, host.addresses));
  const more = plain.length - DOMAINS_MAX;
  return [
    ...host.lines,
    ...(await Promise.all(domains)).flat(),
    ...(more > 0 ? [warn("domains", `${more} further domains were not looked at`, "ask by hand")] : []),
  ];
}

/** A question that nobody answers is a line of its own. */
async function asked(about: string, ask: () => Promise<Line[]>): Promise<Line[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return [unknown(about, "DNS does not answer", "look at dns.servers")];
  }
}

async function hostLines({ config, names }: DnsQuestion): Promise<{ lines: Line[]; addresses: string[] }> {
  const host = config.hostname.toLowerCase();
  const about = `hostname ${host}`;
  if (!/^[^.]+\.[^.]/.test(host) || host.endsWith(".localdomain")) {
    const advice = "hostname: the full name of this host, as its PTR says it";
    return { lines: [fail(about, "is no full domain name", advice)], addresses: [] };
  }
  const addresses: string[] = [];
  const lines = await asked(about, async () => {
    const [v4, v6] = await Promise.all([names.ask(host, "A"), names.ask(host, "AAAA")]);
    addresses.push(...v4.records, ...v6.records);
    if (addresses.length === 0) return [fail(about, "has no address", "an A or AAAA record for it")];
    const nearby = addresses.filter(isNearbyIp);
    if (nearby.length > 0)
      return [warn(about, `has addresses of this network only: ${nearby.join(", ")}`, "its public address")];
    return [ok(about, `has ${addresses.join(", ")}`)];
  });
  const reverse = addresses
    .filter((ip) => !isNearbyIp(ip))
    .map((ip) => asked(`PTR of ${ip}`, () => reverseLines(names, ip, host)));
  return { lines: [...lines, ...(await Promise.all(reverse)).flat()], addresses };
}

async function reverseLines(names: Names, ip: string, host: string): Promise<Line[]> {
  const about = `PTR of ${ip}`;
  const { records } = await names.ask(reverseName(ip), "PTR");
  if (records.includes(host)) return [ok(about, `is ${host}, which has that address`)];
  const advice = `ask whoever gave you the address for the PTR ${host}`;
  return records.length === 0
    ? [fail(about, "is missing: many servers refuse mail from it", advice)]
    : [warn(about, `is ${records.slice(0, 3).join(", ")}, not the hostname`, advice)];
}

async function domainLines(question: DnsQuestion, domain: string, addresses: readonly string[]): Promise<Line[]> {
  const { names, selectors } = question;
  const parts = [
    asked(`MX of ${domain}`, () => mxLines(question, domain)),
    asked(`SPF of ${domain}`, () => spfLines(question, domain, addresses)),
    asked(`DMARC of ${domain}`, () => dmarcLines(names, domain)),
    ...selectors.map((selector) => asked(`DKIM ${selector} of ${domain}`, () => dkimLines(names, domain, selector))),
  ];
  const keys = selectors.length > 0 ? [] : [noSelector(domain)];
  return [...(await Promise.all(parts)).flat(), ...keys];
}

const noSelector = (domain: string): Line =>
  unknown(
    `DKIM of ${domain}`,
    "which keys sign for it is not written here",
    "name them: consentry doctor --selector NAME",
  );

async function mxLines({ names, config }: DnsQuestion, domain: string): Promise<Line[]> {
  const about = `MX of ${domain}`;
  const { records } = await names.ask(domain, "MX");
  if (records.some(({ host }) => host === "")) {
    return [fail(about, "says that the domain takes no mail (RFC 7505)", "an MX, or take it out of localDomains")];
  }
  if (records.length === 0) {
    const { records: own } = await names.ask(domain, "A");
    const advice = `an MX: 10 ${config.hostname}`;
    return own.length > 0
      ? [warn(about, "is missing; mail goes to the domain's own address", advice)]
      : [fail(about, "is missing: nobody can write to it", advice)];
  }
  const hosts = records.map(({ host }) => host);
  const dead: string[] = [];
  for (const host of hosts.slice(0, 10)) {
    const [v4, v6] = await Promise.all([names.ask(host, "A"), names.ask(host, "AAAA")]);
    if (v4.records.length + v6.records.length === 0) dead.push(host);
  }
  if (dead.length > 0) return [fail(about, `names hosts without an address: ${dead.join(", ")}`, "records for them")];
  if (hosts.includes(config.hostname.toLowerCase())) return [ok(about, `is ${hosts.join(", ")}`)];
  return [
    warn(about, `is ${hosts.join(", ")}, and not this host`, "fine where another host passes its mail on to this one"),
  ];
}

async function spfLines(
  { names, config, nowMs }: DnsQuestion,
  domain: string,
  ips: readonly string[],
): Promise<Line[]> {
  const about = `SPF of ${domain}`;
  const { hostname } = config;
  const check = (ip: string) =>
    checkHost(names, { ip, domain, sender: `postmaster@${domain}`, helo: hostname, receiver: hostname, nowMs });
  const everybody = await check(ANYBODY);
  if (everybody.result === "none")
    return [warn(about, "is missing: nobody can tell forged mail", "v=spf1 mx -all, or the like")];
  if (everybody.result === "permerror")
    return [fail(about, `cannot be used: ${everybody.because ?? ""}`, "mend the record")];
  if (everybody.result === "temperror") return [unknown(about, "DNS does not answer", "ask again later")];
  if (everybody.result === "pass") return [fail(about, "lets everybody send for it", "end it with -all")];
  const ours = await Promise.all(ips.filter((ip) => !isNearbyIp(ip)).map(async (ip) => ({ ip, ...(await check(ip)) })));
  const shut = ours.filter(({ result }) => result !== "pass");
  if (shut.length === 0) return [ok(about, `is there${ips.length > 0 ? " and lets this host send" : ""}`)];
  const found = shut.map(({ ip, result }) => `${result} for ${ip}`).join(", ");
  return [
    warn(about, `does not let this host send: ${found}`, "fine where another host sends; else add mx or its address"),
  ];
}

async function dmarcLines(names: Names, domain: string): Promise<Line[]> {
  const about = `DMARC of ${domain}`;
  const { records } = await names.ask(`_dmarc.${domain}`, "TXT");
  const policies = records.filter((text) => /^v=DMARC1\s*(?:;|$)/.test(text));
  const [policy = ""] = policies;
  if (policies.length === 0) {
    return [
      warn(about, "is missing: forged mail of the domain is taken", "_dmarc TXT v=DMARC1; p=quarantine; rua=mailto:…"),
    ];
  }
  if (policies.length > 1) return [fail(about, "is there more than once: none of it counts", "one record")];
  const asks = /;\s*p\s*=\s*(\w+)/i.exec(policy)?.[1]?.toLowerCase();
  if (asks === "reject" || asks === "quarantine") return [ok(about, `asks for ${asks}`)];
  const found = asks === "none" ? "only watches (p=none)" : "says no policy that is known";
  return [warn(about, found, "p=quarantine or p=reject, once its reports show no mail of yours")];
}

async function dkimLines(names: Names, domain: string, selector: string): Promise<Line[]> {
  const about = `DKIM ${selector} of ${domain}`;
  const found: string[] = [];
  for (const kind of ["rsa-sha256", "ed25519-sha256"]) {
    const algorithm = readAlgorithm(kind);
    if (!algorithm) continue;
    const key = await findKey(names, { domain, selector }, { algorithm, policy: KEY_POLICY });
    if ("because" in key) {
      found.push(key.because);
      continue;
    }
    if (key.testing) return [warn(about, "only tries it out (t=y)", "take t=y away")];
    const isShort = kind.startsWith("rsa") && key.bits < RSA_BITS_GOOD;
    return [isShort ? warn(about, `has ${key.bits} bits`, "a key of 2048 bits") : ok(about, `has a key for ${kind}`)];
  }
  return [fail(about, `cannot be used: ${found[0] ?? "no key"}`, "the key that signs, or stop signing with it")];
}
