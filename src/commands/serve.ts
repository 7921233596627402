import type { Log } from "../kit/log.ts";
import type { Service } from "../main.ts";
import { defineCommand } from "./globals.ts";

/** consentry serve: runs the relay until SIGTERM or SIGINT; SIGHUP reloads. */
export const serve = defineCommand({
  command: "serve",
  describe: "Run the relay",
  builder: (args) =>
    args
      .example("$0 serve", "with config/consentry.yaml")
      .example("kill -HUP PID", "reload; a configuration that does not fit is reported and the old one stays")
      .epilogue("SIGTERM lets mails in progress end (limits.drainMs), then stops."),
  async handler({ config: path }) {
    const [{ loadConfig }, { createLog }, { buildHouse }, { openHouse }] = await Promise.all([
      import("../config/load.ts"),
      import("../kit/log.ts"),
      import("../house.ts"),
      import("../main.ts"),
    ]);
    const loaded = loadConfig(path);
    const log = createLog(loaded.config.log.level, loaded.config.log.format);
    const house = await buildHouse(loaded, log);
    const service = await openHouse(house).catch(async (error: unknown) => {
      await house.close();
      throw error;
    });
    log.info({ addresses: service.addresses, nextHop: loaded.config.nextHop.to }, "listening");
    if (!house.law.names)
      log.warn("dns.servers names nobody: SPF, DKIM, DMARC, reverse names and senders' domains are not checked");
    await untilStopped(service, path, log);
  },
});

function untilStopped(service: Service, path: string, log: Log): Promise<void> {
  return new Promise((resolve, reject) => {
    process.on("SIGHUP", () => void reload(service, path, log));
    const stop = (signal: NodeJS.Signals): void => {
      log.info({ signal }, "stopping: mails in progress may end");
      service.close().then(() => {
        log.info("stopped");
        resolve();
      }, reject);
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  });
}

async function reload(service: Service, path: string, log: Log): Promise<void> {
  try {
    const { loadConfig } = await import("../config/load.ts");
    await service.reload(loadConfig(path));
    log.info({ config: path }, "reloaded");
  } catch (error) {
    log.error({ reason: (error as Error).message }, "not reloaded: the old configuration stays in force");
  }
}
