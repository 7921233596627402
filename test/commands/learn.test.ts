import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Cli, createCli } from "../helpers/cli.ts";
import { minutes, sale } from "../helpers/detections.ts";

/** The real command line, one process after the other on one data directory. */
let cli: Cli;
beforeAll(() => {
  cli = createCli();
});

const letter = (text: string): string =>
  `From: a@b.example\r\nSubject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text.replaceAll("\n", "\r\n")}`;
const listed = async (): Promise<{ id: string; taught: string; by: string; batch: string }[]> =>
  (await cli.json(["learn", "list", "--json"])) as never;

// Each test runs several processes, beside other tests.
describe("consentry learn", { timeout: 60_000 }, () => {
  it("teaches mails from files and Maildirs, each batch under its name", async () => {
    const one = cli.file("one.eml", letter(sale()));
    expect(await cli.run(["learn", "ad", one, "--batch", "sales", "--actor", "ann"])).toEqual({
      code: 0,
      stdout: "learned from 1 mail, batch sales\n",
      stderr: "",
    });
    for (const box of ["new", "cur"]) {
      mkdirSync(join(cli.dir, "box", box), { recursive: true });
      writeFileSync(join(cli.dir, "box", box, "1"), letter(`${minutes()} ${box}`));
    }
    const { stdout } = await cli.run(["learn", "not", "--maildir", join(cli.dir, "box"), "--batch", "work"]);
    expect(stdout).toBe("learned from 2 mails, batch work\n");
    const lessons = await listed();
    expect(lessons.map(({ taught, batch }) => `${taught} ${batch}`)).toEqual([
      "advertising sales",
      "not work",
      "not work",
    ]);
    expect(lessons[0]?.by).toBe("ann");
  });

  it("keeps the last word on a mail", async () => {
    const { stdout } = await cli.run(["learn", "not", cli.file("again.eml", letter(sale())), "--batch", "second"]);
    expect(stdout).toBe("learned from 1 mail, 1 of them known before, batch second\n");
    expect((await listed()).filter(({ batch }) => batch === "sales")).toEqual([]);
  });

  it("takes a recipient's report for his word and no lesson", async () => {
    const file = cli.file("spam.eml", letter(sale("B", 2)));
    const reported = await cli.run(["learn", "ad", file, "--reporter", "Li@mail.example"]);
    expect(reported.code).toBe(0);
    const [report] = (await listed()).filter(({ taught }) => taught === "reported");
    expect(report?.batch).toBe("reports");
    expect(JSON.stringify(await cli.json(["learn", "list", "--json"]))).not.toContain("mail.example");
    expect((await cli.run(["learn", "not", file, "--reporter", "li@mail.example"])).code).toBe(2);
    expect((await cli.run(["learn", "ad", file, "--reporter", "li"])).code).toBe(2);
  });

  it("takes it back: one lesson, a batch, all", async () => {
    const [first] = (await listed()).filter(({ batch }) => batch === "work");
    expect((await cli.run(["learn", "forget", first?.id ?? ""])).stdout).toBe("forgot 1 lesson\n");
    expect((await cli.run(["learn", "forget", "--batch", "work"])).stdout).toBe("forgot 1 lesson\n");
    expect((await cli.run(["learn", "forget", "--batch", "work"])).code).toBe(1);
    expect((await cli.run(["learn", "forget"])).code).toBe(2);
    expect((await cli.run(["learn", "forget", "--all"])).code).toBe(0);
    expect(await listed()).toEqual([]);
  });

  it("names what it cannot read, learns the rest, and exits with 1", async () => {
    const empty = cli.file("empty.eml", "From: a@b.example\r\n\r\n");
    const good = cli.file("good.eml", letter(minutes()));
    const { code, stderr } = await cli.run(["learn", "not", empty, join(cli.dir, "none.eml"), good]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/empty\.eml: no text in it\n.*none\.eml: cannot be read: ENOENT\n/);
    expect(await listed()).toHaveLength(1);
    expect((await cli.run(["learn", "not", "--maildir", cli.dir])).code).toBe(2);
    expect((await cli.run(["learn", "ad"])).code).toBe(2);
  });

  it("has every change in the ledger, and no word of a mail", async () => {
    const { stdout } = await cli.run(["ledger", "find", "--since", "1h", "--json"]);
    const lines = stdout.trim().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as { event: string; evidence: object });
    const taught = entries.filter(({ event }) => event === "detector-taught");
    expect(taught.map(({ evidence }) => evidence)).toContainEqual({ taught: "ad", mails: 1, batch: "sales" });
    expect(taught.map(({ evidence }) => evidence)).toContainEqual({ taught: "forgotten", mails: 1, batch: "work" });
    expect(JSON.stringify(taught)).not.toMatch(/五折|minutes of/);
  });
});
