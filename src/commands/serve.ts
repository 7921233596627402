import type { LoadedConfig } from "../config/load.ts";
import type { Log } from "../kit/log.ts";
import { defineCommand } from "./globals.ts";

/** A relay that runs, as one process or as several. */
interface Running {
  readonly addresses: readonly string[];
  /** @returns what was put in force */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

interface Serving {
  readonly path: string;
  readonly text: string;
  readonly loaded: LoadedConfig;
  readonly log: Log;
}

/** consentry serve: runs the relay until SIGTERM or SIGINT; SIGHUP reloads. */
export const serve = defineCommand({
  command: "serve",
  describe: "Run the relay",
  builder: (args) =>
    args
      .example("$0 serve", "with config/consentry.yaml")
      .example("kill -HUP PID", "reload; a configuration that does not fit is reported and the old one stays")
      .epilogue(
        "SIGTERM lets mails in progress end (limits.drainMs), then stops. With workers, signal the first process.",
      ),
  async handler({ config: path }) {
    const [{ loadConfig, readText }, { createLog }, { workersOf }] = await Promise.all([
      import("../config/load.ts"),
      import("../kit/log.ts"),
      import("../config/workers.ts"),
    ]);
    const text = readText(path);
    const loaded = loadConfig(path, process.env, text);
    const { config } = loaded;
    const log = createLog(config.log.level, config.log.format);
    const workers = workersOf(config);
    const running = await (workers === 1 ? alone : together)({ path, text, loaded, log });
    const { addresses } = running;
    log.info({ addresses, nextHop: config.nextHop.to, ...(workers > 1 && { workers }) }, "listening");
    if (config.dns.servers.length === 0)
      log.warn("dns.servers names nobody: SPF, DKIM, DMARC, reverse names and senders' domains are not checked");
    await untilStopped(running, log);
  },
});

/** This process is the relay. */
async function alone({ path, loaded, log }: Serving): Promise<Running> {
  const [{ loadConfig }, { waitingForRestart }, { buildHouse }, { tuneEngine }, { giveMemoryBack }, { openHouse }] =
    await Promise.all([
      import("../config/load.ts"),
      import("../config/restart.ts"),
      import("../house.ts"),
      import("../kit/engine.ts"),
      import("../kit/memory.ts"),
      import("../main.ts"),
    ]);
  tuneEngine();
  const house = await buildHouse(loaded, log);
  giveMemoryBack();
  const service = await openHouse(house).catch(async (error: unknown) => {
    await house.close();
    throw error;
  });
  return {
    addresses: service.addresses,
    stop: service.close,
    async reload() {
      try {
        const fresh = loadConfig(path);
        const waiting = waitingForRestart(loaded.config, fresh.config);
        await service.reload(fresh);
        log.info({ config: path, ...(waiting.length > 0 && { waitingForRestart: waiting }) }, "reloaded");
      } catch (error) {
        log.error({ reason: (error as Error).message }, "not reloaded: the old configuration stays in force");
      }
    },
  };
}

/** This process watches over those who are. */
async function together(serving: Serving): Promise<Running> {
  const { startSupervisor } = await import("../supervisor/supervisor.ts");
  return startSupervisor(serving);
}

function untilStopped(running: Running, log: Log): Promise<void> {
  return new Promise((resolve, reject) => {
    process.on("SIGHUP", () => void running.reload());
    const stop = (signal: NodeJS.Signals): void => {
      log.info({ signal }, "stopping: mails in progress may end");
      running.stop().then(() => {
        log.info("stopped");
        resolve();
      }, reject);
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
}
