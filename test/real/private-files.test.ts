/** What the relay and its commands leave on disk is their user's alone, whatever the umask they were started with. */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { loginName } from "../../src/commands/who.ts";
import { createCli } from "../helpers/cli.ts";
import { letter } from "../helpers/letters-now.ts";
import { startNode } from "../helpers/process.ts";
import { openTalk } from "../helpers/smtp-talk.ts";

const ENTRY = fileURLToPath(new URL("../../src/commands/index.ts", import.meta.url));

/** Files that others can read and directories that others can enter, from a directory on. */
const open = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => (statSync(path).mode & 0o077) !== 0);

describe("files", () => {
  it("of the relay, its ledger and its commands are for their user only", async () => {
    const umask = process.umask(0o000);
    onTestFinished(() => void process.umask(umask));
    const mail = "mail";
    const settings = {
      listeners: [{ door: "smtp", listen: "127.0.0.1:0", requireTls: false }],
      localDomains: ["example.com"],
      log: { format: "json" },
      ledger: { mayActAs: [loginName()] },
    };
    const cli = createCli(stringify(settings));
    writeFileSync(join(cli.dir, "consentry.yaml"), `nextHop: { to: "maildir:${join(cli.dir, mail)}" }\n`, {
      flag: "a",
    });
    const relay = await startNode(ENTRY, ["serve", "--config", join(cli.dir, "consentry.yaml")], { cwd: cli.dir });
    const line = await relay.waitForLine(/"addresses"/);
    const talk = await openTalk(Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]));
    await talk.sayAll(
      "EHLO host.sender.example",
      "MAIL FROM:<bob@sender.example>",
      "RCPT TO:<ann@example.com>",
      "DATA",
    );
    expect((await talk.data(letter())).code).toBe(250);
    await cli.run(["consent", "grant", "li@example.com", "--advertiser", "shop.example", "--how", "paper"]);
    await cli.run(["ledger", "hold", "set", "--case", "1", "--reason", "order"]);
    expect((await cli.run(["ledger", "verify"])).code).toBe(0);
    const asked = [
      "--case",
      "1",
      "--authority",
      "police",
      "--basis",
      "order",
      "--scope",
      "mail",
      "--domain",
      "example.com",
    ];
    await cli.run(["ledger", "request", "open", ...asked, "--as", "ann"]);
    await cli.run(["ledger", "request", "approve", "--case", "1", "--as", "bob"]);
    expect((await cli.run(["ledger", "request", "export", "--case", "1", "--out", "export"])).code).toBe(0);
    await relay.stop();
    const data = join(cli.dir, "data");
    expect(readdirSync(data)).toEqual(expect.arrayContaining(["ledger", "node", "secret", "seal-key.pem"]));
    expect(readdirSync(join(data, "ledger")).length).toBeGreaterThan(0);
    expect([data, join(cli.dir, mail), join(cli.dir, "export")].flatMap(open)).toEqual([]);
    expect(["data", "export"].map((name) => statSync(join(cli.dir, name)).mode & 0o777)).toEqual([0o700, 0o700]);
  });
});
