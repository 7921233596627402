import type { Log } from "../kit/log.ts";
import { type Admission, createAdmission, type LoadNews } from "./admission.ts";
import { diskGauge, type LagGauge, loopGauge, memoryGauge, type OverloadLimits } from "./gauges.ts";

export interface AdmissionParts {
  /** Where the ledger and large mails are written. */
  readonly dataDir: string;
  readonly lag: LagGauge;
  /** In force now. */
  readonly limits: () => OverloadLimits;
  readonly log: Log;
}

const SAID = [
  "there is room again: everybody is let in",
  "overloaded: strangers' mail is put off",
  "overloaded: clients' mail is put off, too",
  "overloaded: connections are turned away",
] as const;

/** Watches this process and its disk; the log says when it begins to put somebody off, and when that is over. */
export function openAdmission({ dataDir, lag, limits, log }: AdmissionParts): Admission {
  const onNews = ({ level, ...news }: LoadNews): void => {
    if (level === 0) log.info(news, SAID[0]);
    else log.warn({ level, ...news }, SAID[level]);
  };
  return createAdmission([loopGauge(lag, limits), memoryGauge(limits), diskGauge(dataDir, limits)], onNews);
}
