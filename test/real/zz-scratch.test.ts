import { it } from "vitest";
import { listenMilter } from "../../src/doors/milter/server.ts";
import { recordingHandler } from "../helpers/milter-handler.ts";
import { startPostfixForTalks } from "../helpers/postfix-talks.ts";
import { join } from "node:path";
it("x", async () => {
  const mta = await startPostfixForTalks();
  const calls: string[] = [];
  const m = await listenMilter({ listen: { path: join(mta.socketDir, "milter.sock") }, newHandler: () => recordingHandler(calls) });
  const talk = await mta.connect({ kind: "client", ip: "203.0.113.9", helo: "mx.x.example", port: "smtp" } as never);
  for (const c of ["MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.com>", "RCPT TO:<Ann@Example.com>", 'RCPT TO:<"ann"@example.com>', "DATA"]) console.log(c, (await talk.say(c)).text);
  console.log((await talk.text(Buffer.from("From : Boss\r\n <boss@\r\n example.com>\r\nX-AD :\r\n yes\r\nNul: a\0b\r\nSubject: x\r\rz\r\nBad line\r\n\r\nhello"))).text);
  await mta.settled();
  console.log(calls.join("\n"));
  for (const mail of mta.sink.mails) console.log(mail.recipients, mail.body.toString("latin1"));
  await m.close(100); await mta.stop();
});
