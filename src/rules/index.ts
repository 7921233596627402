import { detect } from "./advertising/detect.ts";
import { subjectLabel } from "./advertising/subject-label.ts";
import { recordedConsent } from "./consent/recorded-consent.ts";
import { malware } from "./content/malware.ts";
import { prohibited } from "./content/prohibited.ts";
import { spamScore } from "./content/spam-score.ts";
import type { Rule } from "./define.ts";
import { headerShape } from "./envelope/header-shape.ts";
import { helo } from "./envelope/helo.ts";
import { loginOwnsSender } from "./envelope/login-owns-sender.ts";
import { ownDomainFromOutside } from "./envelope/own-domain-from-outside.ts";
import { receivedForged } from "./envelope/received-forged.ts";
import { senderShape } from "./envelope/sender-shape.ts";
import { anonymous } from "./relay/anonymous.ts";
import { clientNetworks } from "./relay/client-networks.ts";

/**
 * Every rule there is. The order is a rule's fixed rank: when two refuse with equal severity, the one that stands first here
 * chooses the reply. It decides nothing else.
 */
export const RULES: readonly Rule[] = [
  anonymous,
  clientNetworks,
  ownDomainFromOutside,
  loginOwnsSender,
  helo,
  senderShape,
  headerShape,
  receivedForged,
  recordedConsent,
  subjectLabel,
  detect,
  malware,
  prohibited,
  spamScore,
] as const;
