import type { Consent } from "../registers/consents.ts";
import { misused, shown } from "./consent-word.ts";
import { defineCommand, text } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { columns, jsonLine, printAll } from "./output.ts";

export const list = defineCommand({
  command: "list",
  describe: "Consents and refusals, as they come",
  builder: (args) =>
    args
      .option("recipient", text("only this recipient's"))
      .option("advertiser", text("only to this advertiser"))
      .option("withdrawn", { type: "boolean", default: false, describe: "only refusals" })
      .example("$0 consent list --recipient li@mail.example", "everything one person has said")
      .example("$0 consent list --advertiser shop --json", "one JSON document a line"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      await printAll(listed(ground, options));
    }),
});

const WIDTHS = [32, 20, 20, 13, 20];

async function* listed(
  ground: Ground,
  options: { json: boolean; recipient?: string | undefined; advertiser?: string | undefined; withdrawn: boolean },
): AsyncGenerator<string> {
  const consents = await selected(ground, options);
  if (!options.json) yield `${columns(["RECIPIENT", "ADVERTISER", "GRANTED", "HOW", "WITHDRAWN"], WIDTHS)}\n`;
  for await (const consent of consents) {
    if (options.withdrawn && consent.withdrawnAtMs === undefined) continue;
    yield `${options.json ? jsonLine(shown(consent)) : columns(rowOf(consent), WIDTHS)}\n`;
  }
}

/** One person's lie together in the store; an advertiser's have to be looked for. */
async function selected(
  ground: Ground,
  wanted: { recipient?: string | undefined; advertiser?: string | undefined },
): Promise<AsyncIterable<Consent>> {
  const { readRecipient } = await import("./consent-csv.ts");
  const { consents } = await ground.registers();
  const { recipient: who } = wanted;
  const key = who === undefined ? undefined : await misused(async () => readRecipient(who));
  const advertiserId = wanted.advertiser?.toLowerCase();
  const found = key === undefined ? consents.all() : consents.ofRecipient(key);
  return advertiserId === undefined ? found : toAdvertiser(found, advertiserId);
}

async function* toAdvertiser(consents: AsyncIterable<Consent>, advertiser: string): AsyncGenerator<Consent> {
  for await (const consent of consents) if (consent.advertiser === advertiser) yield consent;
}

const isoSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const rowOf = ({ recipient: who, advertiser: to, grantedAtMs, proof, withdrawnAtMs }: Consent): string[] => [
  who,
  to,
  proof.how === "refusal" ? "-" : isoSeconds(grantedAtMs),
  proof.how,
  withdrawnAtMs === undefined ? "-" : isoSeconds(withdrawnAtMs),
];
