import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { startDnsServer, zoneOf } from "../../scripts/lib/dns/server.ts";
import { createCli } from "../helpers/cli.ts";
import { freePort, installed } from "../helpers/process.ts";
import { type RunningService, startService } from "../helpers/service.ts";
import { tempDir } from "../helpers/temp.ts";

interface Line {
  readonly about: string;
  readonly verdict: "ok" | "warn" | "fail" | "cannot know";
  readonly found: string;
  readonly advice?: string;
}

const key = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "der" });
const HEALTHY = [
  "relay.example.net A 198.51.100.25",
  "25.100.51.198.in-addr.arpa PTR relay.example.net",
  "example.com MX 10 relay.example.net",
  "example.com TXT v=spf1 ip4:198.51.100.25 -all",
  "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:d@example.com",
  `mail._domainkey.example.com TXT v=DKIM1; k=rsa; p=${key.toString("base64")}`,
];
const without = (...starts: readonly string[]): string[] =>
  HEALTHY.filter((record) => !starts.some((start) => record.startsWith(start)));

interface Setup {
  readonly zone?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly service?: RunningService;
  readonly words?: readonly string[];
}

/** The command on a configuration of its own, beside a service that runs already, if any. */
async function doctor({ zone = HEALTHY, config = {}, service, words = ["--selector", "mail"] }: Setup) {
  const dns = await startDnsServer({ zone: zoneOf([...zone]) });
  onTestFinished(dns.stop);
  const [smtp, submission] = service ? service.ports : [await freePort(), await freePort()];
  const cli = createCli(
    stringify({
      hostname: "relay.example.net",
      listeners: [
        { door: "smtp", listen: `127.0.0.1:${smtp}`, requireTls: false },
        { door: "submission", listen: `127.0.0.1:${submission}`, requireTls: false },
      ],
      localDomains: ["example.com"],
      trustedProxies: ["127.0.0.1"],
      dns: { servers: [dns.address], timeoutMs: 1_500 },
      nextHop: { to: `maildir:${tempDir()}` },
      ...config,
    }),
  );
  const ran = await cli.run(["doctor", "--json", ...words]);
  const lines = ran.stdout === "" ? [] : (JSON.parse(ran.stdout) as Line[]);
  const of = (about: string) => lines.find((line) => line.about.startsWith(about));
  return { cli, ran, lines, of, verdict: (about: string) => of(about)?.verdict };
}

describe("consentry doctor", () => {
  it("finds a healthy relay healthy, from outside through the real door, and says so in words", async () => {
    const service = await startService();
    const { ran, lines, cli } = await doctor({ service });
    const clock = lines.filter(({ about }) => about === "clock");
    expect(lines.filter(({ verdict }) => verdict !== "ok")).toEqual(clock.filter(({ verdict }) => verdict !== "ok"));
    expect(ran.code).toBe(0);
    expect(lines.map(({ about }) => about.replace(/ 127\.0\.0\.1:\d+| maildir:.*/g, ""))).toEqual([
      "relayNetworks",
      "trustedProxies",
      "store embedded:",
      "next hop",
      "clock",
      "certificate",
      "door smtp: relaying",
      "mailbox postmaster@example.com",
      "mailbox abuse@example.com",
      "door submission",
      "hostname relay.example.net",
      "PTR of 198.51.100.25",
      "MX of example.com",
      "SPF of example.com",
      "DMARC of example.com",
      "DKIM mail of example.com",
    ]);
    const words = await cli.run(["doctor", "--selector", "mail"]);
    expect(words.stdout).toMatch(/^ok {11}store embedded: +answers in \d+ ms$/m);
    expect(words.stdout).toMatch(/\n\n\d+ ok, \d warn, 0 fail, \d cannot know\n$/);
    expect(service.mails(), "nothing was sent").toEqual([]);
    const entries = await service.entries();
    expect(
      entries.every(({ clientIp }) => clientIp === "192.0.2.1"),
      "as a stranger",
    ).toBe(true);
  });

  it("finds the open relay", async () => {
    const service = await startService({ rules: { "relay/anonymous": "off" } });
    const { ran, of } = await doctor({ service });
    expect(of("door smtp")).toMatchObject({ verdict: "fail", found: expect.stringContaining("OPEN RELAY") });
    expect(of("door smtp")?.advice).toContain("art. 7");
    expect(of("door submission")?.verdict).toBe("fail");
    expect(ran.code).toBe(1);
    expect(service.mails()).toEqual([]);
  });

  it("finds a mailbox that nobody reads", async () => {
    const service = await startService({ nextHop: { mailboxes: ["postmaster@example.com"] } });
    const { ran, verdict, of } = await doctor({ service });
    expect(verdict("mailbox postmaster@example.com")).toBe("ok");
    expect(of("mailbox abuse@example.com")).toMatchObject({ verdict: "fail", found: expect.stringContaining("550") });
    expect(ran.code).toBe(1);
  });

  it("cannot know what nobody answers, and that alone is no failure", async () => {
    const { ran, of } = await doctor({ zone: ["relay.example.net silence", "example.com silence"] });
    expect(of("door smtp")).toMatchObject({ verdict: "cannot know", found: "nobody listens there" });
    expect(of("hostname")).toMatchObject({ verdict: "cannot know", found: "DNS does not answer" });
    expect(ran.code).toBe(1);
    const { ran: alone, of: line } = await doctor({ config: { dns: { servers: [] } } });
    expect(line("DNS")).toMatchObject({ verdict: "cannot know" });
    expect(alone.code).toBe(0);
  });

  it("ends in time, whatever hangs", async () => {
    const before = performance.now();
    const hanging = await startService({ limits: { greetingDelayMs: 30_000, drainMs: 100 } });
    const { of, ran } = await doctor({ service: hanging, words: ["--timeout", "2"] });
    expect(performance.now() - before).toBeLessThan(15_000);
    expect(of("doors")).toMatchObject({ verdict: "cannot know", found: expect.stringContaining("2000 ms") });
    expect(ran.code).toBe(0);
  });

  it.each<[string, string, Setup, Line["verdict"], string]>([
    ["no hostname", "hostname", { config: { hostname: "localhost" } }, "fail", "no full domain name"],
    ["a hostname without address", "hostname", { zone: without("relay") }, "fail", "no address"],
    [
      "an address of this network only",
      "hostname",
      { zone: [...without("relay"), "relay.example.net A 10.0.0.1"] },
      "warn",
      "10.0.0.1",
    ],
    ["no PTR", "PTR", { zone: without("25.") }, "fail", "missing"],
    [
      "a PTR of somebody else",
      "PTR",
      { zone: [...without("25."), "25.100.51.198.in-addr.arpa PTR pool.isp.example"] },
      "warn",
      "pool.isp.example",
    ],
    ["no MX", "MX", { zone: without("example.com MX") }, "fail", "missing"],
    ["a null MX", "MX", { zone: [...without("example.com MX"), "example.com MX 0 ."] }, "fail", "takes no mail"],
    [
      "an MX without address",
      "MX",
      { zone: [...HEALTHY, "example.com MX 20 gone.example.com"] },
      "fail",
      "gone.example.com",
    ],
    [
      "an MX elsewhere",
      "MX",
      { zone: [...without("example.com MX"), "example.com MX 10 mx.example.org", "mx.example.org A 198.51.100.9"] },
      "warn",
      "not this host",
    ],
    ["no SPF", "SPF", { zone: without("example.com TXT") }, "warn", "missing"],
    ["two SPF records", "SPF", { zone: [...HEALTHY, "example.com TXT v=spf1 ~all"] }, "fail", "cannot be used"],
    [
      "an SPF record that lets everybody",
      "SPF",
      { zone: [...without("example.com TXT"), "example.com TXT v=spf1 +all"] },
      "fail",
      "everybody",
    ],
    [
      "an SPF record without this host",
      "SPF",
      { zone: [...without("example.com TXT"), "example.com TXT v=spf1 ip4:198.51.100.99 -all"] },
      "warn",
      "fail for 198.51.100.25",
    ],
    ["no DMARC", "DMARC", { zone: without("_dmarc") }, "warn", "missing"],
    [
      "a DMARC that only watches",
      "DMARC",
      { zone: [...without("_dmarc"), "_dmarc.example.com TXT v=DMARC1; p=none"] },
      "warn",
      "p=none",
    ],
    [
      "DMARC twice",
      "DMARC",
      { zone: [...HEALTHY, "_dmarc.example.com TXT v=DMARC1; p=none"] },
      "fail",
      "more than once",
    ],
    ["a DKIM key that is gone", "DKIM", { zone: without("mail._domainkey") }, "fail", "no key"],
    ["keys that nobody named", "DKIM", { words: [] }, "cannot know", "not written here"],
    ["a next hop that is away", "next hop", { config: { nextHop: { to: "smtp://127.0.0.1:1" } } }, "fail", "127.0.0.1"],
    [
      "a store that is away",
      "store",
      { config: { store: { url: "redis://127.0.0.1:1", timeoutMs: 500 } } },
      "fail",
      "",
    ],
    [
      "half of the world as a relay network",
      "relayNetworks",
      { config: { relayNetworks: ["0.0.0.0/1"] } },
      "fail",
      "0.0.0.0/1",
    ],
    ["a list that is not there", "lists", { config: { lists: [{ file: "nowhere.txt" }] } }, "fail", "nowhere.txt"],
    ["a list that lists nobody", "list", { config: { lists: [{ zone: "dead.example" }] } }, "warn", "lists nothing"],
  ])("finds %s", async (_, about, setup, verdict, found) => {
    const { of, ran } = await doctor(setup);
    expect(of(about)).toMatchObject({ verdict, found: expect.stringContaining(found), advice: expect.any(String) });
    expect(ran.code).toBe(verdict === "fail" ? 1 : 0);
  });

  describe.skipIf(!installed("openssl"))("certificates (needs openssl)", () => {
    function certificate(days: number, name = "relay.example.net") {
      const dir = tempDir();
      const [keyFile, certFile] = [join(dir, "key.pem"), join(dir, "cert.pem")];
      const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days ${days} -subj /CN=${name}`;
      const more = ["-addext", `subjectAltName=DNS:${name}`, "-keyout", keyFile, "-out", certFile];
      execFileSync("openssl", [...request.split(" "), ...more], { stdio: "ignore" });
      return { certFile, keyFile };
    }
    it.each([
      ["a good one", () => certificate(90), "ok", "until 20"],
      ["one that runs out soon", () => certificate(3), "warn", "runs out in"],
      ["one for another name", () => certificate(90, "other.example"), "warn", "not for relay.example.net"],
      [
        "another's key",
        () => ({ ...certificate(90), keyFile: certificate(90).keyFile }),
        "fail",
        "not that of the certificate",
      ],
      ["a file that is none", () => ({ certFile: import.meta.filename, keyFile: import.meta.filename }), "fail", ""],
    ])("finds %s", async (_, make, verdict, found) => {
      const { of } = await doctor({ config: { tls: make() } });
      expect(of("certificate")).toMatchObject({ verdict, found: expect.stringContaining(found) });
    });
  });

  it.each([
    [["--timeout", "0"], "--timeout"],
    [["--dns", "somewhere"], "--dns"],
  ])("cannot use %j", async (words, complaint) => {
    const { ran } = await doctor({ words });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(complaint);
  });
});
