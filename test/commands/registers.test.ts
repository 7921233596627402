import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loginName } from "../../src/commands/who.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { createClientRegister } from "../../src/registers/clients.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { openStore } from "../../src/stores/open.ts";
import { type Cli, createCli } from "../helpers/cli.ts";

/** The real command line, one process after the other on one data directory: the story of a client and its consents. */
let cli: Cli;
beforeAll(() => {
  cli = createCli();
});

async function authenticate(login: string, password: string): Promise<string | undefined> {
  const dataDir = join(cli.dir, "data");
  const store = await openStore("embedded:", { dataDir, timeoutMs: 2_000, clock: systemClock });
  const client = await createClientRegister(store.tables, systemClock).authenticate(login, password);
  await store.close();
  return client?.id;
}

describe("consentry client", () => {
  it("adds one whose password comes from stdin, and never shows it or its hash", async () => {
    const words = [
      "client",
      "add",
      "shop",
      "--kind",
      "advertiser",
      "--domain",
      "Bücher.Example",
      "--domain",
      "*.shop.example",
    ];
    const added = await cli.run([...words, "--password-stdin", "--actor", "ann"], { stdin: "correct horse\n" });
    expect(added).toEqual({ code: 0, stdout: "shop: added\n", stderr: "" });
    expect(await authenticate("shop", "correct horse")).toBe("shop");
    const shown = await cli.run(["client", "show", "shop", "--json"]);
    expect(JSON.parse(shown.stdout)).toEqual({
      id: "shop",
      kind: "advertiser",
      networks: [],
      domains: ["xn--bcher-kva.example", "*.shop.example"],
      disabled: false,
    });
  });

  it("says no to one that exists, and how to change it", async () => {
    const again = await cli.run(["client", "add", "shop", "--kind", "person"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toBe(
      "consentry: there is a client shop already; change it with: consentry client set shop …\n",
    );
  });

  it("lists everything that is wrong with one", async () => {
    const words = ["client", "add", "Office!", "--kind", "person", "--network", "192.0.2.0/33", "--rate", "0.5"];
    const wrong = await cli.run(words);
    expect(wrong.code).toBe(2);
    for (const field of ["id: lower case", "networks.0: an IP address", "ratePerMinute: "]) {
      expect(wrong.stderr).toContain(`\n  ${field}`);
    }
  });

  it("changes what is given, empties what is cleared, and keeps the rest", async () => {
    const words = ["client", "set", "shop", "--rate", "60", "--code", "ABC1", "--clear", "domain"];
    expect((await cli.run(words)).stdout).toBe("shop: changed\n");
    expect(await cli.json(["client", "show", "SHOP"])).toMatchObject({ ratePerMinute: 60, code: "ABC1", domains: [] });
    expect(await authenticate("shop", "correct horse")).toBe("shop");
  });

  it("writes under packs of its own, which must be there", { timeout: 60_000 }, async () => {
    const wrong = await cli.run(["client", "set", "shop", "--pack", "atlantis-2000"]);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringContaining('there is no pack "atlantis-2000"; known: cn-2006'),
    ]);
    expect((await cli.run(["client", "set", "shop", "--pack", "eu", "--pack", "kr"])).code).toBe(0);
    expect(await cli.json(["client", "show", "shop"])).toMatchObject({ packs: ["eu", "kr"] });
    expect((await cli.run(["client", "set", "shop", "--clear", "pack"])).code).toBe(0);
    expect(await cli.json(["client", "show", "shop"])).not.toHaveProperty("packs");
  });

  it("disables and enables, and lists both states", async () => {
    expect((await cli.run(["client", "disable", "shop"])).stdout).toBe("shop: disabled\n");
    expect(await authenticate("shop", "correct horse")).toBeUndefined();
    const list = await cli.run(["client", "list"]);
    expect(list.stdout.split("\n").slice(0, 2)).toEqual([
      "ID    KIND        STATE     RATE    NETWORKS  DOMAINS",
      "shop  advertiser  disabled  60/min  -         -",
    ]);
    expect((await cli.run(["client", "enable", "shop"])).stdout).toBe("shop: enabled\n");
    expect(await authenticate("shop", "correct horse")).toBe("shop");
  });

  it("does not know a client that is not there", async () => {
    const ran = await cli.run(["client", "disable", "nobody"]);
    expect(ran).toEqual({
      code: 1,
      stdout: "",
      stderr: "consentry: there is no client nobody; consentry client list names them\n",
    });
  });
});

describe("consentry consent", () => {
  it("records a yes with its proof, and a refusal that stays when the file of yeses comes again", async () => {
    const words = [
      "consent",
      "grant",
      "Li@mail.example",
      "--advertiser",
      "shop",
      "--how",
      "paper",
      "--reference",
      "A-1",
    ];
    expect((await cli.run([...words, "--topic", "shoes"])).stdout).toBe("li@mail.example → shop: granted\n");
    expect((await cli.run(["consent", "withdraw", "li@mail.example", "--advertiser", "shop"])).stdout).toBe(
      "li@mail.example → shop: withdrawn\n",
    );
    const file = cli.file(
      "c.csv",
      "recipient,advertiser,granted_at,how\nli@mail.example,shop,2026-01-02,paper\nan@mail.example,shop,2026-01-02,paper\nx,shop,2026-01-02,paper\n",
    );
    const imported = await cli.run(["consent", "import", file]);
    expect(imported).toEqual({
      code: 1,
      stdout: "3 lines: 1 recorded, 0 known already, 1 later refusal kept, 1 line left out\n",
      stderr: 'c.csv:4: recipient: "x" is no address; expected local-part@domain\n',
    });
    const again = await cli.run(["consent", "import", "-", "--json"], {
      stdin: "recipient,advertiser,granted_at,how\nli@mail.example,shop,2026-01-02,paper\ny,shop,2026-01-02,paper\n",
    });
    const [refused, summary] = again.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(refused).toEqual({
      refused: { line: 3, reason: 'recipient: "y" is no address; expected local-part@domain' },
    });
    expect(summary.summary).toMatchObject({ lines: 2, recorded: 0, refusalsKept: 1, linesRefused: 1, dryRun: false });
  });

  it("lists as it comes, for people and for programs", async () => {
    const lines = (await cli.run(["consent", "list", "--withdrawn", "--json"])).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        recipient: "li@mail.example",
        advertiser: "shop",
        proof: { how: "paper", reference: "A-1" },
        topics: ["shoes"],
      },
    ]);
    const people = await cli.run(["consent", "list", "--recipient", "an@mail.example"]);
    expect(people.stdout.split("\n")[1]).toMatch(/^an@mail\.example +shop +2026-01-02T00:00:00Z +paper +-$/);
  });

  it("exports what stands, in the form it imports", async () => {
    const exported = await cli.run(["consent", "export"]);
    expect(exported.stdout).toBe(
      "recipient,advertiser,granted_at,how,reference,text_version,ip,topics,limit,hours,text,document_sha256\r\nan@mail.example,shop,2026-01-02T00:00:00.000Z,paper,,,,,,,,\r\n",
    );
    expect(exported.stderr).toBe("note: 1 refusal left out\n");
  });

  it("tells what is wrong with a field as misuse", async () => {
    const ran = await cli.run(["consent", "grant", "li@mail.example", "--advertiser", "shp", "--how", "paper"]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toBe(
      'consentry: advertiser: "shp" is no client; expected the id of one, or the domain that writes as From\n',
    );
  });
});

describe("consentry ledger", () => {
  it("shows what was done and by whom, and that somebody looked", async () => {
    const found = await cli.run(["ledger", "find", "--json", "--case", "2026-17"]);
    const entries = found.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(entries.map(({ event, client, recipient }) => [event, client ?? recipient])).toEqual([
      ["client-changed", "shop"],
      ["client-changed", "shop"],
      ["client-changed", "shop"],
      ["client-changed", "shop"],
      ["client-changed", "shop"],
      ["client-changed", "shop"],
      ["consent-granted", "li@mail.example"],
      ["consent-withdrawn", "li@mail.example"],
      ["consent-granted", undefined],
    ]);
    expect(entries[0]).toMatchObject({
      actor: "ann",
      evidence: { change: "added", kind: "advertiser", fields: "password" },
    });
    expect(entries[1].evidence).toEqual({
      change: "changed",
      kind: "advertiser",
      fields: "domains code ratePerMinute",
    });
    expect(entries[8].evidence).toMatchObject({ how: "import", recorded: 1, refusalsKept: 1, linesRefused: 1 });
    expect(found.stdout + found.stderr).not.toMatch(/correct horse|scrypt/);
    const looked = await cli.run(["ledger", "find", "--limit", "100"]);
    const login = loginName().replace(/[^\w]/g, ".");
    expect(looked.stdout).toMatch(
      new RegExp(`looked-up +case 2026-17, lookUp (\\w+) +by ${login}\\n.*look-up-ended +lookUp \\1, hits 9 `),
    );
  });

  it("can be searched and written while another process has it open", async () => {
    const journal = await openJournal(join(cli.dir, "data", "ledger"));
    await journal.append([
      {
        id: "01TEST",
        at: Date.now(),
        event: "refused",
        mailId: "01MAIL",
        sender: "",
        recipient: "li@mail.example",
        clientIp: "192.0.2.7",
        reply: "550 no",
      },
    ]);
    const found = await cli.run(["ledger", "find", "--ip", "192.0.2.0/24", "--from", "<>", "--since", "1h"]);
    expect(found.stdout).toMatch(/^\S+Z {2}refused +<> → li@mail\.example {2}192\.0\.2\.7 {2}550 no {2}01MAIL\n$/);
    const looks: string[] = [];
    for await (const { event, evidence } of journal.find({}))
      if (event === "looked-up") looks.push(JSON.stringify(evidence));
    expect(looks.at(-1)).toMatch(/^\{"from":"<>","ip":"192\.0\.2\.0\/24","since":"1h","lookUp":"\w+"\}$/);
    await journal.close();
  });

  it("says so where nothing matches, and where there is no ledger", async () => {
    const none = await cli.run(["ledger", "find", "--id", "01NONE"]);
    expect(none).toEqual({ code: 0, stdout: "", stderr: "no entry matches\n" });
    const bare = await createCli().run(["ledger", "find"]);
    expect(bare.code).toBe(1);
    expect(bare.stderr).toMatch(/^consentry: there is no ledger in .* yet\n$/);
  });
});
