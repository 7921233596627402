/** The same entries elsewhere: zgrep over gzipped JSON lines, and PostgreSQL with a partition for each day and three indexes. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, createWriteStream, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Days, dateOf } from "./ledger-archive.ts";
import { DAY_MS, entriesOf, FIRST_DAY_MS } from "./ledger-days.ts";

/** All files on all cores. @returns seconds */
export function zgrepSeconds(dir: string, word: string): number {
  const began = performance.now();
  const script = 'ls "$1"/*.gz | xargs -P "$(nproc)" -n 4 zgrep -h -F -c -- "$2" > /dev/null || true';
  execFileSync("sh", ["-c", script, "sh", dir, `"${word}"`]);
  return (performance.now() - began) / 1000;
}

/** undefined: it is not installed. */
export function postgresBin(): string | undefined {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, "bin")).find((bin) => existsSync(join(bin, "initdb")));
}

export interface PostgresResult {
  readonly bytesPerEntry: number;
  readonly lookUpMs: number;
  readonly countMs: number;
}

const COLUMNS = [
  ["at", "timestamptz"],
  ["id", "text"],
  ["event", "text"],
  ["mail_id", "text"],
  ["session_id", "text"],
  ["door", "text"],
  ["direction", "text"],
  ["sender", "text"],
  ["recipient", "text"],
  ["client_ip", "inet"],
  ["client_port", "integer"],
  ["server_ip", "inet"],
  ["next_hop_ip", "inet"],
  ["helo", "text"],
  ["login", "text"],
  ["client", "text"],
  ["message_id", "text"],
  ["size_bytes", "bigint"],
  ["tls", "text"],
  ["verdict", "text"],
  ["rules", "text"],
  ["articles", "text"],
  ["packs", "text"],
  ["reply", "text"],
  ["evidence", "text"],
] as const;

const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

function field(value: unknown): string {
  if (value === undefined) return "\\N";
  const text = Array.isArray(value)
    ? value.join("; ")
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);
  return text.replace(/[\\\t\n\r]/g, (char) => `\\${{ "\\": "\\", "\t": "t", "\n": "n", "\r": "r" }[char]}`);
}

function* copyLines(day: number, perDay: number): Generator<string> {
  for (const entry of entriesOf(day, perDay)) {
    const row = { ...entry, at: new Date(entry.at).toISOString() } as Record<string, unknown>;
    yield `${COLUMNS.map(([name]) => field(row[camel(name)])).join("\t")}\n`;
  }
}

/** Runs a server of its own in a directory, and removes it. */
export async function measurePostgres(
  bin: string,
  dir: string,
  days: Days & { recipient: string },
): Promise<PostgresResult> {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o777);
  const data = join(dir, "data");
  const asPostgres = (command: string, ...args: string[]): string => {
    const root = process.getuid?.() === 0;
    const words = root
      ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", command, ...args]
      : [command, ...args];
    const [first = "", ...rest] = words;
    const ran = spawnSync(first, rest, { cwd: dir, encoding: "utf8", maxBuffer: 2 ** 26 });
    if (ran.status !== 0) throw new Error(`${command}: ${ran.stderr.slice(0, 500)}`);
    return ran.stdout;
  };
  const sql = (text: string): string => asPostgres(join(bin, "psql"), "-h", dir, "-d", "postgres", "-qAtX", "-c", text);
  asPostgres(join(bin, "initdb"), "-D", data, "-A", "trust");
  const options = `-c listen_addresses= -c unix_socket_directories=${dir} -c fsync=off -c max_wal_size=4GB`;
  asPostgres(join(bin, "pg_ctl"), "-D", data, "-w", "-l", join(dir, "log"), "-o", options, "start");
  try {
    sql(
      `CREATE TABLE entries (${COLUMNS.map(([name, type]) => `"${name}" ${type}`).join(", ")}) PARTITION BY RANGE ("at")`,
    );
    for (const column of ["recipient", "sender", "client_ip"]) sql(`CREATE INDEX ON entries (${column})`);
    for (let day = 0; day < days.days; day += 1) {
      const to = new Date(FIRST_DAY_MS + (day + 1) * DAY_MS).toISOString();
      sql(`CREATE TABLE d${day} PARTITION OF entries FOR VALUES FROM ('${dateOf(day)}T00:00Z') TO ('${to}')`);
      const file = join(dir, "day.copy");
      await pipeline(Readable.from(copyLines(day, days.perDay)), createWriteStream(file, { mode: 0o644 }));
      sql(`COPY entries FROM '${file}'`);
      rmSync(file);
    }
    sql("VACUUM ANALYZE entries");
    const bytes = Number(sql("SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('entries')"));
    const timed = (text: string): number => {
      const times = [1, 2, 3].map(() => {
        const plan = sql(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`);
        return Number(/"Execution Time": ([\d.]+)/.exec(plan)?.[1]);
      });
      return Math.min(...times);
    };
    const lookUpMs = timed(
      `SELECT * FROM entries WHERE recipient = '${days.recipient.replaceAll("'", "''")}' ORDER BY "at"`,
    );
    const countMs = timed(`SELECT date("at"), event, verdict, count(*) FROM entries GROUP BY 1, 2, 3`);
    return { bytesPerEntry: bytes / (days.days * days.perDay), lookUpMs, countMs };
  } finally {
    asPostgres(join(bin, "pg_ctl"), "-D", data, "-m", "immediate", "stop");
    rmSync(dir, { recursive: true, force: true });
  }
}
