import { createHash } from "node:crypto";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import { createConsentRegister } from "../../src/registers/consents.ts";
import { openStore } from "../../src/stores/open.ts";
import { type Cli, createCli } from "../helpers/cli.ts";

let cli: Cli;
beforeAll(() => {
  cli = createCli();
});
const SLOW_MS = 60_000;
const pair = ["li@mail.example", "--advertiser", "shop.example"];

it("shows who agreed, when, how, to what, from where and with which document", { timeout: SLOW_MS }, async () => {
  const document = cli.file("form.pdf", "a signed form");
  const scope = ["--topic", "shoes", "--limit", "3/7d", "--hours", "09:00-18:00 Asia/Ho_Chi_Minh mon-fri"];
  const proof = ["--how", "web-form", "--text", "Yes, send me offers", "--text-version", "v2", "--ip", "192.0.2.7"];
  const words = [...pair, ...scope, ...proof, "--reference", "2026-117", "--document", document, "--actor", "ann"];
  expect((await cli.run(["consent", "grant", ...words])).code).toBe(0);
  const sheet = (await cli.json(["consent", "show", ...pair])) as Record<string, unknown>;
  expect(sheet).toMatchObject({
    recipient: "li@mail.example",
    advertiser: "shop.example",
    state: "stands",
    covers: { topics: ["shoes"], number: 3, inHours: 168, hours: "09:00-18:00 Asia/Ho_Chi_Minh mon-fri" },
    given: [
      {
        inForce: true,
        how: "web-form",
        text: "Yes, send me offers",
        textVersion: "v2",
        ip: "192.0.2.7",
        reference: "2026-117",
        documentSha256: createHash("sha256").update("a signed form").digest("hex"),
        recordedBy: "ann",
      },
    ],
    ledger: [{ event: "consent-granted", actor: "ann" }],
  });
  const { stdout } = await cli.run(["consent", "show", ...pair]);
  for (const text of ["greatest number    3 in 168 hours", "text agreed to     Yes, send me offers", "(in force)"]) {
    expect(stdout).toContain(text);
  }
});

it("keeps the proof of what was agreed before, also after a refusal", { timeout: SLOW_MS }, async () => {
  await cli.run(["consent", "grant", ...pair, "--how", "call"]);
  await cli.run(["consent", "withdraw", ...pair]);
  const sheet = (await cli.json(["consent", "show", ...pair])) as { given: object[]; ledger: object[] };
  expect(sheet).toMatchObject({ state: "withdrawn", withdrawnAt: expect.stringMatching(/^20/) });
  expect(sheet.given).toMatchObject([
    { how: "web-form", inForce: false },
    { how: "call", inForce: false },
  ]);
  expect(sheet.ledger).toHaveLength(3);
});

it("says of a refusal alone that nobody ever agreed, and of nothing that there is nothing", {
  timeout: SLOW_MS,
}, async () => {
  await cli.run(["consent", "withdraw", "no@mail.example", "--advertiser", "shop.example"]);
  const sheet = await cli.json(["consent", "show", "no@mail.example", "--advertiser", "shop.example"]);
  expect(sheet).toMatchObject({ state: "refused", given: [] });
  expect(sheet).not.toHaveProperty("covers");
  const none = await cli.run(["consent", "show", "nobody@mail.example", "--advertiser", "shop.example"]);
  expect([none.code, none.stderr]).toEqual([1, "consentry: nobody@mail.example has said nothing to shop.example\n"]);
});

it.each([
  [["--limit", "often"], "limit:"],
  [["--limit", "0/24h"], "limit:"],
  [["--hours", "in the morning"], "hours:"],
  [["--document", "nowhere.pdf"], "cannot read nowhere.pdf: ENOENT"],
])("names what does not do: %j", { timeout: SLOW_MS }, async (words, complaint) => {
  const ran = await cli.run(["consent", "grant", ...pair, "--how", "paper", ...words]);
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(complaint)]);
});

it("names mail that came back for good", { timeout: SLOW_MS }, async () => {
  const bounced = ["gone@mail.example", "--advertiser", "shop.example"];
  await cli.run(["consent", "grant", ...bounced, "--how", "call"]);
  const options = { dataDir: join(cli.dir, "data"), timeoutMs: 2_000, clock: systemClock };
  const store = await openStore("embedded:", options);
  await createConsentRegister(store.tables, systemClock).bounced("shop.example", "gone@mail.example");
  await store.close();
  expect(await cli.json(["consent", "show", ...bounced])).toMatchObject({ cameBack: { mails: 1 } });
  expect((await cli.run(["consent", "show", ...bounced])).stdout).toMatch(/^ +came back +1 mails? for good/m);
});
