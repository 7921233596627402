import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createCli } from "../helpers/cli.ts";

describe("consentry dkim", { timeout: 60_000 }, () => {
  it("makes a key that only its owner reads, prints its record, lists and removes it", async () => {
    const cli = createCli();
    const run = (line: string) => cli.run(["dkim", ...line.split(" ")]);
    const made = await run("new Shop.Example --selector s1 --actor ann");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toMatch(/^made .*shop\.example\/s1\.pem; publish this, then reload/);
    expect(made.stdout).toMatch(/^s1\._domainkey\.shop\.example\. IN TXT \( "v=DKIM1; k=rsa; p=/m);
    const file = join(cli.dir, "data/dkim/shop.example/s1.pem");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await run("new shop.example --selector s1")).code).toBe(1);
    expect((await run("new shop.example --type ed25519")).stdout).toMatch(
      /^ed25519\d{8}\._domainkey\.shop\.example\. IN TXT "v=DKIM1; k=ed25519/m,
    );
    expect(await cli.json(["dkim", "list"])).toMatchObject([
      {
        selector: "s1",
        type: "rsa",
        file,
        name: "s1._domainkey.shop.example",
        record: expect.stringMatching(/^v=DKIM1; k=rsa; p=/),
      },
      { type: "ed25519" },
    ]);
    expect((await run("show shop.example --selector s1")).stdout).toMatch(/^s1\._domainkey/);
    expect((await run("remove shop.example s1")).stdout).toBe("s1._domainkey.shop.example: removed\n");
    expect((await run("show shop.example --selector s1")).code).toBe(1);
    const entries = await cli.run(["ledger", "find", "--event", "key-changed", "--json"]);
    expect(entries.stdout).toContain('"change":"removed"');
    expect(entries.stdout).toContain('"actor":"ann"');
  });

  it.each([
    ["a name that is no domain", "new localhost"],
    ["an address", "new a@shop.example"],
    ["a selector with dots", "new shop.example --selector a.b"],
    ["another kind of key", "new shop.example --type dsa"],
  ])("does not take %s", async (_, line) => {
    expect((await createCli().run(["dkim", ...line.split(" ")])).code).toBe(2);
  });

  it("says which key cannot be read", async () => {
    const cli = createCli("dkim: { keys: [{ domain: shop.example, selector: s, keyFile: missing.pem }] }\n");
    const ran = await cli.run(["dkim", "list"]);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringMatching(/the DKIM key .*missing\.pem: /)]);
  });
});
