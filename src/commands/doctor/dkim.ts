/** Keys that sign our clients' mail: a signature whose key is not published, or another, proves nothing. */
import { recordName, recordText } from "../../authenticity/dkim/publish.ts";
import { readTags, unfolded } from "../../authenticity/dkim/tags.ts";
import { type DkimKey, readDkimKeys } from "../../config/dkim-keys.ts";
import type { Config } from "../../config/schema.ts";
import type { Names } from "../../kit/names.ts";
import { Misuse, Unavailable } from "../../kit/trouble.ts";
import { fail, type Line, ok, unknown } from "./line.ts";

/** More keys than that are not asked about. */
const KEYS_MAX = 50;

export async function signingLines(config: Config, names: Names): Promise<Line[]> {
  try {
    return await Promise.all(
      readDkimKeys(config)
        .slice(0, KEYS_MAX)
        .map((key) => lineOf(key, names)),
    );
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    return [fail("DKIM keys", error.message, "until then consentry does not start")];
  }
}

async function lineOf(key: DkimKey, names: Names): Promise<Line> {
  const about = `DKIM key ${recordName(key)}`;
  const advice = `consentry dkim show ${key.domain} prints the record`;
  try {
    const { records } = await names.ask(recordName(key), "TXT");
    const own = publicPartOf(recordText(key));
    if (records.some((text) => publicPartOf(text) === own)) return ok(about, "is published");
    if (records.length === 0) return fail(about, "is not published, and signs: its signatures fail", advice);
    return fail(about, "is published with another key: its signatures fail", advice);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return unknown(about, "DNS does not answer", "look at dns.servers");
  }
}

const publicPartOf = (text: string): string => unfolded(readTags(text)?.get("p") ?? "");
