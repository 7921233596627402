import { Misuse, Unavailable } from "../kit/trouble.ts";
import type { Consent } from "../registers/consents.ts";
import { actorOption, defineCommand, needed, text, texts, word } from "./globals.ts";
import { actorName, type Ground, recordChange, withGround } from "./ground.ts";
import { print, printJson, remark } from "./output.ts";

const advertiser = needed(text("id of a registered client, else the domain that writes as From"));
const recipient = word("the recipient's address");

export const grant = defineCommand({
  command: "grant <recipient>",
  describe: "Record a recipient's yes to an advertiser",
  builder: (args) =>
    args
      .positional("recipient", recipient)
      .option("advertiser", advertiser)
      .option("how", needed(text("how it was given: paper, web-form, double-opt-in, call …")))
      .option("reference", text("where the evidence is kept"))
      .option("text", text("the wording that was agreed to"))
      .option("text-version", text("which version of it"))
      .option("document", text("file with the evidence; its SHA-256 is kept, not the file"))
      .option("ip", text("address the recipient agreed from"))
      .option("topic", texts("kind of product; without one: all"))
      .option("limit", text("greatest number in a period: 3/24h, 1/7d; without: no number was named"))
      .option("hours", text("hours: '09:00-18:00 Asia/Ho_Chi_Minh', or '… mon-fri'; without: any"))
      .option("actor", actorOption)
      .example("$0 consent grant li@mail.example --advertiser shop --how paper --reference 2026-117", "")
      .example(
        "$0 consent grant li@mail.example --advertiser shop --how web-form --topic shoes --limit 3/7d",
        "no more than that",
      )
      .epilogue("A yes replaces an earlier refusal: record it only when the recipient said it after refusing."),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { readProof, readScope } = await import("./consent-csv.ts");
      const { consents } = await ground.registers();
      const consent = await misused(async () => ({
        ...(await pairOf(ground, options)),
        ...readScope({ topics: options.topic ?? [], limit: options.limit ?? "", hours: options.hours ?? "" }),
        proof: {
          ...readProof({
            how: options.how,
            reference: options.reference ?? "",
            text: options.text ?? "",
            textVersion: options.textVersion ?? "",
            ip: options.ip ?? "",
            documentSha256: await digestOf(options.document),
          }),
          recordedBy: actorName(options.actor),
        },
        grantedAtMs: ground.clock.now(),
      }));
      const [before] = await consents.find(consent.advertiser, [consent.recipient]);
      const replacedRefusal = before?.withdrawnAtMs !== undefined;
      await consents.grant(consent);
      if (replacedRefusal) remark("note: this yes replaces an earlier refusal");
      const { how, reference } = consent.proof;
      await recordChange(ground, {
        event: "consent-granted",
        recipient: consent.recipient,
        actor: actorName(options.actor),
        evidence: {
          advertiser: consent.advertiser,
          how,
          ...(reference !== undefined && { reference }),
          ...(replacedRefusal && { replacedRefusal }),
        },
      });
      await (options.json ? printJson(shown(consent)) : print(`${consent.recipient} → ${consent.advertiser}: granted`));
    }),
});

export const withdraw = defineCommand({
  command: "withdraw <recipient>",
  describe: "Record a recipient's refusal; it holds at once",
  builder: (args) =>
    args
      .positional("recipient", recipient)
      .option("advertiser", advertiser)
      .option("actor", actorOption)
      .example("$0 consent withdraw li@mail.example --advertiser shop", "also where no yes was ever recorded"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const pair = await misused(() => pairOf(ground, options));
      const desk = await ground.desk();
      const stood = await toldApart(() => desk.refuse({ ...pair, how: "console", actor: actorName(options.actor) }));
      const words = stood ? "withdrawn" : "refused; no yes stood";
      await (options.json
        ? printJson({ ...pair, stoodUntilNow: stood })
        : print(`${pair.recipient} → ${pair.advertiser}: ${words}`));
    }),
});

/** SHA-256 of a file, hex; "" where there is none. @throws Misuse when it cannot be read */
async function digestOf(file: string | undefined): Promise<string> {
  if (file === undefined) return "";
  const [{ createHash }, { createReadStream }] = await Promise.all([import("node:crypto"), import("node:fs")]);
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw new Misuse(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  return hash.digest("hex");
}

export const request = defineCommand({
  command: "request <recipient>",
  describe: "Ask a recipient, once, whether he agrees to an advertiser; silence is a no",
  builder: (args) =>
    args
      .positional("recipient", recipient)
      .option("advertiser", advertiser)
      .option("topic", texts("kind of product he is asked about; without one: all"))
      .option("actor", actorOption)
      .example("$0 consent request li@mail.example --advertiser shop --topic shoes", "")
      .epilogue("The running service sends it from refusals.address. The link in it, or an answer, records the yes."),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { readTopics } = await import("./consent-csv.ts");
      if (ground.config.refusals.address === undefined) {
        throw new Misuse("refusals.address is not set: a request needs an address to come from");
      }
      const question = await misused(async () => ({
        ...(await pairOf(ground, options)),
        topics: readTopics(options.topic ?? []),
      }));
      const asked = await (await ground.desk()).ask({ ...question, actor: actorName(options.actor) });
      if (options.json) await printJson({ ...question, asked });
      else if (asked) await print(`${question.recipient} → ${question.advertiser}: asked`);
      if (asked) return;
      if (!options.json) remark("not asked: he was asked before, or has said yes or no already");
      process.exitCode = 1;
    }),
});

/** A change is made before its entry is written: what fails in between is told apart. */
async function toldApart<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (error instanceof Unavailable && error.dependency === "ledger") {
      remark("consentry: the change is made, but its entry in the ledger could not be written:");
    }
    throw error;
  }
}

/** Recipient and advertiser as the register knows them. */
export async function pairOf(ground: Ground, { recipient, advertiser }: { recipient: string; advertiser: string }) {
  const { readAdvertiser, readRecipient } = await import("./consent-csv.ts");
  return { recipient: readRecipient(recipient), advertiser: readAdvertiser(advertiser, await advertisersOf(ground)) };
}

/** Ids of all clients, disabled ones too: a refusal outlives the right to relay. */
export async function advertisersOf(ground: Ground): Promise<ReadonlySet<string>> {
  const { clients } = await ground.registers();
  return new Set((await clients.list()).map(({ id }) => id));
}

/** What is wrong with a field is misuse on a command line, and one bad line in a file. */
export async function misused<T>(read: () => T | Promise<T>): Promise<T> {
  const { FieldProblem } = await import("./consent-csv.ts");
  try {
    return await read();
  } catch (error) {
    throw error instanceof FieldProblem ? new Misuse(error.message) : error;
  }
}

/** Times as people and other programs read them. */
export const shown = ({ grantedAtMs, withdrawnAtMs, ...consent }: Consent) => ({
  ...consent,
  grantedAt: new Date(grantedAtMs).toISOString(),
  ...(withdrawnAtMs !== undefined && { withdrawnAt: new Date(withdrawnAtMs).toISOString() }),
});
