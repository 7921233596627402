import { describe, expect, it } from "vitest";
import { EHLO, letter, MAIL } from "../../helpers/letters-now.ts";
import { sharedService } from "../../helpers/service.ts";
import { openTalk } from "../../helpers/smtp-talk.ts";
import { until } from "../../helpers/wait.ts";

const service = sharedService({ limits: { connectionsPerIpMax: 1000 } });
const crlf = (text: string): string => text.replace(/\r?\n/g, "\r\n");

/** What some server somewhere took for the end of a mail, as published in 2023 and since. */
const FALSE_ENDS = [
  "\n.\n",
  "\n.\r\n",
  "\r\n.\n",
  "\r.\r",
  "\r.\r\n",
  "\r\n.\r",
  "\n.\r",
  "\r.\n",
  "\n\n.\r\n",
  "\r\r\n.\r\n",
  "\r\n.\r\r\n",
  "\r\n\0.\r\n",
  "\r\n.\0\r\n",
  "\r\n\0.\0\r\n",
  "\r\0\n.\r\n",
  "\r\n .\r\n",
  "\r\n. \r\n",
  "\r\n..\r\n",
  "\n..\r\n",
  "\x85.\x85",
  "\r\n.\x0b\r\n",
  "\u2028.\u2028",
];

let cases = 0;

/** Sends a mail whose text holds `end` and then commands; `cut`: each character of `end` begins a packet. */
async function smuggle(end: string, cut: boolean) {
  cases += 1;
  const [honest, victim] = [`honest-${cases}@example.com`, `victim-${cases}@example.com`];
  const talk = await openTalk(service().smtp);
  await talk.sayAll(EHLO, MAIL, `RCPT TO:<${honest}>`, "DATA");
  const smuggled = `MAIL FROM:<eve@sender.example>\r\nRCPT TO:<${victim}>\r\nDATA\r\n${crlf(letter("smuggled\n"))}`;
  for (const piece of [crlf(letter("first")), ...(cut ? [...end] : [end]), `${smuggled}\r\n.\r\nQUIT\r\n`]) {
    talk.send(piece);
    if (cut) await new Promise((resolve) => setImmediate(resolve));
  }
  const heard = await talk.rest();
  return { heard, toHonest: service().mailsTo(honest), toVictim: service().mailsTo(victim) };
}

describe("smuggling", () => {
  for (const cut of [false, true]) {
    it.each(FALSE_ENDS)(
      `%j${cut ? " in pieces" : ""} ends no mail: one mail or none, and none to the victim`,
      async (end) => {
        const { heard, toHonest, toVictim } = await smuggle(end, cut);
        expect(toVictim).toEqual([]);
        const accepted = heard.startsWith("250 ");
        expect(heard).toMatch(accepted ? /^250 2\.0\.0 [^\n]*\r\n221 / : /^550[- ]5\.(5\.2|6\.0) /);
        expect(toHonest).toHaveLength(accepted ? 1 : 0);
        if (accepted) expect(toHonest[0]).toContain("MAIL FROM:<eve@sender.example>");
      },
    );
  }

  it("CRLF dot CRLF does end it: what follows are commands, and these are two mails", async () => {
    const { toHonest, toVictim } = await smuggle("\r\n.\r\n", false);
    expect(toHonest).toHaveLength(1);
    expect(toVictim).toHaveLength(1);
  });

  it.each(["a\rb", "a\nb", "\ra", "a\r\n\rb", "\n"])(
    "a bare CR or LF inside the text is refused by name: %j",
    async (text) => {
      cases += 1;
      const recipient = `r-${cases}@example.com`;
      const talk = await openTalk(service().smtp);
      await talk.sayAll(EHLO, MAIL, `RCPT TO:<${recipient}>`, "DATA");
      const reply = await talk.data(Buffer.from(`${crlf(letter())}${text}\r\n`));
      expect([reply.code, reply.enhanced, reply.lines[0]]).toEqual([550, "5.5.2", "a bare CR or LF in the mail"]);
      expect(service().mailsTo(recipient)).toEqual([]);
      expect(await service().entriesSoon(1, { recipient })).toMatchObject([{ event: "refused" }]);
      expect((await talk.sayAll(MAIL, `RCPT TO:<${recipient}>`)).code, "the session goes on").toBe(250);
    },
  );

  it("leaves nothing half written", async () => {
    await until("no file is left", () => service().leftovers().length === 0);
  });
});
