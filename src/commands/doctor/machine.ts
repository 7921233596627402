/** What stands round the relay on this machine and behind it: store, next hop, clock, certificate, and settings that are slips. */
import { execFile } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { Config } from "../../config/schema.ts";
import type { NextHop } from "../../delivery/next-hop.ts";
import { isLoopback } from "../../kit/ip.ts";
import type { Store } from "../../kit/store.ts";
import { fail, type Line, ok, unknown, warn } from "./line.ts";

const DAY_MS = 86_400_000;
const RENEW_DAYS = 14;
/** Slower than this, every mail feels it. */
const SLOW_MS = 250;

const causeOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 200);

export async function storeLine(url: string, open: () => Promise<Pick<Store, "ping">>): Promise<Line> {
  const about = `store ${url.replace(/\/\/[^@/]*@/, "//")}`;
  const startMs = performance.now();
  try {
    const store = await open();
    const openedMs = performance.now();
    await store.ping();
    const tookMs = Math.ceil(performance.now() - openedMs);
    if (tookMs > SLOW_MS) return warn(about, `answers in ${tookMs} ms`, "bring it nearer, or give it more room");
    return ok(about, `answers in ${tookMs} ms`);
  } catch (error) {
    const waitedMs = Math.ceil(performance.now() - startMs);
    return fail(about, `${causeOf(error)} (${waitedMs} ms)`, "start it, or mend store.url: until then mail is put off");
  }
}

export async function nextHopLine(hop: NextHop): Promise<Line> {
  const about = `next hop ${hop.name}`;
  if (/^mx:/i.test(hop.name)) {
    await hop.close(0);
    const advice = "see that port 25 is open towards the Internet: many networks shut it";
    return unknown(about, "each domain has servers of its own", advice);
  }
  try {
    await hop.ping();
    return ok(about, "answers");
  } catch (error) {
    return fail(about, causeOf(error), "start it, or mend nextHop.to: until then mail is put off");
  } finally {
    await hop.close(0);
  }
}

/** @param newestMs time of the newest entry of the ledger, when there is one */
export async function clockLine(nowMs: number, newestMs: number | undefined): Promise<Line> {
  const about = "clock";
  if (newestMs !== undefined && newestMs > nowMs + 60_000) {
    const found = `is before the newest entry of the ledger (${new Date(newestMs).toISOString()})`;
    return fail(about, found, "set it: times are evidence (Order 38 art. 10)");
  }
  const synchronised = await isSynchronised();
  if (synchronised === undefined) {
    return unknown(about, "nothing here tells whether it is kept in step", "run an NTP client: times are evidence");
  }
  return synchronised
    ? ok(about, "is kept in step by NTP")
    : warn(about, "is not kept in step", "run an NTP client: times are evidence (Order 38 art. 10)");
}

/** What systemd, or chrony, says. */
async function isSynchronised(): Promise<boolean | undefined> {
  if (existsSync("/run/systemd/timesync/synchronized")) return true;
  const systemd = await output("timedatectl", ["show", "-p", "NTPSynchronized", "--value"]);
  if (systemd?.trim() === "yes") return true;
  const chrony = await output("chronyc", ["-c", "tracking"]);
  if (chrony !== undefined) return !/Not synchronised/i.test(chrony);
  return systemd?.trim() === "no" ? false : undefined;
}

const output = (program: string, args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(program, [...args], { timeout: 3_000 }, (error, stdout) => resolve(error ? undefined : stdout));
  });

export function certificateLine({ tls, listeners, hostname }: Config, nowMs: number): Line {
  const about = "certificate";
  if (!tls) {
    const open = listeners.some(({ listen }) => !("path" in listen) && !isLoopback(listen.host));
    return open
      ? warn(about, "there is none: STARTTLS is not offered", "tls: { certFile, keyFile }")
      : ok(about, "none is needed: every door is on this machine");
  }
  try {
    return datesOf(new X509Certificate(readFileSync(tls.certFile)), { keyFile: tls.keyFile, hostname, nowMs });
  } catch (error) {
    return fail(about, causeOf(error), "tls.certFile and tls.keyFile: PEM files this user can read");
  }
}

function datesOf(
  certificate: X509Certificate,
  { keyFile, hostname, nowMs }: { readonly keyFile: string; readonly hostname: string; readonly nowMs: number },
): Line {
  const about = "certificate";
  const [fromMs, toMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  const until = new Date(toMs).toISOString().slice(0, 10);
  if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))) {
    return fail(about, "the key is not that of the certificate", "tls.keyFile: the key it was made with");
  }
  if (nowMs < fromMs)
    return fail(about, `counts only from ${new Date(fromMs).toISOString()}`, "wait, or set the clock");
  if (nowMs > toMs) return fail(about, `ran out on ${until}`, "renew it, then kill -HUP");
  if (!certificate.checkHost(hostname)) return warn(about, `is not for ${hostname}`, "one with that name");
  const days = Math.floor((toMs - nowMs) / DAY_MS);
  return days < RENEW_DAYS
    ? warn(about, `runs out in ${days} days, on ${until}`, "renew it, then kill -HUP")
    : ok(about, `for ${hostname}, until ${until}`);
}

/** Half of the world in a list of one's own hosts is a slip of the pen. */
export function settingLines({ relayNetworks, trustedProxies }: Config): Line[] {
  const isWide = (range: string): boolean => {
    const [ip = "", bits] = range.split("/");
    return bits !== undefined && Number(bits) < (ip.includes(":") ? 16 : 8);
  };
  const wide = (name: string, ranges: readonly string[], danger: string): Line => {
    const found = ranges.filter(isWide);
    return found.length > 0
      ? fail(name, `holds ${found.join(", ")}: ${danger}`, "name your own hosts only")
      : ok(
          name,
          ranges.length === 0 ? "is empty" : `holds ${ranges.length} ${ranges.length === 1 ? "network" : "networks"}`,
        );
  };
  return [
    wide("relayNetworks", relayNetworks, "half of the world may relay (Order 38 art. 7)"),
    wide("trustedProxies", trustedProxies, "half of the world may say who it is"),
  ];
}
