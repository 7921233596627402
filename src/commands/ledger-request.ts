import { Misuse } from "../kit/trouble.ts";
import { stands } from "../ledger/holds.ts";
import {
  createRequestRegister,
  type LawfulRequest,
  type Objection,
  objectionTo,
  type RequestRegister,
  stateOf,
} from "../ledger/requests.ts";
import { defineCommand, needed, text } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { askedOf, readAbout, readSpan, sinceOption, untilOption } from "./ledger-ask.ts";
import { caseOption, holdRegister, readCase } from "./ledger-hold.ts";
import { clean, print, printJson, printTable, Refused, remark } from "./output.ts";
import { asOption, needAuditor, whoAsks } from "./who.ts";

export const requestRegister = async (ground: Ground): Promise<RequestRegister> =>
  createRequestRegister(await ground.tables(), ground.clock);

const open = defineCommand({
  command: "open",
  describe: "Write down what an authority asks for",
  builder: (args) =>
    args
      .option("case", caseOption)
      .option("authority", needed(text("who asks")))
      .option("basis", needed(text("by what right: law and article, number and date of the order")))
      .option("scope", needed(text("what is asked for, in the order's own words")))
      .option("sender", text("only mail from this address; '<>' for bounces"))
      .option("recipient", text("only mail to this address"))
      .option("address", text("from or to this address"))
      .option("domain", text("from or to this domain; *.example.com for those below it"))
      .option("ip", text("only from this address or CIDR range"))
      .option("client", text("only of this registered client"))
      .option("message-id", text("only with this Message-ID"))
      .option("id", text("only this mail"))
      .option("since", sinceOption)
      .option("until", untilOption)
      .option("as", asOption)
      .example(
        "$0 ledger request open --case 2026-117 --authority 'City Police' --basis 'order 12 of 2026-11-20' --scope 'mail of li@example.com in November' --address li@example.com --since 2026-11-01",
        "",
      )
      .epilogue("Nothing is exported before another person has approved it."),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      const about = readAbout(options);
      if (Object.keys(about).length === 0) {
        throw new Misuse(
          "a request is about somebody: give --sender, --recipient, --address, --domain, --ip, --client, --message-id or --id",
        );
      }
      const nowMs = ground.clock.now();
      // What is asked for is fixed here, so it ends.
      const search = { ...about, untilMs: nowMs, ...readSpan(options, nowMs) };
      const { authority, basis, scope } = options;
      const opening = { case: readCase(options.case), authority, basis, scope, search, openedBy: asker.name };
      const requests = await requestRegister(ground);
      if (await requests.find(opening.case)) throw new Refused(hasRequest(opening.case));
      const evidence = { case: opening.case, authority, basis, scope, ...askedOf(search) };
      await ground.record({ event: "request-opened", actor: asker.name, evidence });
      const request = await requests.open(opening);
      if (!request) throw new Refused(hasRequest(opening.case));
      await (options.json
        ? printJson(shown(request))
        : print(`request ${request.case} is open; somebody other than ${asker.name} approves it`));
      const holds = await (await holdRegister(ground)).list();
      if (!holds.some((hold) => hold.case === request.case && stands(hold))) {
        remark(`note: no hold stands for case ${request.case}: days whose time is over are deleted all the same`);
      }
    }),
});

const approve = defineCommand({
  command: "approve",
  describe: "Say that a request is lawful and may be exported; not for whoever opened it",
  builder: (args) =>
    args.option("case", caseOption).option("as", asOption).example("$0 ledger request approve --case 2026-117", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      needAuditor(asker);
      const requests = await requestRegister(ground);
      const refuse = (objection: Objection): never => {
        throw new Refused(OBJECTIONS[objection](options.case, asker.name));
      };
      const objection = objectionTo(await requests.find(options.case), asker.name);
      if (objection) refuse(objection);
      // What is not in the ledger has not been approved.
      await ground.record({ event: "request-approved", actor: asker.name, evidence: { case: options.case } });
      const approved = await requests.approve(options.case, asker.name);
      if (typeof approved === "string") return refuse(approved);
      await (options.json
        ? printJson(shown(approved))
        : print(`request ${approved.case} is approved by ${asker.name}`));
    }),
});

const hasRequest = (caseNumber: string): string =>
  `case ${caseNumber} has a request already; consentry ledger request show --case ${caseNumber}`;

export const noRequest = (caseNumber: string): string =>
  `there is no request for case ${caseNumber}; consentry ledger request list shows all`;

const OBJECTIONS: Readonly<Record<Objection, (caseNumber: string, name: string) => string>> = {
  unknown: noRequest,
  own: (caseNumber, name) => `request ${caseNumber} was opened by ${name}: another person has to approve it`,
  approved: (caseNumber) => `request ${caseNumber} is approved already`,
};

const list = defineCommand({
  command: "list",
  describe: "All requests",
  builder: (args) => args.option("as", asOption).example("$0 ledger request list --json", "for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      needAuditor(whoAsks(ground.config, options.as));
      const requests = await (await requestRegister(ground)).list();
      const items = requests.map((request) => ({ row: rowOf(request), value: shown(request) }));
      await printTable(options, ["CASE", "STATE", "OPENED", "BY", "APPROVED", "AUTHORITY", "SCOPE"], items);
    }),
});

const rowOf = (request: LawfulRequest): string[] => [
  request.case,
  stateOf(request),
  new Date(request.openedAt).toISOString().slice(0, 10),
  request.openedBy,
  request.approvedBy ?? "-",
  request.authority,
  request.scope,
];

const show = defineCommand({
  command: "show",
  describe: "One request, with what it searches for",
  builder: (args) =>
    args.option("case", caseOption).option("as", asOption).example("$0 ledger request show --case 2026-117", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      needAuditor(whoAsks(ground.config, options.as));
      const request = await (await requestRegister(ground)).find(options.case);
      if (!request) throw new Refused(noRequest(options.case));
      const value = shown(request);
      if (options.json) return printJson(value);
      const { search, exported, ...rest } = value;
      const facts = { ...rest, ...prefixed("searches for", search), ...prefixed("exported", exported ?? {}) };
      await print(...Object.entries(facts).map(([name, each]) => `${name.padEnd(24)} ${clean(String(each))}`));
    }),
});

const prefixed = (prefix: string, facts: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(facts).map(([name, value]) => [`${prefix} ${name}`, value]));

/** Times as people and other programs read them. */
export function shown({ openedAt, approvedAt, exported, search, ...request }: LawfulRequest) {
  const at = (ms: number): string => new Date(ms).toISOString();
  return {
    ...request,
    state: stateOf({ ...request, openedAt, search, ...(exported && { exported }) }),
    search: askedOf(search),
    openedAt: at(openedAt),
    ...(approvedAt !== undefined && { approvedAt: at(approvedAt) }),
    ...(exported && { exported: { ...exported, at: at(exported.at) } }),
  };
}

/** What is done with requests, but for their export. */
export const requestMembers = [open, approve, list, show] as const;
