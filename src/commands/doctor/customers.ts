/** Customers whose mail is refused, or soon will be, because something was not reported or has ended. */
import { Unavailable } from "../../kit/trouble.ts";
import { dueOf } from "../../registers/client-warnings.ts";
import { choiceOf } from "../choice.ts";
import type { Ground } from "../ground.ts";
import { type Line, warn } from "./line.ts";

export async function customerLines(ground: Ground): Promise<Line[]> {
  try {
    const { clients } = await ground.registers();
    const choice = await choiceOf(ground);
    const all = (await clients.list()).flatMap((client) => dueOf(client, choice.under({ client }), ground.clock.now()));
    return all.map(({ client, what, advice }) => warn(`client ${client}`, what, advice));
  } catch (error) {
    // The line of the store says that it is away.
    if (error instanceof Unavailable) return [];
    throw error;
  }
}
