/** A house to be measured: every rule enforcing, embedded store, ledger durable, as they come. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface MeasuredHouse {
  readonly port: number;
  readonly sinkPort: number;
  /** default: proxy */
  readonly mode?: "queue";
  /** Further bounds: one client address stands for many here. */
  readonly limits?: string;
  /** Further lines of its configuration. */
  readonly more?: readonly string[];
}

/** Writes its configuration into a directory of its own. @returns the file's path */
export function writeHouse(dir: string, { port, sinkPort, mode, limits, more = [] }: MeasuredHouse): string {
  const path = join(dir, "consentry.yaml");
  const lines = [
    "hostname: relay.example.net",
    `listeners: [{ door: smtp, listen: "127.0.0.1:${port}" }]`,
    "localDomains: [example.com]",
    `dataDir: ${join(dir, "var")}`,
    `nextHop: { to: "smtp://127.0.0.1:${sinkPort}"${mode ? `, mode: ${mode}` : ""} }`,
    `limits: { ${["connectionsPerIpMax: 100000", "connectionsMax: 100000", ...(limits ? [limits] : [])].join(", ")} }`,
    "log: { level: warn, format: json }",
    ...more,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}
