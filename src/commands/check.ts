import { count, defineCommand, needed, text, texts, word } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { clean, print, printJson } from "./output.ts";

export const check = defineCommand({
  command: "check <file>",
  describe: "What would become of a mail, and why? Sends nothing, records nothing",
  builder: (args) =>
    args
      .positional("file", word("the mail (.eml), or - for stdin"))
      .option("from", needed(text("MAIL FROM; '' for a bounce")))
      .option("to", needed(texts("RCPT TO")))
      .option("ip", needed(text("address of the client")))
      .option("helo", text("what it says in EHLO"))
      .option("login", text("id of the client that has logged in"))
      .option("door", {
        choices: ["smtp", "submission"] as const,
        default: "smtp" as const,
        describe: "where it comes in",
      })
      .option("size", count("SIZE the client announces, bytes"))
      .example("$0 check ad.eml --from a@shop.example --to li@mail.example --ip 192.0.2.7", "from a stranger")
      .example("$0 check - --from a@shop.example --to li@mail.example --ip 192.0.2.7 --login shop < ad.eml", "a client")
      .epilogue(
        "Runs the rules of the configuration, stage by stage, on the clients and consents that are recorded. What is " +
          "marked (watched) is only written down. Exit 0 when every recipient would get the mail, 1 when not.",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { readEnvelope, readMail, readSession } = await import("./check-question.ts");
      const envelope = readEnvelope(options);
      const session = await readSession(ground, envelope.clientIp, options);
      const parts = await intakeParts(ground);
      const { content, defect, mendedLines } = await readMail(ground, options.file);
      try {
        const mail = content ?? defect;
        if (!mail) throw new Error("a mail that is neither read nor refused");
        const { rehearse } = await import("../doors/check/rehearsal.ts");
        const report = await rehearse(parts, { ...envelope, session, mail, limits: ground.config.limits });
        const { reportJson, reportLines } = await import("./check-report.ts");
        const about = { ...envelope, session, mendedLines, nextHop: ground.config.nextHop.to };
        await (options.json ? printJson(reportJson(report, about)) : print(...reportLines(report, about).map(clean)));
        if (!report.outcomes.every(({ accepted }) => accepted)) process.exitCode = 1;
      } finally {
        await content?.dispose();
      }
    }),
});

/** What intake needs besides a next hop and a ledger: the law in force, on the registers and ids of the server. */
async function intakeParts(ground: Ground) {
  const [{ layDownLaw }, { createLog }, { onlyLooking }] = await Promise.all([
    import("../law-in-force.ts"),
    import("../kit/log.ts"),
    import("../registers/consent-quotas.ts"),
  ]);
  const { consents, codes, lessons, conduct, quotas: taking } = await ground.registers();
  const quotas = onlyLooking(taking);
  const { clock } = ground;
  const [ids, tokens] = await Promise.all([ground.ids(), ground.tokens()]);
  const log = createLog("silent");
  const lists = await ground.lists();
  const parts = { clock, ids, tokens, consents, quotas, codes, conduct, lists, lessons, log, detectAlways: true };
  const { config, site, pipeline } = layDownLaw(ground, parts);
  const { hostname, limits } = config;
  return { clock, ids, log, pipeline, hostname, isLocal: site.isLocal, receivedMax: limits.receivedMax };
}
