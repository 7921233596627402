import cluster from "node:cluster";
import { lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";

/** To ask a socket file whether somebody answers. */
const PROBE_TIMEOUT_MS = 1_000;

/**
 * A server that was killed leaves its socket file behind: it is removed before somebody listens there. Any other file, and a living
 * server, stay. Of several workers none has anything to remove: their supervisor did, and it is the one who answers now.
 * @throws Error with the code EADDRINUSE when somebody answers
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (cluster.isWorker) return;
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) throw new Error(`not a socket: ${path}`);
  if (await somebodyAnswers(path)) throw Object.assign(new Error(`in use: ${path}`), { code: "EADDRINUSE" });
  await unlink(path);
}

function somebodyAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => done(true));
    socket.once("connect", () => done(true));
    socket.once("error", (error: NodeJS.ErrnoException) => done(error.code !== "ECONNREFUSED"));
  });
}
