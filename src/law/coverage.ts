/**
 * What holds people to which duty, and what does not and why: config/coverage.yaml for the obligations that all laws share, and
 * the packs for their articles. Rules are named by id; this room does not know them, whoever shows or tests the list does.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { parseYaml } from "../config/yaml.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Pack } from "./pack.ts";

const covered = {
  /** Rules by id, or means by name. */
  enforcedBy: z.array(z.string()).min(1).optional(),
  notEnforced: z.string().min(10).optional(),
};

const coverageSchema = z.strictObject({
  /** What besides rules keeps a duty, by name. */
  means: z.record(z.string(), z.strictObject({ what: z.string().min(10), tests: z.array(z.string()).min(1) })),
  obligations: z.array(z.strictObject({ what: z.string(), law: z.array(z.string()).min(1), ...covered })),
});
export type Coverage = z.infer<typeof coverageSchema>;

/** One duty: an article of a pack, or an obligation. */
export interface Duty {
  /** The pack's id, or "all". */
  readonly pack: string;
  readonly law: string;
  readonly says: string;
  readonly by: readonly { readonly name: string; readonly tests: readonly string[] }[];
  /** Why nothing holds anybody to it. */
  readonly why?: string;
}

/** @throws Misuse with every key that is wrong */
export function loadCoverage(path: string): Coverage {
  const file = parseYaml(path, readFileSync(path, "utf8"));
  const result = coverageSchema.safeParse(file.value);
  const problems = [...file.problems, ...(result.error?.issues ?? []).flatMap((issue) => file.explain(issue))];
  if (!result.success || problems.length > 0) throw new Misuse(`${path} cannot be used:`, problems);
  return result.data;
}

/** Every obligation, then every article of the packs given. */
export function dutiesOf({ means, obligations }: Coverage, packs: readonly Pack[]): Duty[] {
  const by = (names: readonly string[] = []): Duty["by"] =>
    names.map((name) => ({ name, tests: means[name]?.tests ?? [`test/rules/${name}.test.ts`] }));
  const all = obligations.map(({ what, law, enforcedBy, notEnforced }) => ({
    pack: "all",
    law: law.join("; "),
    says: what,
    by: by(enforcedBy),
    ...(notEnforced !== undefined && { why: notEnforced }),
  }));
  const articles = packs.flatMap((pack) =>
    pack.articles.map(({ source, says, enforcedBy, notEnforced }) => ({
      pack: pack.id,
      law: `${source.cite} (${source.confidence})`,
      says: says.trim(),
      by: by(enforcedBy),
      ...(notEnforced !== undefined && { why: notEnforced.trim() }),
    })),
  );
  return [...all, ...articles];
}
