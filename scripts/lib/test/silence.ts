/** A reporter that says which test files are still running when none has ended for a while: what hangs has a name, also in CI. */
import type { Reporter, TestModule } from "vitest/node";

const SILENT_MS = 240_000;

export default class Silence implements Reporter {
  readonly #running = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  onTestModuleStart({ relativeModuleId }: TestModule): void {
    this.#running.add(relativeModuleId);
    this.#timer ??= setInterval(() => this.#tell(), SILENT_MS).unref();
  }

  onTestModuleEnd({ relativeModuleId }: TestModule): void {
    this.#running.delete(relativeModuleId);
    this.#timer?.refresh();
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  #tell(): void {
    console.error(
      `no test file has ended for ${SILENT_MS / 60_000} minutes; running: ${[...this.#running].join(", ")}`,
    );
  }
}
