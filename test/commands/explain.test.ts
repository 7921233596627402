import { expect, it } from "vitest";
import { replyText, writeReply } from "../../src/mail/replies.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { createCli } from "../helpers/cli.ts";

const MAIL = "01M812GDN5YHTC30000ZE78";

it("consentry explain tells in three languages what a refusal meant, and hands on nobody's address", {
  timeout: 90_000,
}, async () => {
  const cli = createCli("hostname: relay.example.net\n");
  const journal = await openJournal(`${cli.dir}/data/ledger`);
  await journal.append([
    {
      id: "01M812GDN5YHTC3000A",
      at: Date.now() - 1_000,
      event: "refused",
      mailId: MAIL,
      sender: "news@shop.example",
      recipient: "li@example.com",
      verdict: "reject",
      articles: ["Order 38 (CN 2006) art. 14"],
      reply: replyText(writeReply("consent-withdrawn", { mailId: MAIL, article: "Order 38 (CN 2006) art. 14" })),
    },
  ]);
  await journal.close();

  const all = await cli.run(["explain", MAIL.toLowerCase()]);
  expect([all.code, all.stderr]).toEqual([0, ""]);
  expect(all.stdout).toContain("What was wrong: this recipient has refused advertising from you\n");
  expect(all.stdout).toContain("问题: 该收件人已拒绝接收您的广告\n");
  expect(all.stdout).toContain("Lý do: người nhận này đã từ chối quảng cáo của bạn\n");
  expect(all.stdout).toContain("Order 38 (CN 2006) art. 14 (confirmed by 3 further sources)\n");
  expect(all.stdout).toContain(`Questions go to postmaster@relay.example.net; name the id ${MAIL}.\n`);
  expect(all.stdout).not.toMatch(/li@|news@/);

  const one = (await cli.json(["explain", MAIL, "--lang", "vi"])) as {
    replies: unknown;
    told: { language: string }[];
  }[];
  expect(one[0]?.told.map(({ language }) => language)).toEqual(["vi"]);
  expect(one[0]?.replies).toEqual([{ id: "consent-withdrawn" }]);

  const none = await cli.run(["explain", "01M812GDN5YHTC30000ZE79"]);
  expect([none.code, none.stderr]).toEqual([1, "consentry: there is no entry of 01M812GDN5YHTC30000ZE79\n"]);
  expect((await cli.run(["explain", MAIL, "--lang", "fr"])).code).toBe(2);
});
