import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, installed, isFree, type Program, startProgram } from "./process.ts";
import { tempDir } from "./temp.ts";
import { until } from "./wait.ts";

/** Is there a program rspamd? */
export const hasRspamd = installed("rspamd");

/** A real rspamd with one rule of its own: "cheap pills" weighs 7.5. It asks no DNS and no other server. */
export async function startRspamd(): Promise<{ readonly port: number; readonly program: Program }> {
  const dir = tempDir();
  chmodSync(dir, 0o777);
  const port = await freePort();
  const rule = join(dir, "rule.lua");
  writeFileSync(
    rule,
    `rspamd_config:register_symbol({ name = 'CHEAP_PILLS', type = 'normal', score = 7.5, callback = function(task)
      return tostring(task:get_content()):find('cheap pills', 1, true) ~= nil
    end })\n`,
  );
  const conf = join(dir, "rspamd.conf");
  const suffixes = join(dir, "suffixes");
  writeFileSync(suffixes, "com\nexample\n");
  // Without its own list of suffixes and languages it is there in a moment.
  writeFileSync(
    conf,
    `lang_detection { languages = ["en"]; }
    options {
      filters = ""; url_tld = "${suffixes}"; disable_hyperscan = true; hs_cache_dir = "${dir}"; tempdir = "${dir}"; task_timeout = 1s;
      pidfile = "${dir}/pid"; control_socket = "${dir}/control mode=0600"; gtube_patterns = "reject";
      dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
    }
    logging { type = "console"; level = "info"; }
    lua = "${rule}";
    actions { reject = 15; add_header = 6; greylist = null; }
    worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }\n`,
  );
  const asRoot = process.getuid?.() === 0 ? ["--insecure"] : [];
  const program = await startProgram("rspamd", ["--no-fork", "--config", conf, ...asRoot]);
  await until("rspamd listens", async () => !(await isFree(port)), 30_000);
  return { port, program };
}
