import type { Endpoint } from "../../config/schema.ts";
import { Misuse } from "../../kit/trouble.ts";
import type { Door } from "../door.ts";
import { createMilterSession, type MilterDoorParts } from "./door.ts";
import type { MilterFault } from "./handler.ts";
import { listenMilter } from "./server.ts";

/**
 * Opens a milter listener.
 * @throws Misuse when the address cannot be listened on
 */
export async function openMilterDoor(listen: Endpoint, parts: MilterDoorParts): Promise<Door> {
  const { connectionsMax } = parts.settings().limits;
  const onFault = ({ kind, during, error }: MilterFault): void => {
    const reason = error instanceof Error ? error.message : String(error);
    if (kind === "handler") parts.log.error({ during, err: error }, "a bug: the mail is deferred");
    else parts.log.warn({ kind, during, reason }, "milter connection");
  };
  const config = { listen, newHandler: () => createMilterSession(parts), options: { connectionsMax, onFault } };
  const server = await listenMilter(config).catch((error: Error) => {
    throw new Misuse(`cannot listen for milter connections: ${error.message}`);
  });
  const { address } = server;
  return {
    address: "path" in address ? `unix:${address.path}` : `${address.host}:${address.port}`,
    renew: () => undefined,
    close: (drainMs) => server.close(drainMs),
  };
}
