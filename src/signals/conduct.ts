/**
 * How everybody behaves, over all mails, workers and nodes: what rules may ask of it (`ConductReader`) and what intake tells it
 * and lets it pace (`Conduct`). Built in house.ts on the store; everything it remembers is in windows, marks and blocks.
 */
import type { Clock } from "../kit/clock.ts";
import type { Store } from "../kit/store.ts";
import { type Campaign, type Client, isAdSender } from "../mail/client.ts";
import type { MailView, Session } from "../mail/views.ts";
import { type Block, type BlockReader, createBlockRegister, type Standing } from "./blocks.ts";
import { type CampaignCounts, type CampaignGrant, createCampaignCounts } from "./campaigns.ts";
import { type ComplaintLimits, createComplaints } from "./complaints.ts";
import { type Suspicion, UNSUSPECTED } from "./harvest.ts";
import { type Alarm, createLoginWatch, type LoginSetting } from "./logins.ts";
import { createQuotas, isLimited, type Quotas, type Usage } from "./quotas.ts";
import { createRecipientWatch, type HarvestSetting, type RecipientWatch } from "./recipients.ts";
import { createWarden, type Facts } from "./warden.ts";

/** What rules may ask. */
export interface ConductReader {
  /** Is the client, its address or a network around it blocked? @throws Unavailable */
  standing(session: Session): Standing | Promise<Standing>;
  /** How far it is suspected of trying addresses out. */
  suspicion(session: Session): Suspicion;
  /** Does the login look as if it were in other hands? @throws Unavailable */
  alarm(session: Session): Alarm | undefined | Promise<Alarm | undefined>;
  /** Takes a mail from what the client may send; what is used up, if anything is. @throws Unavailable */
  takeMail(client: Client, mailId: string): Usage | undefined | Promise<Usage | undefined>;
  /** Takes recipients from a campaign its client declared. @throws Unavailable */
  takeCampaign(client: Client, campaign: Campaign, recipients: number): Promise<CampaignGrant>;
}

/** What intake tells and lets be paced. */
export interface Conduct extends ConductReader, Pick<RecipientWatch, "rcpt"> {
  /** A mail ended: so many recipients have it; none: it was not accepted. */
  ended(view: Pick<MailView, "session" | "mailId">, recipients: number): void;
}

export interface ConductSettings {
  readonly harvest: HarvestSetting;
  readonly login: LoginSetting;
  readonly complaints: ComplaintLimits;
}

export interface ConductParts {
  readonly store: Store;
  readonly clock: Clock;
  /** In force now; a reload changes it. */
  readonly settings: () => ConductSettings;
  readonly onBlock: (block: Block, facts: Facts) => Promise<void>;
  readonly onTrouble: (error: unknown) => void;
  readonly pause: (ms: number) => Promise<void>;
}

export function createConduct({ store, clock, settings, onBlock, onTrouble, pause }: ConductParts): Conduct {
  const blocks = createBlockRegister(store.tables, clock);
  const warden = createWarden({ blocks, marks: store.marks, clock, onBlock });
  const shared = { store, clock, blocks, warden, onTrouble };
  const recipients = createRecipientWatch({ ...shared, pause, setting: () => settings().harvest });
  const logins = createLoginWatch({ ...shared, setting: () => settings().login });
  const quotas = createQuotas(store.windows, onTrouble);
  const complaints = createComplaints(store.windows, { limits: () => settings().complaints, onTrouble, pause });
  return {
    // A block that is just being made counts already: the next mail may be quicker than the store.
    standing: (session) => recipients.pending(session)?.then(() => blocks.of(session)) ?? blocks.of(session),
    suspicion: recipients.suspicion,
    alarm: (session) => logins.look(session),
    takeMail: (client, mailId) => (isLimited(client) ? quotas.take(client, mailId) : undefined),
    takeCampaign: createCampaignCounts(store.windows).take,
    rcpt: recipients.rcpt,
    ended({ session, mailId }, count) {
      if (session.client) quotas.settle(mailId, count > 0);
      if (count > 0 && session.client && isAdSender(session.client)) complaints.delivered(session.client.id, count);
      if (count > 0) logins.sent(session, count);
    },
  };
}

/** For those who only ask what would be: nothing is counted, nothing is taken. */
export const createConductReader = (
  blocks: BlockReader,
  quotas: Pick<Quotas, "usage">,
  campaigns: Pick<CampaignCounts, "look">,
): ConductReader => ({
  standing: blocks.of,
  suspicion: () => UNSUSPECTED,
  alarm: () => undefined,
  takeMail: async (client) => (await quotas.usage(client)).findLast(({ max, taken }) => taken >= max),
  takeCampaign: campaigns.look,
});

/** Where nobody is known: for those who only want to know the law. */
export const NOTHING_NOTICED: ConductReader = {
  standing: () => ({ sinceMs: 0 }),
  suspicion: () => UNSUSPECTED,
  alarm: () => undefined,
  takeMail: () => undefined,
  takeCampaign: async () => ({ keys: [] }),
};
