/**
 * The archive for a relay: what changes it is done by a process of its own (`archivist.ts`), so that neither the processor time nor the
 * memory of it are taken from the mails. The process is started when there is work and ends when there has been none for a while.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Unavailable } from "../../kit/trouble.ts";
import type { Archive, Sealed } from "../../ledger/archive.ts";
import type { Removal } from "../../ledger/seal.ts";
import { type ArchiveOptions, readArchive } from "./archive.ts";
import { isTidy } from "./tidy.ts";

export interface Setup extends Omit<ArchiveOptions, "key" | "threads"> {
  /** Key that seals, PKCS #8. */
  readonly keyPem: string;
  /** Directory of the journal. */
  readonly journalDir: string;
}

export type Call =
  | { readonly name: "absorb"; readonly hour: string }
  | { readonly name: "seal"; readonly date: string; readonly nowMs: number }
  | { readonly name: "remove"; readonly date: string; readonly nowMs: number }
  | { readonly name: "tidy" };

export interface Order {
  readonly id: number;
  readonly setup: Setup;
  readonly call: Call;
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly trouble: string; readonly unavailable: boolean };

/** Of one step; the largest is to seal a day of many millions of entries on a busy machine. */
const STEP_MAX_MS = 3_600_000;
const IDLE_MS = 30_000;
const ENTRY = fileURLToPath(new URL("./archivist.ts", import.meta.url));

export function openArchiveProcess(setup: Setup): Archive {
  mkdirSync(setup.root, { recursive: true, mode: 0o700 });
  const archivist = createArchivist(setup);
  return {
    ...readArchive(setup),
    absorb: ({ hour }) => archivist.ask({ name: "absorb", hour }) as Promise<number>,
    seal: (date, nowMs) => archivist.ask({ name: "seal", date, nowMs }) as Promise<Sealed | undefined>,
    remove: (date, nowMs) => archivist.ask({ name: "remove", date, nowMs }) as Promise<Removal[]>,
    async tidy() {
      if (!(await isTidy(setup))) await archivist.ask({ name: "tidy" });
    },
    close: archivist.close,
  };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

function createArchivist(setup: Setup) {
  const waiting = new Map<number, Waiting>();
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let asked = 0;

  const start = (): ChildProcess => {
    const started = fork(ENTRY, {
      serialization: "advanced",
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    started.on("message", (message: Answer) => settle(waiting, message));
    started.on("error", () => started.kill("SIGKILL"));
    started.once("exit", (code, signal) => {
      if (child !== started) return;
      child = undefined;
      const why = `the process that puts the ledger in order ended (${signal ?? code})`;
      for (const each of waiting.values()) each.reject(new Unavailable("ledger", why));
      waiting.clear();
    });
    return started;
  };
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      const ending = child;
      if (!ending) return resolve();
      ending.once("exit", () => resolve());
      if (ending.connected) ending.disconnect();
    });
  return {
    async ask(call: Call): Promise<unknown> {
      clearTimeout(idle);
      child ??= start();
      asked += 1;
      const id = asked;
      const late = setTimeout(() => child?.kill("SIGKILL"), STEP_MAX_MS);
      try {
        return await new Promise((resolve, reject) => {
          waiting.set(id, { resolve, reject });
          child?.send({ id, setup, call } satisfies Order, (error) => error && child?.kill("SIGKILL"));
        });
      } finally {
        clearTimeout(late);
        idle = setTimeout(end, IDLE_MS).unref();
      }
    },
    async close(): Promise<void> {
      clearTimeout(idle);
      await end();
    },
  };
}

function settle(waiting: Map<number, Waiting>, message: Answer): void {
  const each = waiting.get(message.id);
  waiting.delete(message.id);
  if ("value" in message) each?.resolve(message.value);
  else each?.reject(message.unavailable ? new Unavailable("ledger", message.trouble) : new Error(message.trouble));
}
