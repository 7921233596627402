import type { Happening } from "../ledger/recorder.ts";
import type { Block } from "../signals/blocks.ts";
import { isClientSubject } from "../signals/subject.ts";
import type { Facts } from "../signals/warden.ts";

/** The entry of a block that was made or ended. */
export const blockEntry = (
  event: "block-added" | "block-removed",
  block: Block,
  by: string,
  facts: Facts = {},
): Happening => ({
  event,
  actor: by,
  articles: [block.article],
  ...(isClientSubject(block.subject) && { client: block.subject.slice("client:".length) }),
  evidence: {
    subject: block.subject,
    action: block.action,
    reason: block.reason,
    until: new Date(block.untilMs).toISOString(),
    times: block.times,
    ...(block.note !== undefined && { note: block.note }),
    ...facts,
  },
});
