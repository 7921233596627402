/** A process that looks things up and says how long it took: `node ledger-look.ts ROOT TEMP cold|warm|count|scan SAMPLES`. */
import type { Search } from "../../../src/ledger/journal.ts";
import { openReader } from "../../../src/stores/duckdb/reader.ts";
import type { Sample } from "./ledger-archive.ts";

export interface Looked {
  readonly kind: string;
  readonly ms: number;
  /** Of all threads: on a busy machine this tells more. */
  readonly cpuMs: number;
  readonly found: number;
}

export interface LookReport {
  readonly looked: readonly Looked[];
  readonly peakMb: number;
}

const [root = "", tempDir = "", how = "warm", given = "[]"] = process.argv.slice(2);
const reader = await openReader({ root, journal: undefined, tempDir, memoryMb: 256 });
const searchOf = ({ kind, value }: Sample): Search => ({ [kind]: value });

const look = (sample: Sample): Promise<Looked> => find(sample.kind, searchOf(sample));

async function find(kind: string, search: Search): Promise<Looked> {
  const began = performance.now();
  const cpu = cpuMs();
  let found = 0;
  for await (const _ of reader.find(search)) found += 1;
  return { kind, ms: performance.now() - began, cpuMs: cpuMs() - cpu, found };
}

async function count(): Promise<Looked> {
  const began = performance.now();
  const cpu = cpuMs();
  const counts = await reader.count({});
  const found = counts.reduce((sum, { entries }) => sum + entries, 0);
  return { kind: "count", ms: performance.now() - began, cpuMs: cpuMs() - cpu, found };
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const looked: Looked[] = [];
for (const sample of JSON.parse(given) as Sample[]) {
  if (how === "warm") await look(sample);
  looked.push(await look(sample));
}
if (how === "scan") looked.push(await find("domain", { domain: "nobody.example" }));
if (how === "count") for (let i = 0; i < 5; i += 1) looked.push(await count());
await reader.close();
const report: LookReport = { looked, peakMb: process.resourceUsage().maxRSS / 1024 };
process.stdout.write(JSON.stringify(report));
