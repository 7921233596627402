import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startDnsServer, zoneOf } from "../../scripts/lib/dns/server.ts";
import { startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

/** The service with lists in a DNS server and a file, asked over SMTP. */
const sound = (zone: string): string[] => [
  `2.0.0.127.${zone} A 127.0.0.2`,
  `2.0.0.0.0.0.f.7.f.f.f.f${".0".repeat(20)}.${zone} A 127.0.0.2`,
];
const LISTED_6 = `9.0.0.0.${"0.0.0.0.".repeat(5)}8.b.d.0.1.0.0.2`;
const ZONE = [
  ...sound("block.example"),
  ...sound("half.example"),
  ...sound("allow.example"),
  "9.113.0.203.block.example A 127.0.0.4",
  "10.113.0.203.block.example A 127.0.0.9",
  `${LISTED_6}.block.example A 127.0.0.2`,
  "11.113.0.203.half.example A 127.0.0.2",
  "12.113.0.203.block.example A 127.0.0.2",
  "12.113.0.203.allow.example A 127.0.10.1",
  ...[1, 2].map((last) => `${last}.0.0.127.everything.example A 127.0.0.2`),
  ...[8, 9].map((last) => `${last}.113.0.203.everything.example A 127.0.0.2`),
  ...["1.0.0.127", "2.0.0.127", "8.113.0.203", "9.113.0.203"].map((name) => `${name}.quiet.example silence`),
];

async function started(more: Record<string, unknown> = {}) {
  const dns = await startDnsServer({ zone: zoneOf(ZONE) });
  onTestFinished(dns.stop);
  const file = join(tempDir(), "published.txt");
  writeFileSync(file, "# published\n198.51.100.0/25\n");
  const service = await startService({
    dns: { servers: [dns.address], timeoutMs: 400 },
    lists: [
      { zone: "block.example", answers: ["127.0.0.2", "127.0.0.4-127.0.0.7"] },
      { zone: "half.example", weight: 0.5 },
      { zone: "allow.example", kind: "allow" },
      { zone: "everything.example" },
      { zone: "quiet.example" },
      { file },
    ],
    rules: { default: "off", "conduct/listed": "enforce" },
    ...more,
  });
  const rcpt = async (ip: string, to = "ann@example.com") => {
    const talk = await openTalk(service.smtp);
    const address = ip.includes(":") ? `IPV6:${ip}` : ip;
    await talk.sayAll(
      "EHLO proxy.example.net",
      `XCLIENT ADDR=${address}`,
      "EHLO mx.sender.example",
      "MAIL FROM:<a@b.example>",
    );
    const reply = await talk.say(`RCPT TO:<${to}>`);
    talk.vanish();
    return reply;
  };
  return { service, rcpt, file, dns };
}

describe("lists over SMTP", () => {
  it("refuse who is listed, by list, answer and weight, and nobody else", async () => {
    const { service, rcpt } = await started();
    const heard: Record<string, number> = {};
    for (const ip of [
      "203.0.113.8",
      "203.0.113.9",
      "203.0.113.10",
      "203.0.113.11",
      "203.0.113.12",
      "2001:db8::9",
      "2001:db8::8",
      "198.51.100.5",
      "198.51.100.200",
    ]) {
      heard[ip] = (await rcpt(ip)).code;
    }
    expect(heard).toEqual({
      "203.0.113.8": 250,
      "203.0.113.9": 554,
      "203.0.113.10": 250,
      "203.0.113.11": 250,
      "203.0.113.12": 250,
      "2001:db8::9": 554,
      "2001:db8::8": 250,
      "198.51.100.5": 554,
      "198.51.100.200": 250,
    });
    const reply = await rcpt("203.0.113.9");
    expect(reply).toMatchObject({ code: 554, enhanced: "5.7.1" });
    expect(reply.text).toMatch(/ask block\.example\n.*Order 38 \(CN 2006\) art\. 12\(1\) - id /);
    const entry = (await service.entries()).find(({ clientIp }) => clientIp === "203.0.113.9");
    expect(entry).toMatchObject({
      event: "refused",
      rules: ["conduct/listed"],
      evidence: { lists: "block.example=127.0.0.4", weight: 1, missing: "everything.example quiet.example" },
    });
    expect((await rcpt("203.0.113.9", "postmaster@example.com")).code, "postmaster hears everybody").toBe(250);
  });

  it("wait for a silent list no longer than one question, and not at all once it is dropped", async () => {
    const { rcpt } = await started();
    const before = performance.now();
    expect((await rcpt("203.0.113.8")).code).toBe(250);
    expect(performance.now() - before).toBeLessThan(2_500);
    const again = performance.now();
    expect((await rcpt("203.0.113.8")).code).toBe(250);
    expect(performance.now() - again).toBeLessThan(350);
  });

  it("follow the file when it is replaced", async () => {
    const { rcpt, file } = await started();
    expect((await rcpt("198.51.100.200")).code).toBe(250);
    writeFileSync(`${file}.new`, "198.51.100.128/25\n");
    renameSync(`${file}.new`, file);
    await until("the new list", async () => (await rcpt("198.51.100.200")).code === 554, 10_000);
    expect((await rcpt("198.51.100.5")).code).toBe(250);
  });

  it("refuse to begin without a file that they name, and keep the old ones when a reload names it", async () => {
    await expect(startService({ lists: [{ file: "nowhere/list.txt" }] })).rejects.toThrow(
      "nowhere/list.txt cannot be read: ENOENT",
    );
    const { service, rcpt } = await started();
    await expect(service.reload({ lists: [{ file: "nowhere/list.txt" }] })).rejects.toThrow("ENOENT");
    expect((await rcpt("203.0.113.9")).code).toBe(554);
  });

  it("change with a reload, and those that stay are not read again", async () => {
    const { service, rcpt, dns } = await started();
    expect((await rcpt("203.0.113.9")).code).toBe(554);
    await service.reload({ lists: [{ zone: "half.example", weight: 0.5 }] });
    const asked = dns.asked.length;
    expect((await rcpt("203.0.113.9")).code).toBe(250);
    expect(dns.asked.slice(asked)).toEqual(["A 9.113.0.203.half.example"]);
  });
});
