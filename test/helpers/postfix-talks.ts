/** A Postfix that takes everything its milter lets through and hands it to a sink; clients come to it by XCLIENT. */

import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Authenticate, startAuthServer } from "./dovecot-auth.ts";
import type { Mta } from "./mta-talks.ts";
import { type Postfix, startPostfix } from "./postfix.ts";
import { freePort } from "./process.ts";
import { startScripted } from "./scripted-server.ts";
import { comeIn } from "./smtp-talks.ts";
import { until } from "./wait.ts";

/** Everything it would decide itself is let through: consentry shall. */
const MAIN_CF = [
  "mynetworks = 0.0.0.0/0 [::]/0",
  "smtpd_relay_restrictions = permit_mynetworks, reject",
  "smtpd_recipient_restrictions =",
  "virtual_mailbox_domains =",
  "local_transport = relay",
  "local_recipient_maps =",
  "resolve_numeric_domain = yes",
  "inet_protocols = all",
  // XCLIENT does not make a stranger of who came from here: a stranger's missing headers are not put in.
  "local_header_rewrite_clients =",
  "strict_smtputf8 = no",
  "hopcount_limit = 1000",
  "swap_bangpath = no",
  "allow_percent_hack = no",
  // Duplicates are told by where they go, not by how they were written.
  "enable_original_recipient = no",
  "in_flow_delay = 0",
  "smtpd_error_sleep_time = 0",
  "smtpd_soft_error_limit = 1000",
  "smtpd_hard_error_limit = 1000",
  "milter_default_action = tempfail",
  "smtpd_sasl_auth_enable = yes",
  "smtpd_sasl_type = dovecot",
  "smtp_tls_security_level = none",
];

export async function startPostfixForTalks(): Promise<Mta & { readonly postfix: Postfix; stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), "talks-"));
  // Sockets made in here get Postfix's group: how docs/postfix.md lets it in.
  chownSync(dir, 0, Number(execFileSync("id", ["-g", "postfix"])));
  chmodSync(dir, 0o2755);
  let authenticate: Authenticate = async () => false;
  const auth = await startAuthServer(join(dir, "auth.sock"), (login, password) => authenticate(login, password));
  const sink = await startScripted({ extensions: ["SMTPUTF8", "8BITMIME", "DSN"] });
  const submission = await freePort();
  const postfix = await startPostfix({
    mainCf: [
      ...MAIN_CF,
      `relayhost = [127.0.0.1]:${sink.port}`,
      `smtpd_milters = unix:${join(dir, "milter.sock")}`,
      `smtpd_sasl_path = ${auth.path}`,
    ],
    masterCf: [
      "relay unix - - n - - smtp",
      `127.0.0.1:${submission} inet n - n - - smtpd -o milter_macro_daemon_name=ORIGINATING`,
    ],
  });
  return {
    socketDir: dir,
    sink,
    postfix,
    logins(check) {
      authenticate = check;
    },
    connect: (client) => comeIn(client.port === "submission" ? submission : postfix.port, client),
    settled: () => until("the queue is empty", async () => !(await waiting(postfix.directory))).then(() => undefined),
    async stop() {
      await postfix.stop();
      await auth.stop();
      await sink.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Is there a whole mail in its queue? One still being received has no x bit. */
async function waiting(directory: string): Promise<boolean> {
  const queue = join(directory, "queue");
  for (const part of ["incoming", "active", "deferred"]) {
    for (const entry of await readdir(join(queue, part), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const { mode } = await stat(join(entry.parentPath, entry.name)).catch(() => ({ mode: 0 }));
      if (mode & 0o100) return true;
    }
  }
  return false;
}
