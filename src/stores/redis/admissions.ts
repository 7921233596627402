import type { Admission, Admissions, Admitted, QuotaGrant } from "../../kit/store.ts";
import { gatherAdmissions, type Question } from "../turn.ts";
import type { AdmitAnswer, Client, Connection } from "./connect.ts";
import { tableKey, windowKey } from "./keys.ts";
import { chunks, parseRow } from "./tables.ts";

/** Records in one script: it holds up the server for a millisecond or two. */
const RECORDS_A_SCRIPT = 64;

/**
 * Admissions in Redis: many records to a script and all scripts in one write; in a Cluster each record has a script of its own, because keys of
 * different partitions lie in different slots.
 */
export function createRedisAdmissions(connection: Connection): Admissions {
  const recordsMax = connection.clustered ? 1 : RECORDS_A_SCRIPT;
  return gatherAdmissions((questions) => {
    for (const some of chunks(questions, recordsMax)) void answer(connection, some);
  });
}

/** Never throws: whoever asked hears it. */
async function answer(connection: Connection, questions: readonly Question[]): Promise<void> {
  try {
    const answers = await connection.run((client) => ask(client, questions));
    for (const [index, { admission, n, resolve }] of questions.entries()) {
      resolve(read(admission, answers[index] ?? [null, 0, 0], n));
    }
  } catch (error) {
    for (const { reject } of questions) reject(error);
  }
}

function ask(client: Client, questions: readonly Question[]): Promise<AdmitAnswer[]> {
  const keys: string[] = [];
  const args: (string | number)[] = [questions[0]?.n ?? 0];
  for (const { table, admission } of questions) {
    const { ownId, quotas } = admission;
    const { partition, id } = admission.key;
    keys.push(tableKey(table, partition), windowKey({ partition, id: ownId }));
    args.push(id, quotas.length);
    for (const quota of quotas) {
      keys.push(windowKey({ partition, id: quota.id }));
      args.push(quota.max, quota.windowMs, quota.unlessOwn ? 1 : 0);
    }
  }
  return client.consentryAdmit(keys.length, ...keys, ...args);
}

function read({ quotas, ownId }: Admission, [row, max, windowMs, ...answers]: AdmitAnswer, n: number): Admitted {
  const own = { id: ownId, max: Number(max), windowMs: Number(windowMs), unlessOwn: false };
  const grants = answers.flatMap((answered, index): QuotaGrant[] => {
    if (answered === 0) return [];
    const quota = quotas[index] ?? own;
    const [granted, taken, freesAtMs] = answered;
    return [{ ...quota, granted: n === 0 ? taken < quota.max : granted === 1, taken, freesAtMs }];
  });
  return { record: parseRow(row), grants };
}
