/** PEM chain and key. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** An open door, whatever it speaks. */
export interface Door {
  /** Where it really listens: "127.0.0.1:2525", "unix:/path". */
  readonly address: string;
  /** Open connections; absent where nobody counts them. */
  connections?(): number;
  /** A renewed certificate, for connections from now on. */
  renew(certificate: Certificate): void;
  /** Takes no more connections, lets mails in progress end for at most `drainMs`, then closes the rest. */
  close(drainMs: number): Promise<void>;
}
