import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig, readConfig } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { Misuse } from "../../src/kit/trouble.ts";
import { tempDir } from "../helpers/temp.ts";

function fileOf(text: string): string {
  const path = join(tempDir(), "consentry.yaml");
  writeFileSync(path, text);
  return path;
}
const load = (text: string, env: Record<string, string> = {}) => loadConfig(fileOf(text), env).config;

describe("a configuration", () => {
  it("that is empty is all defaults", () => {
    expect(load("")).toEqual(configSchema.parse({}));
    expect(load("# only a comment\n")).toEqual(configSchema.parse({}));
  });

  it("cannot be changed by who reads it", () => {
    const config = load("localDomains: [example.com]\n");
    expect(Object.isFrozen(config) && Object.isFrozen(config.limits) && Object.isFrozen(config.localDomains)).toBe(
      true,
    );
    expect(() => (config.localDomains as string[]).push("evil.example")).toThrow(TypeError);
  });

  it.each([
    ["127.0.0.1:2525", { host: "127.0.0.1", port: 2525 }],
    ["0.0.0.0:25", { host: "0.0.0.0", port: 25 }],
    ["[::1]:0", { host: "::1", port: 0 }],
    ["unix:/run/consentry.sock", { path: "/run/consentry.sock" }],
  ])("listens on %s", (text, endpoint) => {
    expect(load(`listeners: [{ door: smtp, listen: "${text}" }]\n`).listeners[0]?.listen).toEqual(endpoint);
  });

  it("reads domains without regard to case, and ranges as they are", () => {
    const config = load(
      "localDomains: [Example.COM, '*.Branch.example']\nrelayNetworks: [192.0.2.0/24, '2001:db8::/32', 127.0.0.1]\n",
    );
    expect(config.localDomains).toEqual(["example.com", "*.branch.example"]);
    expect(config.relayNetworks).toEqual(["192.0.2.0/24", "2001:db8::/32", "127.0.0.1"]);
  });
});

/** A variable as a configuration asks for it. */
const ask = (text: string): string => `$\{${text}}`;

describe("the environment", () => {
  it.each([
    ["a variable", `hostname: ${ask("NAME")}\n`, { NAME: "relay.example.net" }, "relay.example.net"],
    ["a variable inside a text", `hostname: a.${ask("NAME")}.net\n`, { NAME: "example" }, "a.example.net"],
    ["a default that is not needed", `hostname: ${ask("NAME:-other")}\n`, { NAME: "relay" }, "relay"],
    ["a default that is needed", `hostname: ${ask("NAME:-other.example")}\n`, {}, "other.example"],
    ["a variable set to nothing, which is something", `hostname: x${ask("NAME:-other")}\n`, { NAME: "" }, "x"],
    ["no variable", "hostname: $NAME-{x}\n", { NAME: "relay" }, "$NAME-{x}"],
  ])("gives %s", (_, text, env, hostname) => {
    expect(load(text, env).hostname).toBe(hostname);
  });

  it("that lacks a variable is a complaint with its line, and only about that", () => {
    const path = fileOf(`hostname: relay\nstore: { url: '${ask("STORE_URL")}' }\n`);
    const { problems } = readConfig(path, {});
    expect(problems).toEqual([`${path}:2: store.url: the environment has no STORE_URL`]);
  });
});

describe("errors", () => {
  it("of a file that is not there name it", () => {
    expect(() => loadConfig(join(tempDir(), "none.yaml"), {})).toThrow(
      /cannot read the configuration .*none\.yaml: ENOENT/,
    );
  });

  it("are all told at once, each with file, line, key and value", () => {
    const path = fileOf("hostname: ''\nlimits:\n  recipientsMax: many\n  mailBytesMax: 0\nlocalDomain: [a]\n");
    const thrown = (() => {
      try {
        loadConfig(path, {});
      } catch (error) {
        return error;
      }
    })();
    if (!(thrown instanceof Misuse)) return expect.fail("it was taken");
    expect([...thrown.problems].sort()).toEqual([
      expect.stringMatching(/:1: hostname: "" does not do: /),
      expect.stringMatching(/:3: limits\.recipientsMax: "many" does not do: /),
      expect.stringMatching(/:4: limits\.mailBytesMax: 0 does not do: /),
      expect.stringMatching(/:5: localDomain: there is no such key$/),
    ]);
    for (const problem of thrown.problems) expect(problem.startsWith(`${path}:`)).toBe(true);
  });

  it("in one section leave the others to be looked at", () => {
    const { sound, unsound, problems, config } = readConfig(
      fileOf("limits: { recipientsMax: many }\nhostname: relay.example\n"),
      {},
    );
    expect(problems).toHaveLength(1);
    expect(config).toBeUndefined();
    expect([...unsound]).toEqual(["limits"]);
    expect(sound.hostname).toBe("relay.example");
    expect(sound.limits).toEqual(configSchema.parse({}).limits);
  });

  it.each([
    [
      "passwords in the clear",
      "listeners: [{ door: smtp, listen: '0.0.0.0:25', requireTls: false }]",
      /requireTls: false is for loopback/,
    ],
    [
      "TLS without a certificate",
      "listeners: [{ door: smtp, listen: '127.0.0.1:1', tls: implicit }]",
      /implicit needs tls\.certFile/,
    ],
    [
      "a PROXY header from nobody",
      "listeners: [{ door: smtp, listen: '127.0.0.1:1', proxyHeader: true }]",
      /needs the hosts .* trustedProxies/,
    ],
    [
      "a header larger than a mail",
      "limits: { mailBytesMax: 100, headerBytesMax: 200 }",
      /headerBytesMax: cannot be more than/,
    ],
  ])("that only show together: %s", (_, text, complaint) => {
    expect(() => load(text)).toThrow(complaint);
  });
});
