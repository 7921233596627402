/** The relay as a process of its own, as operators run it: started, killed, drained, reloaded, its clock stepped. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, type Running, start, untilListening } from "../../bench/lib/processes.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const CLI = join(HERE, "../../../src/commands/index.ts");

const RESTART_MS = 500;
/** Whoever lost its supervisor may end its mails (drainMs), have those who deliver end theirs (5 s more), and then it ends. */
const LEAVE_MS = 15_000;

export interface ServiceOptions {
  readonly work: string;
  readonly dataDir: string;
  readonly storeUrl: string;
  readonly sinkPort: number;
  readonly dnsAddress: string;
  readonly workers: number;
  readonly mode: "proxy" | "queue";
  /** Of rules that nothing else is said of. */
  readonly rules: "watch" | "enforce";
}

export interface SoakService {
  readonly port: number;
  readonly config: string;
  /** When somebody killed it or a part of it, by Date.now. */
  readonly killedAt: readonly number[];
  /** How often it ended although nobody asked it to. */
  readonly endedByItself: number;
  /** Has it started, and started again whenever it ends. */
  up(): void;
  /** @throws Error when it does not listen within twenty seconds */
  ready(): Promise<void>;
  /** SIGKILL, of all of it. */
  kill(): Promise<void>;
  /** SIGKILL of the first process alone: with several workers the supervisor. */
  killFirst(): Promise<void>;
  /** After it was stopped: ends what should have ended by itself. @returns how many processes that were */
  endLeftOvers(): Promise<number>;
  /** SIGKILL of one worker, where there are several. */
  killWorker(): void;
  /** SIGTERM: mails in progress may end. */
  stop(): Promise<void>;
  reload(): void;
  stepClock(aheadMs: number): void;
  /** Memory of all its processes, MB; 0 while it is down. */
  memoryMb(): number;
}

export async function soakService(options: ServiceOptions): Promise<SoakService> {
  const port = await freePort();
  const config = join(options.work, "consentry.yaml");
  const clock = join(options.work, "clock");
  const write = (drainMs: number): void => writeFileSync(config, configText(options, port, drainMs));
  write(5000);
  let running: Running | undefined;
  let wanted = false;
  let keeping = Promise.resolve();
  let ended = 0;
  const killedAt: number[] = [];
  let reloads = 0;
  const seen = new Set<number>();
  const pids = (): number[] => {
    const now = running ? family(running.pid) : [];
    for (const pid of now) seen.add(pid);
    return now;
  };
  /** Starts it, and again when it ends, as whoever runs services does: it may have been started onto a disk that is full. */
  const keep = async (): Promise<void> => {
    while (wanted) {
      const args = ["--disable-warning=ExperimentalWarning", "--import", join(HERE, "step-clock.ts"), CLI];
      const mine = start(process.execPath, [...args, "serve", "--config", config], { STEP_CLOCK: clock });
      running = mine;
      await new Promise((resolve) => mine.child.once("exit", resolve));
      if (!wanted) return;
      ended += 1;
      await new Promise((resolve) => setTimeout(resolve, RESTART_MS));
    }
  };
  const down = async (signal: (pid: number) => void): Promise<void> => {
    killedAt.push(Date.now());
    wanted = false;
    if (running) signal(running.pid);
    await running?.stop();
    await keeping;
    running = undefined;
  };
  return {
    port,
    config,
    killedAt,
    get endedByItself() {
      return ended;
    },
    up() {
      if (wanted) return;
      wanted = true;
      keeping = keep();
    },
    ready: () => untilListening(port),
    kill: () =>
      down((pid) => {
        for (const each of family(pid)) tell(each, "SIGKILL");
      }),
    killFirst() {
      pids();
      return down((pid) => tell(pid, "SIGKILL"));
    },
    async endLeftOvers() {
      await new Promise((resolve) => setTimeout(resolve, LEAVE_MS));
      const left = [...seen].filter(hasSteppedClock);
      for (const pid of left) tell(pid, "SIGKILL");
      return left.length;
    },
    killWorker() {
      const [first, ...others] = pids();
      const workers = others.filter((pid) => commandLine(pid).includes("serve") && pid !== first);
      const worker = workers[Math.floor(workers.length / 2)];
      if (worker === undefined) return;
      killedAt.push(Date.now());
      tell(worker, "SIGKILL");
    },
    stop: () => down(() => undefined),
    reload() {
      reloads += 1;
      // Another text each time, so that there is something to put in force.
      write(5000 + reloads);
      if (running) tell(running.pid, "SIGHUP");
    },
    stepClock(aheadMs) {
      writeFileSync(clock, String(aheadMs));
      for (const pid of pids()) if (hasSteppedClock(pid)) tell(pid, "SIGUSR2");
    },
    memoryMb: () => pids().reduce((sum, pid) => sum + residentMb(pid), 0),
  };
}

function configText(
  { dataDir, storeUrl, sinkPort, dnsAddress, rules, workers, mode }: ServiceOptions,
  port: number,
  drainMs: number,
): string {
  const lines = [
    "hostname: relay.example.net",
    `listeners: [{ door: smtp, listen: "127.0.0.1:${port}" }]`,
    `workers: ${workers}`,
    "localDomains: [example.com]",
    `dataDir: ${dataDir}`,
    `store: { url: "${storeUrl}" }`,
    `nextHop: { to: "smtp://127.0.0.1:${sinkPort}", timeoutMs: 4000, mode: ${mode} }`,
    "queue: { retrySeconds: [1, 2], destinationRetrySeconds: [1, 2], reserveMb: 8 }",
    `dns: { servers: ["${dnsAddress}"], timeoutMs: 1000 }`,
    `rules: { default: ${rules}, "conduct/harvesting": watch }`,
    `limits: { connectionsPerIpMax: 1000, headersMax: 5000, receivedMax: 200, drainMs: ${drainMs} }`,
    "log: { level: error, format: json }",
  ];
  return `${lines.join("\n")}\n`;
}

/** A process and all that came of it. */
function family(pid: number): number[] {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return [];
  const children = readdirSync(tasks).flatMap((task) => {
    try {
      return readFileSync(`${tasks}/${task}/children`, "utf8").split(" ").map(Number).filter(Boolean);
    } catch {
      return [];
    }
  });
  return [pid, ...children.flatMap(family)];
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

const SIGUSR2_BIT = 1n << 11n;

/** Does it listen? Others, and one that is only starting (it reads the time by itself), would be ended by the signal. */
function hasSteppedClock(pid: number): boolean {
  try {
    const [, caught = "0"] = /^SigCgt:\s*(\S+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
    return (BigInt(`0x${caught}`) & SIGUSR2_BIT) !== 0n;
  } catch {
    return false;
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

function residentMb(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
