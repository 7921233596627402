import { Misuse } from "../kit/trouble.ts";
import { parseAddress } from "../mail/path.ts";
import type { LessonRecord, NewLesson } from "../signals/lessons.ts";
import { actorOption, defineCommand, defineGroup, STDIN, text, texts } from "./globals.ts";
import { actorName, type Ground, recordChange, withGround } from "./ground.ts";
import { clean, createProgress, print, printJson, printTable, Refused, remark } from "./output.ts";

interface Asked {
  readonly files?: readonly string[] | undefined;
  readonly maildir?: readonly string[] | undefined;
  readonly batch?: string | undefined;
  readonly reporter?: string | undefined;
  readonly actor?: string | undefined;
  readonly json: boolean;
}

const teaching = (word: "ad" | "not", what: string) =>
  defineCommand({
    command: `${word} [files..]`,
    describe: `Teach the detector that these mails are ${what}`,
    builder: (args) =>
      args
        .positional("files", { type: "string", array: true, describe: "mails (.eml), or - for stdin" })
        .option("maildir", texts("all mails of this Maildir"))
        .option("batch", text("a name to forget them by; default: the time"))
        .option("actor", actorOption)
        .option("reporter", {
          ...text("address of the recipient who reported it: counts as his word, and not as a lesson by itself"),
          hidden: word === "not",
        })
        .example(`$0 learn ${word} mail.eml`, "one mail")
        .example(`$0 learn ${word} --maildir ~/Maildir/.Learn --batch newsletters`, "many, to be forgotten together")
        .epilogue(
          "What is kept of a mail is a small record without its words; all nodes that share the store know it within " +
            "seconds. The same mail taught again replaces what was said of it. Undo: consentry learn forget.",
        ),
    handler: (options) => withGround(options.config, (ground) => teach(ground, word, options)),
  });

async function teach(ground: Ground, label: "ad" | "not", asked: Asked): Promise<void> {
  const by = actorName(asked.actor);
  const batch = asked.batch ?? (asked.reporter === undefined ? new Date(ground.clock.now()).toISOString() : "reports");
  if (label === "not" && asked.reporter !== undefined)
    throw new Misuse("--reporter goes with learn ad: recipients report spam");
  const { lessons, refused } = await readAll(ground, { ...asked, label, batch, by });
  if (lessons.length === 0) throw new Refused("nothing was learned");
  const register = (await ground.registers()).lessons;
  const counts = await register.teach(lessons);
  await recordChange(ground, {
    event: "detector-taught",
    actor: by,
    evidence: { taught: asked.reporter === undefined ? label : "report", mails: lessons.length, batch },
  });
  if (refused > 0) process.exitCode = 1;
  if (asked.json) return printJson({ batch, ...counts, refused });
  const known = counts.replaced > 0 ? `, ${counts.replaced} of them known before` : "";
  const gone = counts.dropped > 0 ? `; the ${counts.dropped} oldest had to go` : "";
  await print(
    `learned from ${lessons.length} ${lessons.length === 1 ? "mail" : "mails"}${known}, batch ${clean(batch)}${gone}`,
  );
}

async function readAll(
  ground: Ground,
  asked: Asked & { readonly label: "ad" | "not"; readonly batch: string; readonly by: string },
): Promise<{ lessons: NewLesson[]; refused: number }> {
  const { lessonOfFile, maildirFiles } = await import("./learn-files.ts");
  const about = {
    label: asked.label,
    batch: asked.batch,
    by: asked.by,
    atMs: ground.clock.now(),
    ...(await reporterPart(asked)),
  };
  const files = [...(asked.files ?? [])];
  for (const directory of asked.maildir ?? []) {
    const found = await maildirFiles(directory);
    if (found.left > 0) remark(`note: ${clean(directory)}: the ${found.left} oldest mails are left out`);
    files.push(...found.files);
  }
  if (files.length === 0) throw new Misuse("no mails: name files, or --maildir DIR");
  const progress = createProgress("mails");
  const lessons: NewLesson[] = [];
  let refused = 0;
  for (const file of files) {
    try {
      lessons.push(await lessonOfFile(file, about));
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      refused += 1;
      remark(`${file === STDIN ? "stdin" : clean(file)}: ${clean(error.message)}`);
    }
    progress.at(lessons.length);
  }
  progress.end();
  return { lessons, refused };
}

async function reporterPart({ reporter }: Asked): Promise<{ reporter?: string }> {
  if (reporter === undefined) return {};
  const address = parseAddress(reporter);
  if (!address) throw new Misuse(`--reporter "${reporter}": expected local-part@domain`);
  const { reporterOf } = await import("../signals/lessons.ts");
  return { reporter: reporterOf(address.key) };
}

const list = defineCommand({
  command: "list",
  describe: "What the detector was taught",
  builder: (args) => args.option("batch", text("only this batch")).example("$0 learn list --json", "for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { lessons } = await ground.registers();
      const records = (await lessons.list()).filter(
        ({ batch }) => options.batch === undefined || batch === options.batch,
      );
      const items = records.map((record) => ({ row: rowOf(record), value: jsonOf(record) }));
      await printTable(options, ["ID", "TAUGHT", "AT", "BY", "BATCH"], items);
    }),
});

const taughtAs = ({ label, reporter }: LessonRecord): string =>
  reporter !== undefined ? "reported" : label === "ad" ? "advertising" : "not";

const rowOf = (record: LessonRecord): string[] => [
  record.id,
  taughtAs(record),
  new Date(record.atMs).toISOString(),
  record.by,
  record.batch,
];

const jsonOf = (record: LessonRecord) => ({
  id: record.id,
  taught: taughtAs(record),
  at: new Date(record.atMs).toISOString(),
  by: record.by,
  batch: record.batch,
});

const forget = defineCommand({
  command: "forget [ids..]",
  describe: "Take back what the detector was taught",
  builder: (args) =>
    args
      .positional("ids", { type: "string", array: true, describe: "lessons, as learn list names them" })
      .option("batch", text("all lessons of this batch"))
      .option("all", { type: "boolean", default: false, describe: "all lessons and reports" })
      .option("actor", actorOption)
      .example("$0 learn forget --batch newsletters", "a batch that was wrong")
      .epilogue("The detector is then as if they had never been taught. Exit 1 when there were none."),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { ids = [], batch, all } = options;
      if (ids.length === 0 && batch === undefined && !all) throw new Misuse("forget what? IDs, --batch NAME or --all");
      const { lessons } = await ground.registers();
      const count = await lessons.forget((record) => all || record.batch === batch || ids.includes(record.id));
      if (count === 0) throw new Refused("there was no such lesson; consentry learn list names them");
      const which = all ? "all" : batch !== undefined ? batch : `${ids.length} by id`;
      const evidence = { taught: "forgotten", mails: count, batch: which };
      await recordChange(ground, { event: "detector-taught", actor: actorName(options.actor), evidence });
      await (options.json
        ? printJson({ forgotten: count })
        : print(`forgot ${count} ${count === 1 ? "lesson" : "lessons"}`));
    }),
});

export const learn = defineGroup("learn", "Teach the detector of advertising", [
  teaching("ad", "advertising"),
  teaching("not", "no advertising"),
  list,
  forget,
]);
