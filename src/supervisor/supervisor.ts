/**
 * Several workers behind the same doors. The supervisor opens the ports and hands each connection to the next worker that is free
 * (node:cluster, round robin); it reads no byte of any mail, opens no store and keeps nothing, so there is little in it to go wrong.
 *
 * A worker that ends is started again, with the configuration in force and not with what the file says by then. A reload is looked at by
 * every worker before it comes into force at any. When the supervisor dies its ports close with it, and the workers end by themselves.
 */
import cluster from "node:cluster";
import { fileURLToPath } from "node:url";
import { type LoadedConfig, loadConfig, readText } from "../config/load.ts";
import { waitingForRestart } from "../config/restart.ts";
import type { Config } from "../config/schema.ts";
import { workersOf } from "../config/workers.ts";
import type { Log } from "../kit/log.ts";
import { giveMemoryBack } from "../kit/memory.ts";
import { Misuse } from "../kit/trouble.ts";
import { removeStaleSocket } from "../kit/unix-socket.ts";
import { createBackoff } from "./backoff.ts";
import { type Census, createCensus } from "./census.ts";
import { gatherFor } from "./gathering.ts";
import { type Ended, type Member, type Ready, startMember } from "./member.ts";
import { type Counts, PULSE_MS } from "./messages.ts";
import { changeAll } from "./reload.ts";

export interface Supervisor extends Ready {
  /** Reads the file again and puts it in force everywhere, or nowhere. Never throws: what is wrong is logged. */
  reload(): Promise<void>;
  /** Mails in progress may end (limits.drainMs), then everybody does. */
  stop(): Promise<void>;
}

export interface SupervisorOptions {
  readonly path: string;
  readonly text: string;
  readonly loaded: LoadedConfig;
  readonly log: Log;
}

/** A worker that has not been heard for so many looks is stuck, and everybody in it with it. */
const SILENT_LOOKS_MAX = 12;
/** Beyond limits.drainMs: for what is left to close then. */
const LAST_MS = 10_000;

/** Starts the workers. @throws Misuse when the first of them cannot start */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { config } = options.loaded;
  for (const { listen } of config.listeners) if ("path" in listen) await clearPath(listen.path);
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: fileURLToPath(new URL("./worker-process.ts", import.meta.url)), args: [] });
  const crew = createCrew(options);
  try {
    // One first: whatever is wrong with address or file is said once.
    const ready = await crew.start(1);
    await Promise.all(Array.from({ length: workersOf(config) - 1 }, (_, index) => crew.start(index + 2)));
    giveMemoryBack();
    return { ...ready, reload: crew.reload, stop: crew.stop };
  } catch (error) {
    await crew.stop();
    throw error;
  }
}

async function clearPath(path: string): Promise<void> {
  await removeStaleSocket(path).catch((error: Error) => {
    throw new Misuse(`cannot listen on unix:${path}: ${error.message}`);
  });
}

function createCrew({ path, text, loaded, log }: SupervisorOptions) {
  const members = new Map<number, Member>();
  const census = createCensus();
  const timers = new Set<NodeJS.Timeout>();
  const inForce = { text, config: loaded.config };
  let stopping = false;
  let ends = 0;
  let changing: Promise<void> = Promise.resolve();

  const spread = (news: ReturnType<Census["note"]>): void => {
    for (const [number, counts] of news) members.get(number)?.tell({ order: "elsewhere", counts });
  };
  const fork = (number: number): Member => {
    const onConnections = (counts: Counts): void => spread(census.note(number, counts));
    const onGather = (id: number): void => void gatherFor(() => members.get(number), id, { members, ends: () => ends });
    const member = startMember({ number, path, text: inForce.text, onConnections, onGather });
    members.set(number, member);
    member.tell({ order: "elsewhere", counts: census.enter(number) });
    void member.ended.then(() => {
      members.delete(number);
      spread(census.leave(number));
    });
    return member;
  };
  /** A reload may have come while it started. */
  const catchUp = async (member: Member): Promise<void> => {
    await changing;
    if (member.text !== inForce.text) await changeAll([member], inForce, log);
  };
  const keep = async (number: number, first: Member): Promise<void> => {
    const backoff = createBackoff();
    for (let member = first; ; member = fork(number)) {
      member.ready.then(() => catchUp(member)).catch(() => undefined);
      const ended = await member.ended;
      if (stopping) return;
      const waitMs = ended.code === 0 && ended.livedMs > LAST_MS ? 0 : backoff.next(ended.livedMs);
      ends += 1;
      tellEnd(log, member, { ...ended, waitMs });
      await pause(waitMs, timers);
      if (stopping) return;
    }
  };
  const watch = setInterval(() => hurt(members.values(), log), PULSE_MS).unref();
  return {
    async start(number: number): Promise<Ready> {
      const member = fork(number);
      try {
        const ready = await member.ready;
        void keep(number, member);
        return ready;
      } catch {
        const { why, misuse, code, signal } = await member.ended;
        const reason = why ?? `a worker ended at once (${signal ?? code})`;
        throw misuse ? new Misuse(reason) : new Error(reason);
      }
    },
    reload(): Promise<void> {
      changing = changing.then(() =>
        reloadAll({ path, atStart: loaded.config, inForce, log, members: () => [...members.values()] }),
      );
      return changing;
    },
    async stop(): Promise<void> {
      stopping = true;
      clearInterval(watch);
      for (const timer of timers) clearTimeout(timer);
      await endAll([...members.values()], inForce.config.limits.drainMs + LAST_MS, log);
    },
  };
}

interface Reloading {
  readonly path: string;
  readonly atStart: Config;
  readonly inForce: { text: string; config: Config };
  readonly log: Log;
  readonly members: () => readonly Member[];
}

async function reloadAll({ path, atStart, inForce, log, members }: Reloading): Promise<void> {
  try {
    const text = readText(path);
    const { config } = loadConfig(path, process.env, text);
    // One that is only starting is told when it is ready.
    const ready = members().filter(({ isReady }) => isReady);
    if (await changeAll(ready, { text, config }, log)) {
      const waiting = waitingForRestart(atStart, config);
      Object.assign(inForce, { text, config });
      log.info(
        { config: path, workers: ready.length, ...(waiting.length > 0 && { waitingForRestart: waiting }) },
        "reloaded",
      );
    }
  } catch (error) {
    log.error({ reason: (error as Error).message }, "not reloaded: the old configuration stays in force");
  }
}

function tellEnd(log: Log, { number, pid }: Member, ended: Ended & { readonly waitMs: number }): void {
  const { code, signal, why, livedMs, waitMs } = ended;
  const facts = { of: number, ofPid: pid, code, signal, reason: why, livedMs: Math.round(livedMs), waitMs };
  log.warn(facts, "a worker ended: it is started again");
}

function pause(ms: number, timers: Set<NodeJS.Timeout>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      resolve();
    }, ms);
    timers.add(timer);
  });
}

const silent = new WeakMap<Member, { heardAt: number; looks: number }>();

/** Counted in looks and not in time, so that a machine that slept does not lose all of its workers when it wakes. */
function hurt(members: Iterable<Member>, log: Log): void {
  for (const member of members) {
    const before = silent.get(member);
    const looks = before?.heardAt === member.heardAt ? before.looks + 1 : 0;
    silent.set(member, { heardAt: member.heardAt, looks });
    if (looks < SILENT_LOOKS_MAX) continue;
    log.error({ of: member.number, ofPid: member.pid }, "a worker is stuck: it is killed");
    member.kill();
  }
}

async function endAll(members: readonly Member[], timeoutMs: number, log: Log): Promise<void> {
  for (const member of members) member.tell({ order: "stop" });
  const timer = setTimeout(() => {
    for (const { number, kill } of members) {
      log.error({ of: number }, "a worker did not end in time: it is killed");
      kill();
    }
  }, timeoutMs);
  await Promise.all(members.map(({ ended }) => ended));
  clearTimeout(timer);
}
