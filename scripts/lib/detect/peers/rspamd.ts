/** rspamd's Bayes with everything else of it switched off, on a Redis of its own; learned and asked over HTTP on the loopback. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "../../../bench/lib/processes.ts";
import { type Exam, foldsIn, type Peer } from "./exam.ts";

const OFF =
  "antivirus arc asn aws_s3 bayes_expiry bimi chartable clickhouse dcc dkim dkim_signing dmarc dynamic_conf elastic emails external_relay external_services force_actions forged_recipients fuzzy_check gpt greylist hfilter history_redis http_headers known_senders maillist metadata_exporter metric_exporter mid milter_headers mime_types multimap mx_check neural once_received p0f phishing ratelimit rbl replies reputation rspamd_update spamassassin spamtrap spf surbl trie url_redirector whitelist";

interface Ports {
  readonly redis: number;
  readonly learn: number;
  readonly check: number;
}

export const rspamd: Peer = {
  name: "rspamd",
  programs: { rspamd: "rspamd", "redis-server": "redis-server", "redis-cli": "redis-server" },
  async sit(exams, room) {
    const ports = { redis: await freePort(), learn: await freePort(), check: await freePort() };
    const dir = join(room.dir, "rspamd");
    configure(dir, ports);
    const children = start(dir, ports);
    try {
      await untilUp(ports.learn);
      const answers = new Map<string, number[]>();
      for (const exam of exams) answers.set(exam.name, await sitOne(exam, ports, room.signal));
      return answers;
    } finally {
      for (const child of children) child.kill();
    }
  },
};

function configure(dir: string, ports: Ports): void {
  for (const name of ["local.d", "override.d", "db", "log", "run"]) mkdirSync(join(dir, name), { recursive: true });
  chmodSync(dir, 0o755);
  const write = (name: string, ...lines: string[]): void => writeFileSync(join(dir, name), `${lines.join("\n")}\n`);
  const redis = `servers = "127.0.0.1:${ports.redis}";`;
  write("local.d/redis.conf", redis);
  write("local.d/classifier-bayes.conf", redis, 'backend = "redis";', "min_learns = 5;", "autolearn = false;");
  write("local.d/logging.inc", 'level = "error";');
  // A name server that nobody answers at: nothing may be asked of the network.
  const dns = `dns { nameserver = ["127.0.0.1:${ports.redis}"]; timeout = 0.05s; retransmits = 1; }`;
  write("local.d/options.inc", 'filters = "";', dns, `control_socket = "${dir}/run/control.sock mode=0600";`);
  write("override.d/classifier-bayes.conf", 'learn_condition = "return function() return true end";');
  write("override.d/worker-normal.inc", `bind_socket = "127.0.0.1:${ports.check}";`, "count = 1;");
  write(
    "override.d/worker-controller.inc",
    `bind_socket = "127.0.0.1:${ports.learn}";`,
    'secure_ip = "127.0.0.1";',
    "count = 1;",
  );
  write("override.d/worker-proxy.inc", "enabled = false;");
  for (const name of OFF.split(" ")) write(`override.d/${name}.conf`, "enabled = false;");
}

function start(dir: string, ports: Ports): ChildProcess[] {
  const redis = ["--port", String(ports.redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const places = { LOCAL_CONFDIR: dir, DBDIR: `${dir}/db`, LOGDIR: `${dir}/log`, RUNDIR: `${dir}/run` };
  const vars = Object.entries(places).flatMap(([name, place]) => ["--var", `${name}=${place}`]);
  const rights = process.getuid?.() === 0 ? ["-u", "root", "-g", "root", "--insecure"] : [];
  return [
    spawn("redis-server", redis, { stdio: "ignore" }),
    spawn("rspamd", ["-f", ...rights, "-c", "/etc/rspamd/rspamd.conf", ...vars], { stdio: "ignore" }),
  ];
}

async function untilUp(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const answer = await ask(port, "/stat").catch(() => undefined);
    if (answer !== undefined) return;
    await wait(200);
  }
  throw new Error("rspamd did not come up within two minutes");
}

async function sitOne(exam: Exam, ports: Ports, signal: AbortSignal): Promise<number[]> {
  const scores = new Map<string, number>();
  for (const fold of foldsIn(exam)) {
    spawnSync("redis-cli", ["-p", String(ports.redis), "flushall"]);
    for (const { file, positive, fold: own } of exam.questions) {
      signal.throwIfAborted();
      if (own !== fold) await ask(ports.learn, positive ? "/learnspam" : "/learnham", readFileSync(file));
    }
    for (const { file, fold: own } of exam.questions) {
      signal.throwIfAborted();
      if (own === fold) scores.set(file, spamOdds(await ask(ports.check, "/checkv2", readFileSync(file))));
    }
  }
  return exam.questions.map(({ file }) => scores.get(file) ?? 0.5);
}

const SETTINGS = JSON.stringify({ groups_enabled: ["statistics"], symbols_enabled: ["BAYES_SPAM", "BAYES_HAM"] });

function spamOdds(answer: string): number {
  let symbols: Record<string, { options?: string[] }> = {};
  try {
    symbols = (JSON.parse(answer) as { symbols?: typeof symbols }).symbols ?? {};
  } catch {
    return 0.5;
  }
  const percent = (name: string): number => Number.parseFloat(symbols[name]?.options?.[0] ?? "50") / 100;
  if (symbols.BAYES_SPAM) return percent("BAYES_SPAM");
  return symbols.BAYES_HAM ? 1 - percent("BAYES_HAM") : 0.5;
}

/** An answer that is no HTTP (a refusal to learn has no phrase behind its code) counts as an empty one. */
const ask = (port: number, path: string, body: Buffer = Buffer.alloc(0)): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { Settings: SETTINGS, "Content-Length": body.length };
    const asked = request({
      port,
      host: "127.0.0.1",
      path,
      method: "POST",
      headers,
      agent: false,
      insecureHTTPParser: true,
    });
    asked.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    });
    asked.once("error", (error: NodeJS.ErrnoException) =>
      error.code?.startsWith("HPE") || error.code === "ECONNRESET" ? resolve("") : reject(error),
    );
    asked.setTimeout(20_000, () => asked.destroy(new Error(`rspamd was silent for 20 s at ${path}`)));
    asked.end(body);
  });
