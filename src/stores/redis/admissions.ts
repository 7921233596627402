import type { Admission, Admissions, Admitted, QuotaGrant } from "../../kit/store.ts";
import { checkAmount, checkQuota } from "../window-state.ts";
import type { AdmitAnswer, Client, Connection } from "./connect.ts";
import { tableKey, windowKey } from "./keys.ts";
import { chunks, parseRow, READS_AT_ONCE } from "./tables.ts";

/** Admissions in Redis: one script for each record, all of them in one write for each server. */
export function createRedisAdmissions(connection: Connection): Admissions {
  return {
    async admit(table, admissions, n) {
      checkAmount(n);
      for (const { quotas } of admissions) for (const quota of quotas) checkQuota(quota);
      const all: Admitted[] = [];
      for (const some of chunks(admissions, READS_AT_ONCE)) {
        const answers = await connection.run((client) =>
          Promise.all(some.map((admission) => ask(client, table, { admission, n }))),
        );
        for (const [index, answer] of answers.entries()) all.push(read(some[index] as Admission, answer, n));
      }
      return all;
    },
  };
}

function ask(
  client: Client,
  table: string,
  { admission, n }: { admission: Admission; n: number },
): Promise<AdmitAnswer> {
  const { key, ownId, quotas } = admission;
  const { partition, id } = key;
  return client.consentryAdmit(
    2 + quotas.length,
    tableKey(table, partition),
    windowKey({ partition, id: ownId }),
    ...quotas.map((quota) => windowKey({ partition, id: quota.id })),
    id,
    n,
    ...quotas.flatMap(({ max, windowMs, unlessOwn }) => [max, windowMs, unlessOwn ? 1 : 0]),
  );
}

function read({ quotas, ownId }: Admission, [row, max, windowMs, ...answers]: AdmitAnswer, n: number): Admitted {
  const own = { id: ownId, max: Number(max), windowMs: Number(windowMs), unlessOwn: false };
  const grants = answers.flatMap((answer, index): QuotaGrant[] => {
    if (answer === 0) return [];
    const quota = quotas[index] ?? own;
    const [granted, taken, freesAtMs] = answer;
    return [{ ...quota, granted: n === 0 ? taken < quota.max : granted === 1, taken, freesAtMs }];
  });
  return { record: parseRow(row), grants };
}
