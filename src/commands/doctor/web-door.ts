import type { Listener } from "../../config/schema.ts";
import { fail, type Line, ok, unknown, warn } from "./line.ts";

const ANSWER_MS_MAX = 5_000;
const START = "start consentry serve and ask again";
const EVERYWHERE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** An HTTP or metrics door: does it answer, and can the relay take mail? */
export async function webLines({ door, listen, tls }: Listener): Promise<Line[]> {
  const where = "path" in listen ? `unix:${listen.path}` : `${listen.host}:${listen.port}`;
  const about = `door ${door} ${where}`;
  if ("path" in listen) return [unknown(about, "a unix socket is not asked from here", "ask it: curl --unix-socket")];
  const open =
    door === "metrics" && listen.host in EVERYWHERE
      ? [
          warn(
            about,
            "listens everywhere",
            "bind it to an address that only your monitoring reaches: it has no password",
          ),
        ]
      : [];
  const host = EVERYWHERE[listen.host] ?? listen.host;
  const scheme = door === "http" && tls === "implicit" ? "https" : "http";
  const url = `${scheme}://${host.includes(":") ? `[${host}]` : host}:${listen.port}/readyz`;
  return [...open, await readyLine(about, url)];
}

async function readyLine(about: string, url: string): Promise<Line> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const { reason } = (await answer.json()) as { reason?: string };
    if (answer.ok) return ok(about, "answers; the relay can take mail");
    return fail(
      about,
      `the relay cannot take mail: ${reason ?? answer.status}`,
      "docs/operating.md says what each means",
    );
  } catch (error) {
    const { message, cause } = error as Error;
    const why = (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
    return unknown(about, why === "ECONNREFUSED" ? "nobody listens there" : why, START);
  }
}
