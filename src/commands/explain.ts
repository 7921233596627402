import { WORD_LANGUAGES } from "../mail/reply-words.ts";
import { defineCommand, text, word } from "./globals.ts";
import { withGround } from "./ground.ts";
import { noteLookUp } from "./ledger-ask.ts";
import { livesOf } from "./ledger-explain.ts";
import { clean, print, printJson, Refused } from "./output.ts";
import { asOption, whoAsks } from "./who.ts";

export const explain = defineCommand({
  command: "explain <id>",
  describe: "What a refusal meant, in English, Chinese and Vietnamese, for whoever was refused",
  builder: (args) =>
    args
      .positional("id", word("the id at the end of the refusal"))
      .option("lang", {
        ...text("one language instead of all"),
        choices: WORD_LANGUAGES,
      })
      .option("as", asOption)
      .example("$0 explain 01M812GDN5YHTC30000ZE78", "")
      .epilogue(
        "What was wrong, the article and how sure we are of it, what is accepted, and whom to ask; no addresses and no\n" +
          "scores, so that it can be handed on. The look is an entry. The operator's view: consentry ledger explain",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const [{ certaintiesOf, explanationOf, tell }, { knownPacks }, { RULES }] = await Promise.all([
        import("../desk/explanation.ts"),
        import("../law/packs.ts"),
        import("../rules/index.ts"),
      ]);
      const { hostname, packs: choice } = ground.config;
      const asker = whoAsks(ground.config, options.as);
      const lookUp = await noteLookUp(ground, asker.name, { explain: options.id, for: "customer" });
      const mails = await livesOf(options.id, await ground.reader());
      await lookUp.end(mails.reduce((sum, { entries }) => sum + entries.length, 0));
      const packs = [...knownPacks(choice.directory).values()];
      const law = { packs, certainties: certaintiesOf(packs, RULES) };
      const explained = mails.flatMap(({ mailId, entries }) => explanationOf(mailId, entries, law) ?? []);
      if (mails.length === 0) throw new Refused(`there is no entry of ${options.id}`);
      if (explained.length === 0) throw new Refused(`nothing was refused or put off under ${options.id}`);
      const languages = WORD_LANGUAGES.filter((each) => options.lang === undefined || options.lang === each);
      const told = explained.map((explanation) => ({
        ...explanation,
        told: languages.map((language) => tell(explanation, language, `postmaster@${hostname}`)),
      }));
      await (options.json ? printJson(told) : print(...told.flatMap((each) => each.told.flatMap(inLines))));
    }),
});

const inLines = ({ name, lines }: { name: string; lines: readonly (readonly [string, string])[] }): string[] =>
  [`── ${name}`, ...lines.map(([label, value]) => (label === "" ? value : `${label}: ${value}`)), ""].map(clean);
