import { z } from "zod";
import { canonicalIp } from "../kit/ip.ts";
import { count, endpoint, minutes, parseEndpoint, seconds, timeout, timeoutUpTo } from "./values.ts";

/** The sections that name others who are asked about a mail: DNS, lists of addresses, programs beside the relay. */

const dnsServer = z
  .string()
  .refine((text) => text === "system" || parseDnsServer(text) !== undefined, 'an IP address, IP:port, or "system"')
  .transform((text) => (text === "system" ? "system" : (parseDnsServer(text) as { host: string; port: number })));

/** "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or "[2001:db8::53]:5353". */
function parseDnsServer(text: string): { host: string; port: number } | undefined {
  const whole = canonicalIp(text);
  if (whole !== undefined) return { host: whole, port: 53 };
  const at = parseEndpoint(text);
  return at && "port" in at && at.port > 0 ? at : undefined;
}

export const dns = z.strictObject({
  servers: z
    .array(dnsServer)
    .default([])
    .describe(
      "resolvers to ask, best one on this machine; system: those of the system; none: nothing that needs DNS is checked",
    ),
  timeoutMs: timeout(seconds(5)).describe("longest wait for the answer to one question"),
  questionsPerMailMax: count(200, 10_000).describe("most questions of one mail, cached answers included"),
  waitPerMailMs: timeout(seconds(15)).describe("longest time one mail waits for answers in all"),
  cacheEntriesMax: count(50_000, 10_000_000).describe("most answers kept"),
  cacheBytesMax: count(33_554_432, 2 ** 31).describe("most memory for them, bytes"),
  ttlMaxMs: timeoutUpTo(minutes(1440), minutes(60)).describe("longest an answer is kept, whatever its TTL"),
  negativeTtlMaxMs: timeoutUpTo(minutes(180), minutes(15)).describe("the same for names and records that do not exist"),
  failureTtlMs: timeoutUpTo(minutes(5), seconds(3)).describe(
    "how long a question that nobody answered is not asked again",
  ),
});

/** One list for or against addresses, in DNS or in a file. */
export const list = z
  .strictObject({
    zone: z
      .string()
      .regex(/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/i, "the domain of a list")
      .toLowerCase()
      .optional()
      .describe("the domain of a list in DNS (RFC 5782); needs dns.servers"),
    file: z
      .string()
      .min(1)
      .optional()
      .describe("or a file: one address, network or range a line; read again when it changes"),
    kind: z.enum(["block", "allow"]).default("block").describe("an allow list takes its weight off"),
    weight: z.number().min(0.01).max(1_000).default(1).describe("conduct/listed refuses from 1 in all"),
    answers: z
      .array(z.string().regex(/^127(\.\d{1,3}){3}(-127(\.\d{1,3}){3})?$/, "127.x.y.z, or 127.x.y.z-127.x.y.z"))
      .default([])
      .describe("answers in DNS that count; none named: all of 127.0.0.0/8"),
    recheckMs: timeout(minutes(10)).describe("how often the test entries of a list in DNS are asked for"),
  })
  .refine(({ zone, file }) => (zone === undefined) !== (file === undefined), "either zone or file");

export const scorers = z.strictObject({
  rspamd: z
    .strictObject({
      url: z
        .string()
        .regex(/^http:\/\/[^\s/]+\/?$/, "http://host:port")
        .describe("its normal worker, such as http://127.0.0.1:11333"),
      timeoutMs: timeout(seconds(8)).describe("longest wait for a score"),
      bytesMax: count(10_485_760, 2 ** 31).describe("larger mails are not sent to it"),
      connectionsMax: count(20, 1_000).describe("questions at a time"),
      passwordFile: z.string().optional().describe("file with the password of its worker"),
    })
    .optional()
    .describe("rspamd, for content/spam-score"),
  clamd: z
    .strictObject({
      listen: endpoint.describe("where clamd listens: address and port, or unix:/path"),
      timeoutMs: timeout(seconds(15)).describe("longest wait for a scan"),
      bytesMax: count(26_214_400, 2 ** 31).describe("larger mails are not sent to it; at most its StreamMaxLength"),
      connectionsMax: count(10, 1_000).describe("scans at a time; at most its MaxThreads"),
    })
    .optional()
    .describe("clamd, for content/malware"),
});
