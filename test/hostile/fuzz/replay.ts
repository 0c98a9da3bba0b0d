import { setTimeout as sleep } from "node:timers/promises";
import { startTargets } from "./targets.ts";
import type { Targets } from "./targets.ts";
import type { CampaignOptions } from "./campaign.ts";
import { caseOf } from "./cases.ts";
import type { Case } from "./cases.ts";
import { connectionsReturn, drains } from "./checks.ts";
import type { Finding } from "./findings.ts";
import type { Outcome } from "./outcome.ts";

/** Time in which the well-behaved clients detect the effect of a case, in milliseconds. */
const DETECTION_TIMEOUT_MS = 10_000;

/** Number of concurrent copies of a case, because some faults appear only under load. */
const COPIES = 8;

/**
 * Sends cases one by one to new services until one causes the finding.
 * @param matches recognizes the finding; any finding by default
 * @param onCase called with the outcome of each case
 * @returns index of the case that is the cause, and all findings
 */
export async function replay(
  { seed, ...options }: Omit<CampaignOptions, "seconds">,
  indices: number[],
  matches: (what: string) => boolean = () => true,
  onCase: (replayed: Case, outcome: Outcome) => void = () => {},
): Promise<{ cause: number | undefined; findings: Finding[] }> {
  const targets = await startTargets(options);
  let cause: number | undefined;
  for (const index of indices) {
    const replayed = caseOf(seed, index);
    const [outcome] = await Promise.all(Array.from({ length: COPIES }, () => targets.attack(replayed)));
    onCase(replayed, outcome!);
    const found = (): boolean => targets.findings.all().some(({ what }) => matches(what));
    await untilDetected(targets, found);
    if (found()) cause = index;
    if (cause !== undefined || targets.isBroken()) break;
  }
  await end(targets);
  return { cause, findings: targets.findings.all() };
}

/** Waits until the finding occurs, or both clients have sent a whole round of requests without it. */
async function untilDetected({ plain, secure, isBroken }: Targets, found: () => boolean): Promise<void> {
  const clients = [plain.client, secure.client].map((client) => ({ client, before: client.rounds() }));
  const unfinished = (): boolean => clients.some(({ client, before }) => client.rounds() < before + 2);
  for (let waited = 0; waited < DETECTION_TIMEOUT_MS && unfinished() && !found() && !isBroken(); waited += 5) {
    await sleep(5);
  }
}

async function end({ plain, secure, findings, isBroken }: Targets): Promise<void> {
  for (const each of [plain, secure]) {
    const left = isBroken() ? [] : await connectionsReturn(each);
    const { problems } = await drains(each);
    for (const problem of [...left, ...problems]) findings.add(problem, []);
  }
}

/** Formats a case for people, with escapes for bytes that are not text. */
export function describe({ kind, port, tls, pieces, ending, reads }: Case): string {
  const shown = pieces.map((piece) => {
    const text = JSON.stringify(piece.toString("latin1")).replaceAll(
      /[\x7f-\xff]/g,
      (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
    );
    return text.length > 4000 ? `${text.slice(0, 4000)}… (${piece.length} bytes)` : text;
  });
  const transport = { none: "plaintext", "after handshake": "TLS", "instead of handshake": "instead of TLS" }[tls];
  const rest = `then ${ending}${reads ? "" : ", without reading"}`;
  return `${kind}, ${transport}, to the ${port} port, ${rest}:\n  ${shown.join("\n  ")}`;
}
