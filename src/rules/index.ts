import { contents } from "./advertising/contents.ts";
import { detect } from "./advertising/detect.ts";
import { managementCode } from "./advertising/management-code.ts";
import { subjectLabel } from "./advertising/subject-label.ts";
import { blocked } from "./conduct/blocked.ts";
import { campaign } from "./conduct/campaign.ts";
import { harvesting } from "./conduct/harvesting.ts";
import { hijackedLogin } from "./conduct/hijacked-login.ts";
import { listed } from "./conduct/listed.ts";
import { rate } from "./conduct/rate.ts";
import { bouncing } from "./consent/bouncing.ts";
import { recordedConsent } from "./consent/recorded-consent.ts";
import { refusalHeaders } from "./consent/refusal-headers.ts";
import { scope } from "./consent/scope.ts";
import { malware } from "./content/malware.ts";
import { prohibited } from "./content/prohibited.ts";
import { spamScore } from "./content/spam-score.ts";
import type { Rule } from "./define.ts";
import { authenticity } from "./envelope/authenticity.ts";
import { bulkAlignment } from "./envelope/bulk-alignment.ts";
import { headerShape } from "./envelope/header-shape.ts";
import { helo } from "./envelope/helo.ts";
import { heloResolves } from "./envelope/helo-resolves.ts";
import { loginOwnsSender } from "./envelope/login-owns-sender.ts";
import { ownDomainFromOutside } from "./envelope/own-domain-from-outside.ts";
import { receivedForged } from "./envelope/received-forged.ts";
import { reverseDns } from "./envelope/reverse-dns.ts";
import { senderDomain } from "./envelope/sender-domain.ts";
import { senderShape } from "./envelope/sender-shape.ts";
import { anonymous } from "./relay/anonymous.ts";
import { clientNetworks } from "./relay/client-networks.ts";
import { licence } from "./relay/licence.ts";
import { registeredAddresses } from "./relay/registered-addresses.ts";
import { suspended } from "./relay/suspended.ts";

/**
 * Every rule there is. The order is a rule's fixed rank: when two refuse with equal severity, the one that stands first here
 * chooses the reply. It decides nothing else.
 */
export const RULES: readonly Rule[] = [
  anonymous,
  blocked,
  listed,
  suspended,
  clientNetworks,
  licence,
  registeredAddresses,
  hijackedLogin,
  ownDomainFromOutside,
  loginOwnsSender,
  helo,
  senderShape,
  senderDomain,
  reverseDns,
  heloResolves,
  headerShape,
  receivedForged,
  authenticity,
  recordedConsent,
  bouncing,
  scope,
  subjectLabel,
  detect,
  bulkAlignment,
  refusalHeaders,
  contents,
  malware,
  prohibited,
  spamScore,
  managementCode,
  harvesting,
  campaign,
  rate,
] as const;
