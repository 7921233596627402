import { type Names, reverseName } from "../kit/names.ts";
import { Unavailable } from "../kit/trouble.ts";

/** RFC 8601 2.7.3 calls it iprev: the address has a name, and the name has the address. */
export interface ReverseName {
  /** none: no PTR record; unconfirmed: its names lead elsewhere. */
  readonly result: "pass" | "none" | "unconfirmed";
  /** The first name, or the first that leads back. */
  readonly name?: string;
}

/** Names of one address that are looked at; nobody needs more. */
const NAMES_MAX = 10;

/** @param ip canonical @throws Unavailable("dns") */
export async function reverseNameOf(names: Names, ip: string): Promise<ReverseName> {
  const { records } = await names.ask(reverseName(ip), "PTR");
  const hosts = records.slice(0, NAMES_MAX).filter((host) => host !== "");
  const type = ip.includes(":") ? "AAAA" : "A";
  for (const name of hosts) {
    if ((await names.ask(name, type)).records.includes(ip)) return { result: "pass", name };
  }
  return hosts[0] === undefined ? { result: "none" } : { result: "unconfirmed", name: hosts[0] };
}

/** Can mail to this domain be delivered (RFC 5321 5.1, RFC 7505)? @throws Unavailable("dns") */
export async function canReceive(names: Names, domain: string): Promise<"yes" | "no" | "null-mx"> {
  const { records, exists } = await names.ask(domain, "MX");
  if (records.length > 0) return records.every(({ host }) => host === "") ? "null-mx" : "yes";
  return exists && (await hasAddress(names, domain)) ? "yes" : "no";
}

/** @throws Unavailable("dns") */
export async function hasAddress(names: Names, host: string): Promise<boolean> {
  const v4 = await names.ask(host, "A");
  return v4.records.length > 0 || (v4.exists && (await names.ask(host, "AAAA")).records.length > 0);
}

/**
 * An answer that refuses nobody is not worth waiting for at the sender's: silence is then one answer more.
 * @throws Unavailable("dns") when the answer could refuse the mail
 */
export async function orSilence<T>(answer: Promise<T>, couldRefuse: boolean): Promise<T | "silence"> {
  try {
    return await answer;
  } catch (error) {
    if (couldRefuse || !(error instanceof Unavailable)) throw error;
    return "silence";
  }
}
