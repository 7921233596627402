/** A bounce that came back to a return address of ours: written down, and where the address is dead, counted with the recipient's consent. */
import type { Happening } from "../ledger/recorder.ts";
import type { ConsentRegister } from "../registers/consents.ts";
import { isHardStatus } from "./ad-gate.ts";
import type { RewritingParts } from "./rewriting.ts";

export interface ReturnedParts {
  readonly consents: Pick<ConsentRegister, "bounced">;
  readonly recorder: { record(happenings: readonly Happening[]): Promise<void> };
  readonly isLocal: (domain: string) => boolean;
  readonly onTrouble: (error: unknown) => void;
}

export const noteReturned =
  ({ consents, recorder, isLocal, onTrouble }: ReturnedParts): RewritingParts["onReturned"] =>
  async ({ sender, recipient, client, advertiser }, { mailId, statuses }) => {
    const failed = statuses.filter(({ action }) => action === "failed");
    // A delay, a confirmation, or a mail of somebody's that is no report: it is passed on, and that is all.
    if (failed.length === 0) return;
    // A forwarder may name several behind one address: it is dead when all of them are.
    const isHard = failed.length === statuses.length && failed.every(({ status }) => isHardStatus(status));
    const evidence = { returned: true, status: failed[0]?.status ?? "", hard: isHard };
    const who = { client, sender: sender.text, recipient: recipient.text };
    const direction = isLocal(recipient.domain) ? "in" : "out";
    try {
      await recorder.record([{ event: "bounced", verdict: "reject", mailId, ...who, direction, evidence }]);
      if (isHard && advertiser !== undefined) await consents.bounced(advertiser, recipient.key);
    } catch (error) {
      onTrouble(error);
    }
  };
