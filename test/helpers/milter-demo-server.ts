import { listenMilter } from "../../src/doors/milter/server.ts";
import { demoHandler } from "./milter-demo.ts";
import { ALL_ANSWERED } from "./milter-handler.ts";

/**
 * The demo handler as a program of its own: `milter-demo-server.ts answered|default`. Says where it listens, then one
 * line for each call; ends when told to, letting mails finish.
 */
const steps = process.argv[2] === "answered" ? ALL_ANSWERED : {};
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const server = await listenMilter({
  listen: { host: "127.0.0.1", port: 0 },
  newHandler: () => demoHandler({ note: say }),
  options: { steps, onFault: (fault) => say(`fault ${fault.kind} ${fault.during}`) },
});
say(`listening ${JSON.stringify(server.address)}`);
process.once("SIGTERM", () => void server.close(1_000));
