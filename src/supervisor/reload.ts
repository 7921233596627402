/** A configuration comes into force at every worker or at none: all look at it first, and only when nobody objects it counts. */
import type { Config } from "../config/schema.ts";
import type { Log } from "../kit/log.ts";
import type { Member } from "./member.ts";

/** For reading packs, lists, certificates. */
const PREPARE_MS = 60_000;
/** Beyond limits.drainMs, which the old next hop's connections have. */
const COMMIT_MS = 30_000;

/**
 * Tells the workers of another configuration.
 * @returns whether it is in force; a worker that could not put in force what it had agreed to is killed, and comes back with it
 */
export async function changeAll(
  members: readonly Member[],
  { text, config }: { readonly text: string; readonly config: Config },
  log: Log,
): Promise<boolean> {
  const prepared = await Promise.allSettled(
    members.map((member) => member.ask({ order: "prepare", text }, PREPARE_MS)),
  );
  const refusals = prepared.flatMap((result, index) =>
    result.status === "rejected" ? [{ of: members[index]?.number, reason: (result.reason as Error).message }] : [],
  );
  if (refusals.length > 0) {
    await Promise.allSettled(members.map((member) => member.ask({ order: "drop" }, PREPARE_MS)));
    for (const refusal of refusals)
      log.error(refusal, "not reloaded: a worker refuses; the old configuration stays in force");
    return false;
  }
  const timeoutMs = config.limits.drainMs + COMMIT_MS;
  await Promise.all(
    members.map(async (member) => {
      member.text = text;
      await member.ask({ order: "commit" }, timeoutMs).catch((error: Error) => {
        log.error({ of: member.number, reason: error.message }, "a worker could not put it in force: it is killed");
        member.kill();
      });
    }),
  );
  return true;
}
