import type { LoadedConfig } from "../config/load.ts";
import type { EffectiveKey } from "../config/origins.ts";
import type { RuleSetting } from "../pipeline/settings.ts";
import { defineCommand, defineGroup } from "./globals.ts";
import { print, printJson, printTable, Refused } from "./output.ts";

const check = defineCommand({
  command: "check",
  describe: "Is the configuration right, with its packs and rules? Starts nothing",
  builder: (args) =>
    args
      .example("$0 config check", "every error at once, with file, line and key; exit 1 when there is one")
      .example("$0 config check && kill -HUP PID", "before a reload"),
  async handler({ config: path, json }) {
    const { configProblems } = await import("./config-problems.ts");
    const problems = configProblems(path);
    if (json) await printJson({ ok: problems.length === 0, problems });
    else if (problems.length === 0) await print(`${path} is right`);
    else throw new Refused([`${path} cannot be used:`, ...problems.map((problem) => `  ${problem}`)].join("\n"));
    if (problems.length > 0) process.exitCode = 1;
  },
});

const show = defineCommand({
  command: "show",
  describe: "Every key in force: its value and where it comes from",
  builder: (args) =>
    args
      .option("changed", { type: "boolean", default: false, describe: "only what differs from the defaults" })
      .example("$0 config show --changed", "what makes this server this server")
      .epilogue("Passwords in URLs, and what comes from variables named like secrets, are shown as ***."),
  async handler(options) {
    const [{ loadConfig }, { effectiveKeys, originText }] = await Promise.all([
      import("../config/load.ts"),
      import("../config/origins.ts"),
    ]);
    const loaded = loadConfig(options.config);
    const keys = [
      ...effectiveKeys(loaded).filter(({ key }) => !key.startsWith('rules."')),
      ...(await ruleKeys(loaded)),
    ];
    const items = keys
      .filter(({ changed }) => changed || !options.changed)
      .map(({ key, value, origin, changed }) => ({
        row: [key, value, originText(origin)],
        value: { key, value, origin, changed },
      }));
    await printTable(options, ["KEY", "VALUE", "FROM"], items);
  },
});

/** Mode and options of each rule, which the schema of the configuration does not know. */
async function ruleKeys(loaded: LoadedConfig): Promise<EffectiveKey[]> {
  const [{ originOf }, { keyText }, { ruleSettings, standardSettings }] = await Promise.all([
    import("../config/origins.ts"),
    import("../config/yaml.ts"),
    import("./rule-settings.ts"),
  ]);
  const { config, file } = loaded;
  const standard = new Map(standardSettings().map((setting) => [setting.rule.id, new Map(wordsOf(setting))]));
  return ruleSettings(loaded).flatMap((setting) => {
    const { id } = setting.rule;
    const short = typeof config.rules[id] === "string";
    return wordsOf(setting).map(([name, value]) => {
      const own = originOf(file, short && name === "mode" ? ["rules", id] : ["rules", id, ...name.split(".")]);
      const origin = own.from === "default" && name === "mode" ? originOf(file, ["rules", "default"]) : own;
      const changed = standard.get(id)?.get(name) !== value;
      return { key: keyText(["rules", id, ...name.split(".")]), value, origin, changed };
    });
  });
}

function wordsOf({ mode, whenUnavailable, clients, options }: RuleSetting): [string, string][] {
  const own = Object.entries((options ?? {}) as Record<string, unknown>);
  return [
    ["mode", mode],
    ["whenUnavailable", whenUnavailable],
    ...[...clients].map(([id, each]): [string, string] => [`clients.${id}`, each]),
    ...own.map(([name, value]): [string, string] => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  ];
}

export const config = defineGroup("config", "The configuration, looked at and checked", [check, show]);
