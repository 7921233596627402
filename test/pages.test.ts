import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CommandModule } from "yargs";
import { COMMANDS } from "../src/commands/list.ts";
import {
  codeOf,
  coveredBy,
  deadLinks,
  goneKeys,
  gonePaths,
  type Page,
  remarksOf,
  tableOf,
  targetsOf,
} from "./helpers/pages.ts";

// What the pages and comments point at, held to what is there.

const READMES = ["README.md", "README.zh-CN.md", "README.vi.md"];

/** Neither a place for a name (scripts/bench/NAME.ts) nor the rule that CONTRIBUTING.md has its reader make. */
const IS_ONE = /^(?!.*(?:\/[A-Z]+\.|\/envelope\/message-id\b))/;

const read = (path: string): Page => ({ path, text: readFileSync(path, "utf8") });

/** Files below a directory, those of tests' fixtures and installed programs left out. */
const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/(?:seeds|node_modules|\.node)\//.test(path));

const pages = [...readdirSync("."), ...["docs", "src", "test"].flatMap(filesBelow)]
  .filter((path) => path.endsWith(".md"))
  .map(read);

const programs = [...["bin", "src", "scripts", "test", "config", "docker"].flatMap(filesBelow), "docker-compose.yml"]
  .filter((path) => /\.(?:ts|sh|ya?ml|cf)$|\/[\w-]+$/.test(path) && statSync(path).size < 500_000)
  .map(read);

/** Pages that a program sends its reader to. */
const helpOf = ({ path, text }: Page): string =>
  path.startsWith("src/") ? [...text.matchAll(/docs\/[\w/-]+\.md/g)].join("\n") : "";

const headingsOf = (path: string): string | undefined =>
  existsSync(path) ? (path.endsWith(".md") ? readFileSync(path, "utf8") : "") : undefined;

describe("pages", () => {
  it("link to nothing that is gone", () => {
    expect(pages.length).toBeGreaterThan(20);
    expect(pages.flatMap((page) => deadLinks(page, (target) => headingsOf(join(dirname(page.path), target))))).toEqual(
      [],
    );
  });

  it("name no path that is gone, nor do the comments of programs and configurations", () => {
    const remarks = programs.map(({ path, text }) => ({ path, text: `${remarksOf(text)}\n${helpOf({ path, text })}` }));
    const there = (path: string): boolean =>
      !IS_ONE.test(path) || [".", "src"].some((at) => existsSync(join(at, path)));
    expect(remarks.filter(({ text }) => text.includes("docs/")).length).toBeGreaterThan(2);
    expect([...pages, ...remarks].flatMap((page) => gonePaths(page, there))).toEqual([]);
  });

  it("name no key that the configuration does not have", () => {
    const yaml = readFileSync("config/consentry.yaml", "utf8");
    expect(pages.flatMap((page) => goneKeys(page, yaml))).toEqual([]);
    expect(goneKeys({ path: "a.md", text: "`queue.holdDays` `queue.gone` `dns.gone.too` `a.b`" }, yaml)).toEqual([
      "a.md: queue.gone",
      "a.md: dns.gone.too",
    ]);
  });

  it("are not believed when they name what is gone", () => {
    const page = {
      path: "a.md",
      text: "# One Head\n[a](b.md) [c](#one-head) [d](#two) docs/gone.md `src/kit/gone.ts`",
    };
    expect(deadLinks(page, (path) => (path === "" ? page.text : undefined))).toEqual(["a.md: b.md", "a.md: #two"]);
    expect(gonePaths(page, () => false)).toEqual(["a.md: docs/gone.md", "a.md: src/kit/gone.ts"]);
    expect(remarksOf('const a = "docs/X.md"; // docs/Y.md\n/** docs/Z.md */\nrun # docs/W.md')).toBe(
      " docs/Y.md\n docs/Z.md */\n docs/W.md",
    );
  });
});

describe("the READMEs", () => {
  it("lead to every page of docs", () => {
    const targets = targetsOf(readFileSync("README.md", "utf8"));
    const docs = readdirSync("docs").filter((name) => name.endsWith(".md"));
    expect(docs.filter((name) => !targets.includes(`docs/${name}`))).toEqual([]);
  });

  const tables = READMES.map((path) => tableOf(readFileSync(path, "utf8")));

  it.each(READMES)("%s has every command of consentry --help", (path) => {
    const covered = coveredBy(tableOf(readFileSync(path, "utf8")));
    expect(namesOf(COMMANDS).filter((name) => !covered(name))).toEqual([]);
  });

  it.each(READMES)("%s has no command that is not there", (path) => {
    const named = tableOf(readFileSync(path, "utf8")).flatMap(({ names }) => names);
    const names = namesOf(COMMANDS);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter((name) => !names.some((known) => known === name || known.startsWith(`${name} `)))).toEqual([]);
  });

  it("tell a table that lacks a command", () => {
    const covered = coveredBy(tableOf("| `queue list\\|show` | a |\n| `rules`, `ledger hold` | b |"));
    const asked = ["queue show", "queue drop", "rules list", "ledger hold", "ledger find"];
    expect(asked.filter(covered)).toEqual(["queue show", "rules list", "ledger hold"]);
  });

  it("show the same commands, settings and links in each language", () => {
    const [english = "", ...others] = READMES.map((path) => readFileSync(path, "utf8"));
    for (const [index, other] of others.entries()) {
      expect(tables[index + 1]?.map(({ spans }) => spans)).toEqual(tables[0]?.map(({ spans }) => spans));
      expect(codeOf(other)).toEqual(codeOf(english));
      expect(targetsOf(other)).toEqual(targetsOf(english));
    }
  });
});

describe("--help", () => {
  it("has an example for every command", () => {
    const without = (command: CommandModule, above = ""): string[] => {
      const { members, examples } = toldOf(command);
      const name = `${above}${String([command.command].flat()[0])}`;
      if (members.length > 0) return members.flatMap((member) => without(member, `${name.split(" <")[0]} `));
      return examples > 0 ? [] : [name];
    };
    expect(COMMANDS.flatMap((command) => without(command))).toEqual([]);
  });
});

/** "serve", "client add", "ledger hold": each command, and each member of a group. */
function namesOf(commands: readonly CommandModule[]): string[] {
  return commands.flatMap((command) => {
    const name = String([command.command].flat()[0]).split(" ")[0] ?? "";
    const members = toldOf(command).members.map((member) => String([member.command].flat()[0]).split(" ")[0]);
    return members.length === 0 ? [name] : members.map((member) => `${name} ${member}`);
  });
}

/** What a command's builder tells yargs: its members, and how many examples. */
function toldOf({ builder }: CommandModule): { members: CommandModule[]; examples: number } {
  const members: CommandModule[] = [];
  let examples = 0;
  const listener: unknown = new Proxy(
    {},
    {
      get: (_, method) => (told: CommandModule) => {
        if (method === "command") members.push(told);
        if (method === "example") examples += 1;
        return listener;
      },
    },
  );
  if (typeof builder === "function") builder(listener as Parameters<typeof builder>[0]);
  return { members, examples };
}
