/**
 * Sender rewriting (SRS, as Postfix and Exim setups have it): mail that one of our own hosts forwards for somebody leaves with a sender of
 * ours, so that SPF passes behind us, and a bounce to that sender finds its way back. The address carries the original, the day and a seal;
 * nothing is kept.
 *
 *   SRS0=seal=day=domain=local@ours             a sender of the world
 *   SRS1=seal=domain==rest-of-SRS0@ours         one that somebody else had rewritten before
 */
import type { Address } from "../mail/address.ts";
import { parseAddress } from "../mail/path.ts";
import { createSealing } from "./sealed.ts";

export interface SrsParts {
  /** The domain that bounces come back to. */
  readonly domain: string;
  readonly secret: Buffer;
  readonly nowMs: () => number;
  /** Bounces are taken for so long. */
  readonly daysMax: number;
}

export interface Srs {
  /** @returns undefined: it stays as it is, because it would grow too long, or needs quotes */
  rewrite(sender: Address): Address | undefined;
  /** @returns the original; "bad": of ours, but sealed by nobody here or too old; undefined: not such an address */
  reverse(recipient: Address): Address | "bad" | undefined;
}

/** RFC 5321 4.5.3.1.1 has 64; addresses of one forwarder fit, and what does not stays as it is. */
const LOCAL_MAX = 64;

export function createSrs({ domain, secret, nowMs, daysMax }: SrsParts): Srs {
  const { seal, isSealed, today, ageOf } = createSealing("srs", secret, nowMs);
  const addressOf = (local: string): Address | undefined =>
    local.length > LOCAL_MAX ? undefined : parseAddress(`${local}@${domain}`);
  return {
    rewrite({ local, domain: from }) {
      const before = /^srs([01])([=+-])(.*)$/i.exec(local);
      if (before?.[1] === "0")
        return addressOf(`SRS1=${seal(`${from} ${before[2]}${before[3]}`)}=${from}=${before[2]}${before[3]}`);
      const again = before?.[1] === "1" ? /^[^=]+=([^=]+)=(.*)$/.exec(before[3] ?? "") : undefined;
      if (again) return addressOf(`SRS1=${seal(`${again[1]} ${again[2]}`)}=${again[1]}=${again[2]}`);
      const written = today();
      return addressOf(`SRS0=${seal(`${written} ${from} ${local}`)}=${written}=${from}=${local}`);
    },
    reverse({ local, domain: to }) {
      if (to !== domain) return undefined;
      const zero = /^srs0=([^=]{1,20})=([a-z2-7]{2})=([^=]+)=(.+)$/i.exec(local);
      if (zero) {
        const [, given = "", day = "", from = "", name = ""] = zero;
        const isFresh = ageOf(day) <= daysMax;
        return isFresh && isSealed(`${day.toLowerCase()} ${from} ${name}`, given) ? original(name, from) : "bad";
      }
      const one = /^srs1=([^=]{1,20})=([^=]+)=([=+-].+)$/i.exec(local);
      if (!one) return undefined;
      const [, given = "", from = "", rest = ""] = one;
      return isSealed(`${from} ${rest}`, given) ? original(`SRS0${rest}`, from) : "bad";
    },
  };
}

const original = (local: string, domain: string): Address | "bad" => parseAddress(`${local}@${domain}`) ?? "bad";
