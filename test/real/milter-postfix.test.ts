import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { MilterFault } from "../../src/doors/milter/handler.ts";
import type { MilterOptions } from "../../src/doors/milter/options.ts";
import { listenMilter, type MilterServer } from "../../src/doors/milter/server.ts";
import { demoHandler } from "../helpers/milter-demo.ts";
import { ALL_ANSWERED } from "../helpers/milter-handler.ts";
import { type Postfix, postfixIsHere, startPostfix } from "../helpers/postfix.ts";
import { openSmtp, type SmtpDialogue } from "../helpers/smtp-dialogue.ts";

interface Variant {
  readonly name: string;
  readonly unix?: boolean;
  readonly protocol?: number;
  readonly options?: MilterOptions;
}

const VARIANTS: readonly Variant[] = [
  { name: "a unix socket", unix: true },
  { name: "TCP" },
  { name: "TCP, version 2", protocol: 2 },
  {
    name: "a unix socket, every step answered, macros by name",
    unix: true,
    options: { steps: ALL_ANSWERED, macros: { connect: ["j", "client_addr"], endOfHeaders: ["i"] } },
  },
];

/** What Postfix would else put in itself, behind our edits. */
const MANDATORY = ["From: a@example.org", "Message-ID: <1@example.org>", "Date: Sun, 22 Nov 2026 06:00:00 +0000"];

const REFUSAL = "550-5.7.1 this is not wanted here\n550 5.7.1 accepted: 100% of anything else";
const TROUBLE = "451-4.3.0 something went wrong here, not with you\n451 4.3.0 accepted: try again later";

describe.skipIf(!postfixIsHere()).each(VARIANTS)(
  "as a milter of Postfix over $name (skipped without postfix, or not as root)",
  (variant) => {
    let dir = "";
    let milter: MilterServer;
    let postfix: Postfix;
    const notes: string[] = [];
    const faults: MilterFault[] = [];
    const dialogues: SmtpDialogue[] = [];

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), "milter-"));
      await chmod(dir, 0o755);
      milter = await listenMilter({
        listen: variant.unix ? { path: join(dir, "sock"), mode: 0o666 } : { host: "127.0.0.1", port: 0 },
        newHandler: () => demoHandler({ note: (call) => notes.push(call) }),
        options: { ...variant.options, onFault: (fault) => faults.push(fault) },
      });
      const address =
        "path" in milter.address ? `unix:${milter.address.path}` : `inet:127.0.0.1:${milter.address.port}`;
      postfix = await startPostfix({
        users: ["b", "c", "d"],
        mainCf: [
          `smtpd_milters = { ${address}, default_action=tempfail${variant.protocol ? `, protocol=${variant.protocol}` : ""} }`,
          "in_flow_delay = 0",
          // Refused mails must not slow the test down.
          "smtpd_error_sleep_time = 0",
          "smtpd_soft_error_limit = 1000",
          "smtpd_hard_error_limit = 1000",
        ],
      });
    });

    afterEach(() => {
      for (const dialogue of dialogues.splice(0)) dialogue.end();
      notes.length = 0;
      faults.length = 0;
    });

    afterAll(async () => {
      await postfix?.stop();
      await milter?.close(1_000);
      await rm(dir, { recursive: true, force: true });
    });

    async function greeted(): Promise<SmtpDialogue> {
      const dialogue = await openSmtp(postfix.port);
      dialogues.push(dialogue);
      expect(await dialogue.say("EHLO client.example")).toMatch(/^250-postfix/);
      return dialogue;
    }

    const content = (...edits: readonly string[]): string =>
      [
        ...edits.map((edit) => `X-Edit: ${edit}`),
        ...MANDATORY,
        "Subject: as it was",
        "X-Gone: 1",
        "",
        "hello",
        ".dot",
      ].join("\r\n");

    /** Sends one mail to user b and returns it as it was stored. */
    async function delivered(edits: readonly string[], to: readonly string[] = ["b@example.test"]): Promise<string> {
      const before = (await postfix.mails("b")).map(String);
      const dialogue = await greeted();
      const heard = await dialogue.mail({ from: "a@example.org", to, content: content(...edits) });
      expect(heard.at(-1)).toMatch(/^250 2\.0\.0 Ok: queued/);
      const after = (await postfix.delivered("b", before.length + 1)).map(String);
      return after.find((mail) => !before.includes(mail)) ?? "";
    }

    it("lets a mail pass unchanged", async () => {
      const mail = await delivered([]);
      expect(mail).toContain("+0000\nSubject: as it was\nX-Gone: 1\n\nhello\n.dot\n");
      expect(notes[0]).toMatch(/^connect \S+ inet 127\.0\.0\.1 true$/);
      expect(notes.join("\n")).toContain("\nfield Subject: as it was\n");
    });

    it("adds, inserts, changes and deletes headers", async () => {
      const mail = await delivered([
        "add|X-Mark|yes",
        "insert|0|X-Top|first",
        "change|1|Subject|as it is",
        "delete|1|X-Gone",
        "add|X-Long|one\r\n\ttwo",
      ]);
      expect(mail).toMatch(/^X-Top: first$/m);
      expect(mail.indexOf("X-Top")).toBeLessThan(mail.indexOf("Received:"));
      expect(mail).toMatch(/\nSubject: as it is\n(.*\n)*X-Mark: yes\nX-Long: one\n\ttwo\n\nhello\n/);
      expect(mail).not.toMatch(/as it was|^X-Gone/m);
    });

    it("changes the sender, takes one recipient away and puts another in", async () => {
      if (variant.protocol === 2)
        expect(await delivered(["rcpt-|<c@example.test>", "rcpt+|d@example.test"], both())).toContain("hello");
      else {
        const mail = await delivered(
          ["from|new@example.org", "rcpt-|<c@example.test>", "rcpt+|d@example.test"],
          both(),
        );
        expect(mail).toMatch(/^Return-Path: <new@example\.org>/m);
      }
      expect((await postfix.delivered("d", 1)).length).toBe(1);
      expect(await postfix.mails("c")).toEqual([]);
    });

    const both = (): string[] => ["b@example.test", "c@example.test"];

    it("replaces a body, by a large one too", async () => {
      expect(await delivered(["body|something else"])).toMatch(/\n\nsomething else\n$/);
      const line = "0123456789".repeat(7);
      expect(await delivered([`body|${line}|30000`])).toMatch(new RegExp(`\\n\\n(${line}\\n){30000}$`));
    });

    it("puts a mail into the hold queue", async () => {
      const dialogue = await greeted();
      const heard = await dialogue.mail({
        from: "a@example.org",
        to: ["b@example.test"],
        content: content("quarantine|look at it"),
      });
      const id = /queued as (\S+)/.exec(heard.at(-1) ?? "")?.[1];
      expect(await readdir(join(postfix.directory, "queue", "hold"))).toEqual([id]);
      expect(await postfix.log()).toContain(`milter-hold: END-OF-MESSAGE from`);
      await rm(join(postfix.directory, "queue", "hold", id ?? "none"));
    });

    it("discards a mail that the client believes accepted", async () => {
      const before = (await postfix.mails("b")).length;
      const dialogue = await greeted();
      const heard = await dialogue.mail({
        from: "eom-discard@example.org",
        to: ["b@example.test"],
        content: content(),
      });
      expect(heard.at(-1)).toMatch(/^250/);
      await vi.waitFor(async () => expect(await postfix.log()).toMatch(/milter-discard: END-OF-MESSAGE/));
      expect((await postfix.mails("b")).length).toBe(before);
    });

    it.each(["mail", ...(variant.protocol === 2 ? [] : ["data"]), "header", "eoh", "body", "eom"])(
      "refuses at %s, and the client hears our own words",
      async (stage) => {
        const dialogue = await greeted();
        for (const [word, said] of [
          ["reply", REFUSAL],
          ["crash", TROUBLE],
          ["reject", "550 5.7.1 Command rejected"],
          ["tempfail", "451 4.7.1 Service unavailable - try again later"],
        ]) {
          const heard = await dialogue.mail({
            from: `${stage}-${word}@example.org`,
            to: ["b@example.test"],
            content: content(),
          });
          expect(heard.at(-1)).toBe(said);
          expect(await dialogue.say("RSET")).toMatch(/^250/);
        }
        expect(faults.map(({ kind, during }) => `${kind} ${during}`)).toHaveLength(1);
        const heard = await dialogue.mail({ from: "a@example.org", to: ["b@example.test"], content: content() });
        expect(heard.at(-1)).toMatch(/^250/);
      },
    );

    it("refuses one recipient and keeps the others", async () => {
      const dialogue = await greeted();
      const to = ["rcpt-reply@example.test", "b@example.test", "rcpt-reject@example.test"];
      expect(await dialogue.say("MAIL FROM:<a@example.org>")).toMatch(/^250/);
      const heard: string[] = [];
      for (const one of to) heard.push(await dialogue.say(`RCPT TO:<${one}>`));
      // Postfix asks its own restrictions before the milter: strangers to its mailbox list are its own refusal.
      expect(heard[1]).toBe("250 2.1.5 Ok");
      expect(heard[0]).toMatch(/^550/);
      expect(await dialogue.say("DATA")).toMatch(/^354/);
      expect(await dialogue.say("Subject: x\r\n\r\nx\r\n.")).toMatch(/^250/);
    });

    it("refuses at HELO and at the connection, which Postfix tells the client at MAIL", async () => {
      const dialogue = await openSmtp(postfix.port);
      dialogues.push(dialogue);
      await dialogue.say("EHLO helo-reply.example");
      expect(await dialogue.say("MAIL FROM:<a@example.org>")).toBe(REFUSAL);
      const other = await greeted();
      await other.say("XCLIENT NAME=connect-reply.example ADDR=192.0.2.9 PORT=4711");
      await other.say("EHLO client.example");
      expect(await other.say("MAIL FROM:<a@example.org>")).toBe(REFUSAL);
      expect(notes).toContain("connect connect-reply.example inet 192.0.2.9 true");
    });

    it("ends the session with 421", async () => {
      const dialogue = await greeted();
      expect(await dialogue.say("MAIL FROM:<mail-shutdown@example.org>")).toMatch(/^421[- ]4\.3\.2 .*\n?.*/);
      await dialogue.closed;
    });

    it("takes many mails over one connection, with resets and a second greeting between", async () => {
      const before = (await postfix.mails("b")).length;
      const dialogue = await greeted();
      for (let i = 0; i < 5; i += 1) {
        await dialogue.say("MAIL FROM:<body-reject@example.org>");
        await dialogue.say("RCPT TO:<b@example.test>");
        if (i === 2) expect(await dialogue.say("EHLO again.example")).toMatch(/^250/);
        else expect(await dialogue.say("RSET")).toMatch(/^250/);
        const heard = await dialogue.mail({
          from: "a@example.org",
          to: ["b@example.test"],
          content: content(`add|X-Count|${i}`),
        });
        expect(heard.at(-1)).toMatch(/^250/);
      }
      const mails = (await postfix.delivered("b", before + 5)).map(String);
      for (let i = 0; i < 5; i += 1) expect(mails.filter((mail) => mail.includes(`\nX-Count: ${i}\n`))).toHaveLength(1);
      expect(notes.filter((note) => note === "abort")).toHaveLength(5);
      expect(notes.filter((note) => note.startsWith("connect"))).toHaveLength(1);
      expect(faults).toEqual([]);
    });

    it("hears the macros Postfix sends: its queue id, its name, no login", async () => {
      const dialogue = await greeted();
      const tell = ["i", "j", "auth_authen", "client_addr"].map((name) => `X-Tell: ${name}\r\n`).join("");
      const before = (await postfix.mails("b")).length;
      const heard = await dialogue.mail({
        from: "a@example.org",
        to: ["b@example.test"],
        content: tell + content("add|X-Seen|macros"),
      });
      const id = /queued as (\S+)/.exec(heard.at(-1) ?? "")?.[1];
      const mails = (await postfix.delivered("b", before + 1)).map(String);
      const mail = mails.find((one) => one.includes("X-Seen: macros")) ?? "";
      const told = [...mail.matchAll(/^X-Told: (.*)$/gm)].map((match) => match[1]);
      // Not in Postfix's own list before 3.8; there when asked for by name.
      const asked = variant.options?.macros ? "127.0.0.1" : "(none)";
      expect(told).toEqual([`i=${id}`, "j=postfix.test", "auth_authen=(none)", `client_addr=${asked}`]);
    });

    it("hears of a client that hangs up in the middle", async () => {
      const dialogue = await greeted();
      await dialogue.say("MAIL FROM:<a@example.org>");
      const before = notes.length;
      dialogue.end();
      // Postfix ends the session when it notices; an earlier session of its may end in between.
      await vi.waitFor(() => expect(notes.slice(before)).toEqual(expect.arrayContaining(["abort", "close"])), 30_000);
    });

    it("can go away between mails: Postfix answers 451 itself, and nothing passes unseen", async () => {
      const dialogue = await greeted();
      expect(
        (await dialogue.mail({ from: "a@example.org", to: ["b@example.test"], content: content() })).at(-1),
      ).toMatch(/^250/);
      const again = {
        listen: milter.address,
        newHandler: () => demoHandler({ note: (call: string) => notes.push(call) }),
      };
      await milter.close(1_000);
      expect(await dialogue.say("MAIL FROM:<a@example.org>")).toMatch(/^451/);
      milter = await listenMilter({
        ...again,
        listen: { ...again.listen, mode: 0o666 },
        options: variant.options ?? {},
      });
      expect(await (await greeted()).say("MAIL FROM:<a@example.org>")).toMatch(/^250/);
    });
  },
);
