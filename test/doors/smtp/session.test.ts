import { expect, it } from "vitest";
import { startService } from "../../helpers/service.ts";
import { openTalk } from "../../helpers/smtp-talk.ts";
it("works", async () => {
  const service = await startService();
  const talk = await openTalk(service.smtp);
  expect(talk.greeting.text).toBe("x");
});
it("works 2", async () => {
  const service = await startService();
  const talk = await openTalk(service.smtp);
  await talk.sayAll("EHLO mx.sender.example", "MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.com>", "DATA");
  const r = await talk.data(`From: bob@sender.example\nDate: ${new Date().toUTCString()}\nSubject: x\n\nhello\n`);
  expect([r, service.mailsTo("ann@example.com"), await service.entriesSoon(2)]).toEqual("");
});
