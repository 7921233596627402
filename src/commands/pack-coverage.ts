import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Duty } from "../law/coverage.ts";
import { defineCommand, text } from "./globals.ts";
import { clean, print, printJson, Refused } from "./output.ts";

const COVERAGE = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "config", "coverage.yaml");

export const coverage = defineCommand({
  command: "coverage",
  describe:
    "Article by article: which rule holds people to it, which test proves it, and what nothing enforces and why",
  builder: (args) =>
    args
      .option("pack", text("only the articles of this pack"))
      .example("$0 pack coverage", "the obligations of all laws, then every article of every pack")
      .example("$0 pack coverage --pack vn-2008 --json", "for programs"),
  async handler({ config: path, pack: only, json }) {
    const [{ loadConfig }, { lawOf }, { dutiesOf, loadCoverage }] = await Promise.all([
      import("../config/load.ts"),
      import("./law.ts"),
      import("../law/coverage.ts"),
    ]);
    const { packs } = lawOf(loadConfig(path));
    if (only !== undefined && !packs.has(only)) {
      throw new Refused(`there is no pack ${clean(only)}; known: ${[...packs.keys()].join(", ")}`);
    }
    const all = dutiesOf(loadCoverage(COVERAGE), [...packs.values()]);
    const duties = only === undefined ? all : all.filter(({ pack }) => pack === only);
    if (json) return printJson(duties);
    await print(...linesOf(duties).map(clean), "", summary(duties));
  },
});

/** One block for each duty, under the pack it stands in. */
function linesOf(duties: readonly Duty[]): string[] {
  return duties.flatMap((duty, index) => {
    const head = duties[index - 1]?.pack === duty.pack ? [] : ["", titleOf(duty.pack)];
    const name = duty.pack === "all" ? `${duty.says}: ${duty.law}` : duty.law;
    const held = duty.by.map(({ name, tests }) => `    ${name} -> ${tests.join(", ")}`);
    return [
      ...head,
      `  ${name}`,
      ...held,
      ...(held.length > 0 ? [] : [`    not enforced: ${duty.why ?? "no reason given"}`]),
    ];
  });
}

const titleOf = (pack: string): string => (pack === "all" ? "obligations of all laws together" : `pack ${pack}`);

function summary(duties: readonly Duty[]): string {
  const held = duties.filter(({ by }) => by.length > 0).length;
  return `${duties.length} duties: ${held} held to, ${duties.length - held} not, each with its reason`;
}
