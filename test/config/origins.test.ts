import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { effectiveKeys, originText } from "../../src/config/origins.ts";
import { withoutPasswords } from "../../src/config/redact.ts";
import { tempDir } from "../helpers/temp.ts";

function keysOf(yaml: string, env: NodeJS.ProcessEnv = {}) {
  const path = join(tempDir(), "c.yaml");
  writeFileSync(path, yaml);
  const keys = effectiveKeys(loadConfig(path, env), env);
  const words = (origin: (typeof keys)[number]["origin"]) => originText(origin).replaceAll(path, "c.yaml");
  return new Map(keys.map(({ key, value, origin, changed }) => [key, [value, words(origin), changed] as const]));
}

const byVariable = (name: string, place: string): string => `environment ${name}, by \${${name}} in ${place}`;

const YAML = `hostname: relay.example
listeners:
  - { door: smtp, listen: "[::1]:2525" }
  - door: submission
    listen: unix:/run/consentry.sock
store:
  url: redis://relay:\${REDIS_PASSWORD}@redis.example
  timeoutMs: 2000
localDomains: ["\${DOMAIN}", Other.Example]
nextHop: { to: "\${NEXT_HOP:-smtp://127.0.0.1:2600}", user: "\${HOP_SECRET}" }
packs:
  byRecipientDomain:
    Example.COM: [cn-2006]
ledger: { sealKey: geheim, archiveKey: "\${DOMAIN}geheim" }
`;

describe("the keys in force", () => {
  const env = { REDIS_PASSWORD: "geheim", DOMAIN: "local.example", HOP_SECRET: "auch geheim" };
  const keys = keysOf(YAML, env);

  it.each<[string, string, string, boolean]>([
    ["hostname", "relay.example", "c.yaml:1", true],
    ["listeners.0.listen", "[::1]:2525", "c.yaml:3", true],
    ["listeners.0.tls", "starttls", "default", false],
    ["listeners.1.listen", "unix:/run/consentry.sock", "c.yaml:5", true],
    ["store.url", "redis://relay:***@redis.example", byVariable("REDIS_PASSWORD", "c.yaml:7"), true],
    ["store.timeoutMs", "2000", "c.yaml:8", false],
    ["localDomains", "[local.example, other.example]", byVariable("DOMAIN", "c.yaml:9"), true],
    ["nextHop.to", "smtp://127.0.0.1:2600", "c.yaml:10", true],
    ["nextHop.user", "***", byVariable("HOP_SECRET", "c.yaml:10"), true],
    ['packs.byRecipientDomain."example.com"', "[cn-2006]", "c.yaml:12", true],
    ["ledger.sealKey", "***", "c.yaml:14", true],
    ["ledger.archiveKey", "***", byVariable("DOMAIN", "c.yaml:14"), true],
    ["packs.default", "[cn-2006, vn-2008]", "default", false],
    ["limits.receivedMax", "50", "default", false],
    ["relayNetworks", "[]", "default", false],
  ])("say of %s what it is, where it comes from, and whether it is changed", (key, value, origin, changed) => {
    expect(keys.get(key)).toEqual([value, origin, changed]);
  });

  it("hold no secret", () => {
    expect(JSON.stringify([...keys])).not.toContain("geheim");
  });

  it("are all at their defaults without a file's word", () => {
    expect([...keysOf("").values()].filter(([, origin, changed]) => changed || origin !== "default")).toEqual([]);
  });
});

describe("a password in a URL", () => {
  it.each([
    ["redis://user:secret@host:6379/0", "redis://user:***@host:6379/0"],
    ["redis://:secret@host", "redis://:***@host"],
    ["rediss://u:s@cr/e:t@host", "rediss://u:***@host"],
    [
      "redis+sentinel://u:p@a:1,b:2/name?sentinelPassword=x&y=z",
      "redis+sentinel://u:***@a:1,b:2/name?sentinelPassword=***&y=z",
    ],
    ["smtp://127.0.0.1:25", "smtp://127.0.0.1:25"],
    ["maildir:/var/mail", "maildir:/var/mail"],
    ["no URL: at all@example", "no URL: at all@example"],
  ])("is taken out of %s", (text, expected) => {
    expect(withoutPasswords(text)).toBe(expected);
  });
});
