import { pino } from "pino";

/**
 * What happened to the service, for operators. What happened to mails is in the ledger; no subject, body, password or
 * address ever comes here (tests grep for them).
 */
export type Log = pino.Logger;
export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

/**
 * JSON lines on stdout, or readable lines on a terminal.
 * @param worker which of several processes this is; every line says so
 */
export function createLog(level: LogLevel, format: "json" | "pretty" | "auto" = "auto", worker?: number): Log {
  const pretty = format === "pretty" || (format === "auto" && process.stdout.isTTY);
  return pino({
    level,
    base: { pid: process.pid, ...(worker !== undefined && { worker }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    ...(pretty
      ? { transport: { target: "pino-pretty", options: { ignore: "pid", translateTime: "SYS:HH:MM:ss.l" } } }
      : {}),
  });
}
