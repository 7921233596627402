import type { Config } from "../config/schema.ts";
import type { Pack } from "../law/pack.ts";
import type { Law } from "../law-in-force.ts";
import { defineCommand, defineGroup, word } from "./globals.ts";
import { clean, print, printJson, printTable, Refused } from "./output.ts";
import { coverage } from "./pack-coverage.ts";
import { tryPack } from "./pack-try.ts";

const list = defineCommand({
  command: "list",
  describe: "The laws that are known, how far they act, and for whom",
  builder: (args) => args.example("$0 pack list --json", "one JSON document"),
  async handler(options) {
    const { config, packs, choice } = await lawAt(options.config);
    const items = [...packs.values()].map((pack) => {
      const mode = choice.mode(pack);
      const usedFor = usesOf(pack.id, config.packs);
      const { id, status, country, version, title } = pack;
      return {
        row: [id, status, country, version, mode, usedFor.join(", ") || "nobody"],
        value: { id, title, status, country, version, mode, usedFor },
      };
    });
    await printTable(options, ["PACK", "STATUS", "COUNTRY", "VERSION", "MODE", "FOR RECIPIENTS"], items);
  },
});

/** Whom a pack protects: everybody by default, or domains by name. */
function usesOf(id: string, { default: standard, byRecipientDomain }: Config["packs"]): string[] {
  const domains = Object.entries(byRecipientDomain).flatMap(([domain, ids]) => (ids.includes(id) ? [domain] : []));
  const exceptions = Object.keys(byRecipientDomain).length > 0 ? "all not named otherwise" : "all";
  return [...(standard.includes(id) ? [exceptions] : []), ...domains];
}

const show = defineCommand({
  command: "show <id>",
  describe: "What one law demands, article by article",
  builder: (args) => args.positional("id", word("which pack")).example("$0 pack show cn-2006", ""),
  async handler({ config: path, id, json }) {
    const { packs } = await lawAt(path);
    const pack = packs.get(id);
    if (!pack) throw new Refused(`there is no pack ${clean(id)}; known: ${[...packs.keys()].join(", ")}`);
    if (json) return printJson(pack);
    const { packLines } = await import("./pack-text.ts");
    await print(...packLines(pack).map(clean));
  },
});

const check = defineCommand({
  command: "check <file>",
  describe: "Is a pack of your own right? Schema, citations, examples",
  builder: (args) =>
    args
      .positional("file", word("a pack: <id>.yaml"))
      .example("$0 pack check packs/xx-2026.yaml", "every error at once, with line and key; exit 1 when there is one"),
  async handler({ file, json }) {
    const { checkPackFile } = await import("../law/packs.ts");
    const { pack, problems } = checkPackFile(file);
    if (json) await printJson({ ok: pack !== undefined, problems, ...(pack && { pack: describePack(pack) }) });
    else if (pack) await print(`${file} is right: ${describePack(pack)}`);
    else throw new Refused([`${file} cannot be used:`, ...problems.map((problem) => `  ${clean(problem)}`)].join("\n"));
    if (!pack) process.exitCode = 1;
  },
});

const describePack = ({ id, version, articles, examples }: Pack): string =>
  `${id}@${version}, ${articles.length} articles, ${examples.labelled.length + examples.unlabelled.length} examples`;

async function lawAt(path: string): Promise<Law> {
  const [{ loadConfig }, { lawOf }] = await Promise.all([import("../config/load.ts"), import("./law.ts")]);
  return lawOf(loadConfig(path));
}

export const pack = defineGroup("pack", "Laws, as data", [list, show, check, coverage, tryPack]);
