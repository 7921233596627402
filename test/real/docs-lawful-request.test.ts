/** docs/lawful-request.md, typed line by line: what it says comes out, comes out. */
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loginName } from "../../src/commands/who.ts";
import { docBlocks, docLines } from "../helpers/doc-blocks.ts";
import { createLedgerSite, type LedgerSite } from "../helpers/ledger-site.ts";
import { installed } from "../helpers/process.ts";

const PAGE = "lawful-request.md";
const NEEDED = ["openssl", "age", "age-keygen", "sha256sum", "xxd"];
const ENTRY = fileURLToPath(new URL("../../src/commands/index.ts", import.meta.url));
const DUCKDB = fileURLToPath(new URL("../helpers/plain-duckdb.ts", import.meta.url));
/** The day on which the page was written: its dates are as far from it as the test's are from today. */
const PAGE_DAY_MS = Date.parse("2026-11-22");

/** Something somebody types, and what he sees. */
interface Line {
  readonly who: string;
  readonly command: string;
  readonly output: string;
}

const PROMPT = /^(\w+)\$ (.*)$/;

function dialogue(): Line[] {
  const blocks = docBlocks(PAGE).filter(({ text }) => PROMPT.test(text.split("\n")[0] ?? ""));
  return blocks.flatMap(({ text }) => {
    const lines: { who: string; command: string; output: string[] }[] = [];
    for (const line of text.split("\n")) {
      const [, who, command] = PROMPT.exec(line) ?? [];
      if (who !== undefined && command !== undefined) lines.push({ who, command, output: [] });
      else lines.at(-1)?.output.push(line);
    }
    return lines.map(({ output, ...rest }) => ({ ...rest, output: output.join("\n") }));
  });
}

/** Dates of the page as dates of today's test. */
function shifted(text: string, todayMs: number): string {
  return text.replace(/\b20\d\d-\d\d-\d\d(?=\b|T)/g, (date) =>
    new Date(Date.parse(date) - PAGE_DAY_MS + todayMs).toISOString().slice(0, 10),
  );
}

/** What is another each time, by its kind. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>"],
  [/\b[0-9a-f]{64}\b/g, "<digest>"],
  [/\b[0-9a-f]{16}\b/g, "<key>"],
  [/\b[0-9A-HJKMNP-TV-Z]{23}\b/g, "<id>"],
  [/\bnode \S+:/g, "node <node>:"],
];
const steady = (text: string): string =>
  VOLATILE.reduce((done, [pattern, name]) => done.replace(pattern, name), text).trimEnd();

/** "…" alone in a line stands for any lines. */
function expectOutput(seen: string, expected: string, command: string): void {
  const parts = steady(expected).split(/^…$/m);
  const pattern = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("[\\s\\S]*");
  if (parts.length === 1) expect(steady(seen), command).toBe(steady(expected));
  else expect(steady(seen), command).toMatch(new RegExp(`^${pattern}$`));
}

/** Shells of several people in one directory, each where he went last. */
function shells(site: LedgerSite) {
  const bin = join(site.dir, "bin");
  mkdirSync(bin);
  const script = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const node = `exec "${process.execPath}" --disable-warning=ExperimentalWarning`;
  script("consentry", `${node} "${ENTRY}" "$@" --config "${join(site.dir, "consentry.yaml")}" --as "$WHO"`);
  if (!installed("duckdb")) script("duckdb", `${node} "${DUCKDB}" "$@"`);
  const places = new Map<string, string>();
  const left = join(site.dir, "left");
  return ({ who, command }: Line): Promise<string> =>
    new Promise((resolve) => {
      const cwd = places.get(who) ?? site.dir;
      const env = { ...process.env, WHO: who, PATH: `${bin}:${process.env.PATH}`, LC_ALL: "C.UTF-8" };
      const text = `exec 2>&1\n${command}\npwd > "${left}"`;
      execFile("sh", ["-c", text], { cwd, env, timeout: 60_000 }, (_, stdout) => {
        places.set(who, readFileSync(left, "utf8").trim());
        resolve(stdout);
      });
    });
}

const missing = NEEDED.filter((name) => !installed(name));

describe.skipIf(missing.length > 0)(`docs/lawful-request.md (skipped without ${NEEDED.join(", ")})`, () => {
  it("says what happens, from the opening to the sealed export and after", { timeout: 300_000 }, async () => {
    const page = parse(docLines(PAGE, { section: "", file: "consentry.yaml" }).join("\n")) as { ledger: object };
    const ledger = { ...page.ledger, mayActAs: [loginName()] };
    const site = await createLedgerSite(`hostname: relay.example.net\nledger: ${JSON.stringify(ledger)}\n`);
    const [mail] = site.entries;
    const say = shells(site);
    const lines = dialogue();
    expect(lines.length).toBeGreaterThan(30);
    for (const line of lines) {
      // The page names a mail of its own.
      const command = shifted(line.command, site.todayMs).replace(/\b01[0-9A-HJKMNP-TV-Z]{21}\b/g, mail?.mailId ?? "");
      expectOutput(await say({ ...line, command }), shifted(line.output, site.todayMs), command);
    }
  });
});
