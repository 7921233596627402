/** TLS towards MX hosts: opportunistic, required, by MTA-STS policy and by REQUIRETLS, with certificates made by openssl. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createPolicies } from "../../src/delivery/mx/sts.ts";
import { stsFetch } from "../../src/delivery/mx/sts-fetch.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { carrying, meant } from "../helpers/carrying.ts";
import { namesOf } from "../helpers/names.ts";
import { type ScriptOptions, startScripted } from "../helpers/scripted-server.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

interface Certificate {
  readonly key: string;
  readonly cert: string;
  readonly file: string;
}

const directory = tempDir();
let good: Certificate;
let other: Certificate;
const running: { stop(): Promise<void> }[] = [];

/** Self-signed, so that it is its own CA. */
function certificate(name: string, subject: string): Certificate {
  const [key, file] = [join(directory, `${name}.key`), join(directory, `${name}.pem`)];
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test".split(" ");
  execFileSync("openssl", [...request, "-addext", `subjectAltName=${subject}`, "-keyout", key, "-out", file], {
    stdio: "ignore",
  });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(file, "utf8"), file };
}

beforeAll(() => {
  good = certificate("good", "DNS:mx.b.example,DNS:mta-sts.b.example");
  other = certificate("other", "DNS:elsewhere.example");
});
afterEach(async () => {
  for (const { stop } of running.splice(0).reverse()) await stop();
});

/** The web server of mta-sts.b.example. */
async function web(text: string, how: { status?: number; type?: string; cert?: Certificate } = {}): Promise<number> {
  const { status = 200, type = "text/plain", cert = good } = how;
  const server: Server = createServer({ key: cert.key, cert: cert.cert }, (request, response) => {
    const isIt = request.url === "/.well-known/mta-sts.txt" && request.headers.host?.startsWith("mta-sts.b.example");
    response.writeHead(isIt ? status : 404, { "content-type": type, location: "/elsewhere" }).end(text);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  running.push({
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return (server.address() as AddressInfo).port;
}

const ZONE = ["b.example MX 10 mx.b.example", "mx.b.example A 127.0.0.1", "mta-sts.b.example A 127.0.0.1"];
const STS = "_mta-sts.b.example TXT v=STSv1; id=1";
const policy = (mode: string, mx = "mx.b.example"): string =>
  `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: 3600\r\n`;

async function world(script: ScriptOptions, more: { tls?: string; webPort?: number; trusts?: Certificate } = {}) {
  const mx = await startScripted({ extensions: ["PIPELINING", "STARTTLS", "REQUIRETLS"], tls: good, ...script });
  const names = namesOf(more.webPort === undefined ? ZONE : [...ZONE, STS]);
  const fetch = stsFetch({
    names,
    mayCall: () => true,
    timeoutMs: 2_000,
    bytesMax: 65_536,
    port: more.webPort ?? 1,
    ca: good.cert,
  });
  const { carrier, send } = carrying(
    {
      nextHop: { to: `mx:${mx.port}`, tls: more.tls ?? "opportunistic", caFile: (more.trusts ?? good).file },
      queue: { mxNetworks: ["127.0.0.0/8"], timeouts: { tlsMs: 2_000 } },
    },
    [],
    { names, policies: createPolicies({ names, clock: systemClock, fetch }) },
  );
  running.push(mx, { stop: () => carrier.close(0) });
  return { mx, send };
}

const wasEncrypted = (mx: { commands: readonly string[] }): boolean =>
  mx.commands.filter((line) => line.startsWith("EHLO")).length === 2;

describe("TLS that nobody asked for", () => {
  it("is used when offered, with any certificate", async () => {
    const { mx, send } = await world({ tls: good }, { trusts: other });
    expect((await send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    expect(wasEncrypted(mx)).toBe(true);
  });

  it.each<[string, ScriptOptions]>([
    ["the handshake breaks", { answers: { STARTTLS: [{ say: "220 go", close: true }] } }],
    ["the handshake stalls", { answers: { STARTTLS: ["mute"] } }],
    ["STARTTLS is refused", { answers: { STARTTLS: "454 4.7.0 not now" } }],
    ["what follows is nonsense", { answers: { STARTTLS: [{ say: "220 go\r\nnonsense in clear", close: true }] } }],
  ])("is given up where %s, and remembered", async (_, script) => {
    const { mx, send } = await world(script);
    for (let i = 0; i < 2; i += 1) expect((await send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    expect(mx.commands.filter((line) => line === "STARTTLS")).toHaveLength(1);
    expect(mx.mails).toHaveLength(2);
  });
});

describe("TLS that is required", () => {
  it("takes the mail to the server whose certificate bears its name", async () => {
    const { mx, send } = await world({}, { tls: "require" });
    expect((await send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    expect(wasEncrypted(mx)).toBe(true);
  });

  it.each<[string, ScriptOptions, "good" | "other", string]>([
    ["is not offered", { extensions: ["PIPELINING"] }, "good", "later destination 451 4.7.4"],
    ["is refused", { answers: { STARTTLS: "454 4.7.0 not now" } }, "good", "later destination 454 4.7.0"],
    ["comes with a certificate of nobody we trust", {}, "other", "later destination 451 4.7.5"],
    ["breaks", { answers: { STARTTLS: { say: "220 go", close: true } } }, "good", "later destination 451 4.7.5"],
    ["stalls", { answers: { STARTTLS: "mute" } }, "good", "later destination 451 4.7.5"],
  ])("but %s: nothing is sent", async (_, script, trusts, expected) => {
    const { mx, send } = await world(script, { tls: "require", trusts: trusts === "good" ? good : other });
    expect((await send("b@b.example")).map(meant)).toEqual([expected]);
    expect(mx.mails).toHaveLength(0);
    await until("nothing is open", () => mx.open === 0);
  });

  it("is not fulfilled by the certificate of another", async () => {
    const { mx, send } = await world({ tls: other }, { tls: "require", trusts: other });
    expect((await send("b@b.example")).map(meant)).toEqual(["later destination 451 4.7.5"]);
    expect(mx.mails).toHaveLength(0);
  });
});

describe("MTA-STS with a real web server", () => {
  it("enforced: TLS with a certificate that holds, or nothing", async () => {
    const webPort = await web(policy("enforce"));
    const { mx, send } = await world({}, { webPort });
    expect((await send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    expect(wasEncrypted(mx)).toBe(true);
    const plain = await world({ extensions: [] }, { webPort });
    expect((await plain.send("b@b.example")).map(meant)).toEqual(["later destination 451 4.7.4"]);
    const forged = await world({ tls: other }, { webPort });
    expect((await forged.send("b@b.example")).map(meant)).toEqual(["later destination 451 4.7.5"]);
    expect([plain.mx.mails, forged.mx.mails]).toEqual([[], []]);
  });

  it("enforced for other hosts: the host of the MX record is not called", async () => {
    const { mx, send } = await world({}, { webPort: await web(policy("enforce", "*.mail.b.example")) });
    expect((await send("b@b.example")).map(meant)).toEqual(["later destination 451 4.7.5"]);
    expect(mx.connections).toBe(0);
  });

  it("being tested changes nothing", async () => {
    const { send } = await world({ extensions: [] }, { webPort: await web(policy("testing")) });
    expect((await send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
  });

  it.each<[string, Parameters<typeof web>[1] & object]>([
    ["a redirect", { status: 301 }],
    ["a page of HTML", { type: "text/html" }],
    ["an error", { status: 500 }],
  ])("that is %s is none", async (_, how) => {
    const { send } = await world({ extensions: [] }, { webPort: await web(policy("enforce"), how) });
    expect((await send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
  });

  it("from a server with another's certificate, or larger than it may be, is none", async () => {
    const forged = await world({ extensions: [] }, { webPort: await web(policy("enforce"), { cert: other }) });
    expect((await forged.send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    const large = await world(
      { extensions: [] },
      { webPort: await web(policy("enforce") + "x: y\r\n".repeat(20_000)) },
    );
    expect((await large.send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
  });
});

describe("REQUIRETLS (RFC 8689)", () => {
  const asked = { sender: { requireTls: true } };
  it("goes where a policy proves the server and the server promises it, too", async () => {
    const { mx, send } = await world({}, { webPort: await web(policy("testing")) });
    expect((await send("b@b.example", asked)).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    expect(mx.mails[0]?.from).toBe("MAIL FROM:<a@a.example> REQUIRETLS");
  });

  it("comes back where nothing proves the server, or it promises nothing", async () => {
    const unproven = await world({});
    expect((await unproven.send("b@b.example", asked)).map(meant)).toEqual(["failed mail 550 5.7.30"]);
    const silent = await world({ extensions: ["STARTTLS"] }, { webPort: await web(policy("enforce")) });
    expect((await silent.send("b@b.example", asked)).map(meant)).toEqual(["failed mail 550 5.7.30"]);
    expect([unproven.mx.mails, silent.mx.mails]).toEqual([[], []]);
  });
});
