import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Cli, createCli } from "../helpers/cli.ts";

let cli: Cli;
beforeAll(() => {
  cli = createCli();
});
const SLOW_MS = 60_000;

const mail = (id: string, subject: string, more = ""): string =>
  `From: news@shop.example\nTo: Kim <kim@kr.example>\nMessage-ID: <${id}@shop.example>\nSubject: ${subject}\n${more}\nhello\n`;
const MAILS = [
  mail("plain", "minutes of the meeting"),
  mail("unlabelled", "summer sale", "X-Ad: yes\n"),
  mail("unlabelled-too", "winter sale", "X-Ad: yes\n"),
  mail("labelled", "=?UTF-8?B?KOq0keqzoCkg7Jes66aE?=", "X-Ad: yes\n"),
];

interface Tried {
  readonly mails: number;
  readonly unreadable: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly findings: readonly { rule: string; kind: string; what: string; mails: number; examples: object[] }[];
}

function maildir(): string {
  const box = join(cli.dir, "box");
  for (const folder of ["cur", "new", "tmp"]) mkdirSync(join(box, folder), { recursive: true });
  for (const [index, text] of MAILS.entries()) writeFileSync(join(box, index % 2 ? "cur" : "new", `${index}.M`), text);
  writeFileSync(join(box, "tmp", "half"), "Subject: half\n");
  writeFileSync(join(box, "dovecot.index"), "\0\0");
  return box;
}

describe("a pack is tried on mail that was", () => {
  it("of strangers, in a Maildir: what its law would note", { timeout: SLOW_MS }, async () => {
    const tried = (await cli.json(["pack", "try", "kr", "--maildir", maildir()])) as Tried;
    expect(tried).toMatchObject({ mails: 4, unreadable: 0, outcomes: { reject: 0, note: 3, nothing: 1 } });
    expect(tried.findings.map(({ rule, kind, mails }) => [rule, kind, mails])).toEqual(
      expect.arrayContaining([
        ["consent/recorded-consent", "note", 3],
        ["advertising/subject-label", "note", 2],
      ]),
    );
  });

  it("of our own clients, in an mbox: what would be refused, with examples by id and no Subject", {
    timeout: SLOW_MS,
  }, async () => {
    expect((await cli.run(["client", "add", "shop", "--kind", "isp-customer", "--domain", "shop.example"])).code).toBe(
      0,
    );
    expect((await cli.run(["consent", "grant", "kim@kr.example", "--advertiser", "shop", "--how", "paper"])).code).toBe(
      0,
    );
    const quoted = `${MAILS.join("From x@y Sun Nov 22 08:00:00 2026\n")}\n>From the start\n\n`;
    const mbox = cli.file(
      "sent.mbox",
      `From a@b Sun Nov 22 08:00:00 2026\n${quoted.replaceAll("hello\nFrom ", "hello\n\nFrom ")}`,
    );
    const words = ["pack", "try", "kr", "--mbox", mbox, "--as", "clients"];
    const tried = (await cli.json(words)) as Tried;
    expect(tried).toMatchObject({ mails: 4, outcomes: { reject: 2 } });
    expect(tried.findings.filter(({ kind }) => kind === "reject")).toEqual([
      {
        rule: "advertising/subject-label",
        kind: "reject",
        what: "label-missing",
        mails: 2,
        examples: [{ id: "<unlabelled@shop.example>" }, { id: "<unlabelled-too@shop.example>" }],
      },
    ]);
    const { stdout } = await cli.run([...words, "--subjects", "--examples", "1"]);
    expect(stdout).toMatch(/^4 mails\n {2}would be refused {5}2\n/);
    expect(stdout).toContain('<unlabelled@shop.example> "summer sale"');
    expect(stdout).not.toContain("winter sale");
  });

  it("says what is wrong with the question", { timeout: SLOW_MS }, async () => {
    const ask = async (...words: string[]) => {
      const { code, stderr } = await cli.run(["pack", "try", ...words]);
      return [code, stderr];
    };
    expect(await ask("kr")).toEqual([2, "consentry: which mail? --maildir or --mbox\n"]);
    expect(await ask("kr", "--maildir", "nowhere")).toEqual([2, "consentry: cannot read nowhere: ENOENT\n"]);
    expect(await ask("kr", "--mbox", cli.file("no.mbox", "Subject: x\n\n"))).toEqual([
      2,
      expect.stringContaining("is no mbox"),
    ]);
    expect(await ask("xx", "--maildir", cli.dir)).toEqual([2, expect.stringContaining('there is no pack "xx"')]);
  });
});
