import type { SMTPServerOptions } from "smtp-server";
import type { Endpoint } from "../../config/schema.ts";
import { Misuse } from "../../kit/trouble.ts";
import type { Certificate, Door } from "../door.ts";
import { startPatience } from "./patience.ts";
import type { SmtpParts } from "./relay.ts";
import { RelayServer } from "./server.ts";

export interface SmtpDoorOptions {
  readonly hostname: string;
  readonly listen: Endpoint;
  readonly tls: "off" | "starttls" | "implicit";
  readonly certificate?: Certificate | undefined;
}

/** Commands smtp-server answers as a joke. */
const JOKES = ["WIZ", "SHELL", "KILL"];

/**
 * Opens an SMTP or submission listener.
 * @throws Misuse when the address cannot be listened on
 */
export async function openSmtpDoor(options: SmtpDoorOptions, parts: SmtpParts): Promise<Door> {
  const server = new RelayServer(serverOptions(options, parts), parts);
  server.on("error", (error: Error) => parts.log.debug({ reason: error.message }, "connection error"));
  await listening(server, options.listen);
  const patience = startPatience(
    () => server.connections,
    () => parts.settings().limits,
  );
  return {
    address: addressOf(server, options.listen),
    connections: () => server.connections.size,
    renew: (certificate) => server.updateSecureContext({ ...certificate }),
    close: (drainMs) =>
      new Promise((resolve) => {
        server.options.closeTimeout = drainMs;
        server.close(() => {
          patience.stop();
          resolve();
        });
        server.hangUpIdle();
      }),
  };
}

function serverOptions({ hostname, tls, certificate }: SmtpDoorOptions, { settings }: SmtpParts): SMTPServerOptions {
  const { limits } = settings();
  const encrypts = certificate !== undefined && tls !== "off";
  return {
    name: hostname,
    banner: "consentry",
    heloResponse: "%s",
    secure: tls === "implicit",
    ...(certificate ?? {}),
    size: limits.mailBytesMax,
    maxRecipients: limits.recipientsMax,
    socketTimeout: limits.idleTimeoutMs,
    disabledCommands: encrypts && tls === "starttls" ? JOKES : [...JOKES, "STARTTLS"],
    hideENHANCEDSTATUSCODES: false,
    hideDSN: false,
    authOptional: true,
    authMethods: ["PLAIN", "LOGIN"],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    logger: false,
  };
}

function listening(server: RelayServer, listen: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => reject(new Misuse(`cannot listen on ${endpointText(listen)}: ${error.message}`));
    server.server.once("error", failed);
    server.server.listen("path" in listen ? { path: listen.path } : listen, () => {
      server.server.removeListener("error", failed);
      resolve();
    });
  });
}

const endpointText = (listen: Endpoint): string =>
  "path" in listen
    ? `unix:${listen.path}`
    : `${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${listen.port}`;

function addressOf(server: RelayServer, listen: Endpoint): string {
  const address = server.server.address();
  return "path" in listen || !address || typeof address === "string"
    ? endpointText(listen)
    : endpointText({ host: listen.host, port: address.port });
}
