import { run } from "./run.ts";

/** What swaks heard and sent. */
export interface Talk {
  /** The server's last word on the mail, its lines joined by " / ". */
  readonly reply: string;
  readonly messageId: string | undefined;
}

/** The command as a person can paste it. */
export const pasteable = (args: readonly string[]): string => `swaks ${args.map(quoted).join(" ")}`;

function quoted(arg: string): string {
  if (/^[\w@%+=:,./-]+$/.test(arg)) return arg;
  return arg.includes("\n")
    ? `$'${arg.replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`
    : `'${arg.replaceAll("'", "'\\''")}'`;
}

/** Runs swaks; a refusal is an answer, not an error. @throws Error when swaks itself cannot run */
export async function swaks(args: readonly string[]): Promise<Talk> {
  const { stdout, stderr } = await run(["swaks", "--timeout", "30", ...args]);
  const transcript = stdout + stderr;
  return {
    reply: lastReply(transcript) ?? (transcript.trim().split("\n").at(-1) || "no answer"),
    messageId: /^ [-~]> +Message-Id: *(<[^>]+>)/im.exec(transcript)?.[1],
  };
}

/** A line of the server: "<-  250 …", "<** 550 …", encrypted "<~  250 …", "<~* 550 …". */
const SERVER_LINE = /^<(?:-|~|\*)[ *]+(\d{3})([ -])(.*)$/;

/** The reply before the one to QUIT, or the last refusal. */
function lastReply(transcript: string): string | undefined {
  const replies: string[] = [];
  let lines: string[] = [];
  for (const raw of transcript.split("\n")) {
    const [, code = "", mark, text = ""] = SERVER_LINE.exec(raw.trimEnd()) ?? [];
    if (mark === undefined) continue;
    lines.push(lines.length === 0 ? `${code} ${text}` : text.replace(/^\d\.\d{1,3}\.\d{1,3} /, ""));
    if (mark === "-") continue;
    replies.push(lines.join(" / "));
    lines = [];
  }
  const bye = replies.at(-1)?.startsWith("221");
  return replies.findLast((reply) => /^[45]/.test(reply)) ?? replies.at(bye ? -2 : -1);
}
