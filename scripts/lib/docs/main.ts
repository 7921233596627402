/**
 * Everything in the repository that is written from the source. `node main.ts` writes, `--check` names what is out of date.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { configPage } from "./config-page.ts";
import { configYaml } from "./config-yaml.ts";
import { ledgerPage } from "./ledger-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { repliesPage } from "./replies-page.ts";
import { rulesPage } from "./rules-page.ts";

const HOUSE = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

const FILES: Readonly<Record<string, () => string>> = {
  "config/consentry.yaml": configYaml,
  "docs/reference/config.md": configPage,
  "docs/reference/rules.md": rulesPage,
  "docs/reference/replies.md": repliesPage,
  "docs/reference/ledger.md": ledgerPage,
  "docs/reference/metrics.md": metricsPage,
};

/** The files whose text is no longer what the source says. */
function staleFiles(): string[] {
  return Object.entries(FILES)
    .filter(([path, text]) => readOr(join(HOUSE, path)) !== text())
    .map(([path]) => path);
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function write(path: string): void {
  const full = join(HOUSE, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, FILES[path]?.() ?? "");
  console.log(`wrote ${path}`);
}

const [option, ...more] = process.argv.slice(2);
if (more.length > 0 || (option !== undefined && option !== "--check")) {
  console.error("docs: only --check is known");
  process.exitCode = 2;
} else if (option === "--check") {
  const stale = staleFiles();
  for (const path of stale) console.error(`docs: ${path} is out of date: run ./scripts/docs`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  const stale = staleFiles();
  for (const path of stale) write(path);
  if (stale.length === 0) console.log("docs: all up to date");
}
