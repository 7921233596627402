import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { MilterFault } from "../../src/doors/milter/handler.ts";
import type { MilterOptions } from "../../src/doors/milter/options.ts";
import { listenMilter, type MilterServer } from "../../src/doors/milter/server.ts";
import { demoHandler } from "../helpers/milter-demo.ts";
import { ALL_ANSWERED } from "../helpers/milter-handler.ts";
import { type ScriptedServer, startScripted } from "../helpers/scripted-server.ts";
import { type Sendmail, sendmailIsHere, startSendmail, trustedDirectory } from "../helpers/sendmail.ts";
import { openSmtp, type SmtpDialogue } from "../helpers/smtp-dialogue.ts";

interface Variant {
  readonly name: string;
  readonly unix?: boolean;
  readonly options?: MilterOptions;
}

const VARIANTS: readonly Variant[] = [
  { name: "TCP, macros by name", options: { macros: { connect: ["j", "client_addr"], mail: ["auth_authen", "i"] } } },
  { name: "a unix socket, every step answered", unix: true, options: { steps: ALL_ANSWERED } },
];

const REFUSAL = "550-5.7.1 this is not wanted here\n550 5.7.1 accepted: 100% of anything else";
/** At MAIL and RCPT Sendmail puts the address before the first line. */
const withoutAddress = (reply = ""): string => reply.replace(/<\S+>\.\.\. /g, "");

const TROUBLE = "451-4.3.0 something went wrong here, not with you\n451 4.3.0 accepted: try again later";

const here = await sendmailIsHere();

describe.skipIf(!here).each(VARIANTS)(
  "as a milter of Sendmail over $name (skipped without apt, or not as root)",
  (variant) => {
    let dir = "";
    let milter: MilterServer;
    let sink: ScriptedServer;
    let sendmail: Sendmail;
    const notes: string[] = [];
    const faults: MilterFault[] = [];
    const dialogues: SmtpDialogue[] = [];

    beforeAll(async () => {
      dir = await trustedDirectory();
      milter = await listenMilter({
        listen: variant.unix ? { path: join(dir, "sock") } : { host: "127.0.0.1", port: 0 },
        newHandler: () => demoHandler({ note: (call) => notes.push(call) }),
        options: { ...variant.options, onFault: (fault) => faults.push(fault) },
      });
      sink = await startScripted();
      const { address } = milter;
      sendmail = await startSendmail({
        milter: "path" in address ? `unix:${address.path}` : `inet:${address.port}@127.0.0.1`,
        nextPort: sink.port,
      });
    });

    afterEach(() => {
      for (const dialogue of dialogues.splice(0)) dialogue.end();
      notes.length = 0;
      faults.length = 0;
    });

    afterAll(async () => {
      await sendmail?.stop();
      await milter?.close(1_000);
      await sink?.stop();
      await rm(dir, { recursive: true, force: true });
    });

    async function greeted(): Promise<SmtpDialogue> {
      const dialogue = await openSmtp(sendmail.port);
      dialogues.push(dialogue);
      expect(await dialogue.say("EHLO client.example")).toMatch(/^250-sendmail\.test/);
      return dialogue;
    }

    /** A mail with a number of its own, by which it is found again behind Sendmail. */
    const content = (id: number, ...headers: readonly string[]): string =>
      [
        `X-Id: ${id};`,
        ...headers,
        "From: a@example.org",
        "Message-ID: <1@example.org>",
        "Date: Sun, 22 Nov 2026 06:00:00 +0000",
        "Subject: as it was",
        "X-Gone: 1",
        "",
        "hello",
        ".dot",
      ].join("\r\n");
    let ids = 0;
    const newId = (): number => {
      ids += 1;
      return ids;
    };
    const found = (id: number) => sink.mails.find(({ body }) => body.includes(`X-Id: ${id};`));

    /** Sends one mail with these headers and returns it as it was handed on. */
    async function handedOn(headers: readonly string[], to: readonly string[] = ["b@example.test"]) {
      const id = newId();
      const dialogue = await greeted();
      const heard = await dialogue.mail({ from: "a@example.org", to, content: content(id, ...headers) });
      expect(heard.at(-1)).toMatch(/^250 2\.0\.0 /);
      await vi.waitFor(() => expect(found(id)).toBeDefined(), 5_000);
      const { from, recipients, body } = found(id) ?? { from: "", recipients: [], body: "" };
      return { from, recipients, text: body.toString() };
    }

    const edits = (...list: readonly string[]): string[] => list.map((edit) => `X-Edit: ${edit}`);

    it("lets a mail pass unchanged", async () => {
      const { text } = await handedOn([]);
      expect(text).toMatch(/\r\nSubject: as it was\r\nX-Gone: 1\r\n\r\nhello\r\n\.dot\r\n$/);
      expect(notes.join("\n")).toContain("\nfield Subject: as it was\n");
      expect(notes.join("\n")).toMatch(/^connect \S+ inet 127\.0\.0\.1 true$/m);
    });

    it("adds, inserts, changes and deletes headers", async () => {
      const { text } = await handedOn(
        edits(
          "add|X-Mark|yes",
          "insert|0|X-Top|1",
          "change|1|Subject|as it is",
          "delete|1|X-Gone",
          "add|X-Long|one\r\n\ttwo",
        ),
      );
      expect(text).toMatch(/^X-Top: 1\r\n/);
      expect(text).toMatch(/\r\nSubject: as it is\r\nX-Mark: yes\r\nX-Long: one\r\n\ttwo\r\n\r\nhello/);
      expect(text).not.toMatch(/as it was|^X-Gone/m);
    });

    it("changes the sender, takes one recipient away and puts others in", async () => {
      const { from, recipients } = await handedOn(
        edits(
          "from|new@example.org",
          "rcpt-|<c@example.test>",
          "rcpt+|d@example.test",
          "rcpt+|e@example.test|NOTIFY=NEVER",
        ),
        ["b@example.test", "c@example.test"],
      );
      expect(from).toContain("new@example.org");
      expect(recipients.map((line) => /<(.*)@/.exec(line)?.[1]).sort()).toEqual(["b", "d", "e"]);
    });

    it("replaces a body, by a large one too", async () => {
      expect((await handedOn(edits("body|something else"))).text).toMatch(/\r\n\r\nsomething else\r\n$/);
      const line = "0123456789".repeat(7);
      expect((await handedOn(edits(`body|${line}|30000`))).text).toMatch(
        new RegExp(`\\r\\n\\r\\n(${line}\\r\\n){30000}$`),
      );
    });

    it("puts a mail into quarantine, and discards another", async () => {
      const [held, gone] = [newId(), newId()];
      const dialogue = await greeted();
      const to = ["b@example.test"];
      const heard = await dialogue.mail({
        from: "a@example.org",
        to,
        content: content(held, ...edits("quarantine|look")),
      });
      const queueId = /^250 2\.0\.0 (\S+) /.exec(heard.at(-1) ?? "")?.[1];
      await vi.waitFor(async () => expect(await sendmail.quarantined()).toEqual([queueId]), 5_000);
      const answers = await dialogue.mail({ from: "eom-discard@example.org", to, content: content(gone) });
      expect(answers.at(-1)).toMatch(/^250/);
      await handedOn([]);
      expect([found(held), found(gone)]).toEqual([undefined, undefined]);
    });

    it.each(["mail", "data", "header", "eoh", "body", "eom"])(
      "refuses at %s, and the client hears our own words",
      async (stage) => {
        const dialogue = await greeted();
        for (const [word, said] of [
          ["reply", REFUSAL],
          ["crash", TROUBLE],
          ["reject", /^55[04] 5\.7\.1 Command rejected$/],
          ["tempfail", /^451 4\.(3\.2 Please|7\.1 Service unavailable - please) try again later$/],
        ] as const) {
          const heard = await dialogue.mail({
            from: `${stage}-${word}@example.org`,
            to: ["b@example.test"],
            content: content(newId()),
          });
          if (typeof said === "string") expect(withoutAddress(heard.at(-1))).toBe(said);
          else expect(withoutAddress(heard.at(-1))).toMatch(said);
          await dialogue.say("RSET");
        }
        expect(faults).toHaveLength(1);
        const heard = await dialogue.mail({ from: "a@example.org", to: ["b@example.test"], content: content(newId()) });
        expect(heard.at(-1)).toMatch(/^250/);
      },
    );

    it("refuses one recipient and keeps the others", async () => {
      const dialogue = await greeted();
      const to = [
        "rcpt-reply@example.test",
        "b@example.test",
        "rcpt-reject@example.test",
        "rcpt-tempfail@example.test",
      ];
      const heard = await dialogue.mail({ from: "a@example.org", to, content: content(newId()) });
      expect(withoutAddress(heard[1])).toBe(REFUSAL);
      expect(heard.slice(2).map((reply) => reply.slice(0, 3))).toEqual(["250", "550", "451", "354", "250"]);
    });

    it("refuses at HELO", async () => {
      const dialogue = await openSmtp(sendmail.port);
      dialogues.push(dialogue);
      await dialogue.say("EHLO helo-reply.example");
      expect(await dialogue.say("MAIL FROM:<a@example.org>")).toMatch(/^550/);
    });

    it("ends the session with 421", async () => {
      const dialogue = await greeted();
      expect(await dialogue.say("MAIL FROM:<mail-shutdown@example.org>")).toMatch(/^421[- ]4\.3\.2 /);
      await dialogue.closed;
    });

    it("takes many mails over one connection, with resets and a second greeting between", async () => {
      const dialogue = await greeted();
      const mails = [newId(), newId(), newId(), newId(), newId()];
      for (const id of mails) {
        await dialogue.say("MAIL FROM:<body-reject@example.org>");
        await dialogue.say("RCPT TO:<b@example.test>");
        expect(await dialogue.say(id === mails[2] ? "EHLO again.example" : "RSET")).toMatch(/^250/);
        const mail = content(id, ...edits(`add|X-Count|${id}`));
        const heard = await dialogue.mail({ from: "a@example.org", to: ["b@example.test"], content: mail });
        expect(heard.at(-1)).toMatch(/^250/);
      }
      await vi.waitFor(() => expect(mails.every(found)).toBe(true), 10_000);
      for (const id of mails) expect(String(found(id)?.body).match(/^X-Count: .*$/gm)).toEqual([`X-Count: ${id}`]);
      expect(notes.filter((note) => note === "abort")).toHaveLength(5);
      expect(faults).toEqual([]);
    });

    it("hears macros, those asked for by name too", async () => {
      const asked = variant.options?.macros !== undefined;
      const { text } = await handedOn(["i", "j", "auth_authen", "client_addr"].map((name) => `X-Tell: ${name}`));
      const told = new Set([...text.matchAll(/^X-Told: (.*)$/gm)].map((match) => match[1]));
      expect(told).toContain("j=sendmail.test");
      expect(told).toContain("auth_authen=(none)");
      expect(told).toContain(asked ? "client_addr=127.0.0.1" : "client_addr=(none)");
      expect(told).not.toContain("i=(none)");
    });
  },
);
