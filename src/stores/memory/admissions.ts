import type { Admissions, QuotaGrant, Tables, Windows } from "../../kit/store.ts";
import { quotasOf } from "../quotas.ts";

/** Admissions in memory: nobody comes between one step and the next. */
export function createMemoryAdmissions(tables: Tables, windows: Windows): Admissions {
  return {
    async admit(table, admissions, n) {
      const records = await tables.getMany(
        table,
        admissions.map(({ key }) => key),
      );
      return Promise.all(
        admissions.map(async (admission, index) => {
          const record = records[index];
          const { partition } = admission.key;
          const grants = quotasOf(admission, record?.value).map(async (quota): Promise<QuotaGrant> => {
            const { max, windowMs } = quota;
            const grant = await windows.take({ partition, id: quota.id }, { max, windowMs, n });
            return { ...quota, ...grant, granted: n === 0 ? grant.taken < max : grant.granted };
          });
          return { record, grants: await Promise.all(grants) };
        }),
      );
    },
  };
}
