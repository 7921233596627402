/** The relay as a process of its own, as operators run it: started, killed, drained, reloaded, its clock stepped. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, type Running, start, untilListening } from "../../bench/lib/processes.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const CLI = join(HERE, "../../../src/commands/index.ts");

export interface ServiceOptions {
  readonly work: string;
  readonly dataDir: string;
  readonly storeUrl: string;
  readonly sinkPort: number;
  readonly dnsAddress: string;
  /** Of rules that nothing else is said of. */
  readonly rules: "watch" | "enforce";
}

export interface SoakService {
  readonly port: number;
  readonly config: string;
  up(): Promise<void>;
  /** SIGKILL, of all of it. */
  kill(): Promise<void>;
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
  let reloads = 0;
  const pids = (): number[] => (running ? family(running.pid) : []);
  return {
    port,
    config,
    async up() {
      if (running) return;
      const args = ["--disable-warning=ExperimentalWarning", "--import", join(HERE, "step-clock.ts"), CLI];
      running = start(process.execPath, [...args, "serve", "--config", config], { STEP_CLOCK: clock });
      await untilListening(port);
    },
    async kill() {
      const gone = running;
      const all = pids();
      running = undefined;
      for (const pid of all) tell(pid, "SIGKILL");
      await gone?.stop();
    },
    async stop() {
      const gone = running;
      running = undefined;
      await gone?.stop();
    },
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
  { dataDir, storeUrl, sinkPort, dnsAddress, rules }: ServiceOptions,
  port: number,
  drainMs: number,
): string {
  const lines = [
    "hostname: relay.example.net",
    `listeners: [{ door: smtp, listen: "127.0.0.1:${port}" }]`,
    "localDomains: [example.com]",
    `dataDir: ${dataDir}`,
    `store: { url: "${storeUrl}" }`,
    `nextHop: { to: "smtp://127.0.0.1:${sinkPort}", timeoutMs: 4000 }`,
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

/** Others would be ended by the signal. */
const hasSteppedClock = (pid: number): boolean =>
  existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("step-clock");

function residentMb(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
