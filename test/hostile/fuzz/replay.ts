import { setTimeout as sleep } from "node:timers/promises";
import { openArena } from "./arena.ts";
import type { Arena } from "./arena.ts";
import type { CampaignOptions } from "./campaign.ts";
import { caseOf } from "./cases.ts";
import type { Case } from "./cases.ts";
import { connectionsReturn, drains } from "./checks.ts";
import type { Finding } from "./findings.ts";
import type { Outcome } from "./outcome.ts";

/** How long the well-behaved clients may take to notice what a case did, in milliseconds. */
const PATIENCE = 10_000;

/** How often a case is sent at the same time: some things go wrong only where the service is busy. */
const AT_ONCE = 8;

/**
 * Sends cases one by one, to fresh services, until one does what was seen.
 * @param seen what that is; anything that must not be, by default
 * @param onCase hears what became of each
 * @returns the case that did it, and everything that was found
 */
export async function replay(
  { seed, ...options }: Omit<CampaignOptions, "seconds">,
  indices: number[],
  seen: (what: string) => boolean = () => true,
  onCase: (replayed: Case, outcome: Outcome) => void = () => {},
): Promise<{ culprit: number | undefined; findings: Finding[] }> {
  const arena = await openArena(options);
  let culprit: number | undefined;
  for (const index of indices) {
    const replayed = caseOf(seed, index);
    const [outcome] = await Promise.all(Array.from({ length: AT_ONCE }, () => arena.attack(replayed)));
    onCase(replayed, outcome!);
    const found = (): boolean => arena.findings.all().some(({ what }) => seen(what));
    await noticed(arena, found);
    if (found()) culprit = index;
    if (culprit !== undefined || arena.isBroken()) break;
  }
  await end(arena);
  return { culprit, findings: arena.findings.all() };
}

/** Waits until something is found, or both clients have asked everything again, from its beginning to its end. */
async function noticed({ plain, secure, isBroken }: Arena, found: () => boolean): Promise<void> {
  const clients = [plain.client, secure.client].map((client) => ({ client, before: client.rounds() }));
  const goesOn = (): boolean => clients.some(({ client, before }) => client.rounds() < before + 2);
  for (let waited = 0; waited < PATIENCE && goesOn() && !found() && !isBroken(); waited += 5) await sleep(5);
}

async function end({ plain, secure, findings, isBroken }: Arena): Promise<void> {
  for (const each of [plain, secure]) {
    const left = isBroken() ? [] : await connectionsReturn(each);
    const { problems } = await drains(each);
    for (const problem of [...left, ...problems]) findings.add(problem, []);
  }
}

/** A case as people can read it: text where it is text, the rest as escapes. */
export function describe({ kind, port, tls, pieces, ending, reads }: Case): string {
  const shown = pieces.map((piece) => {
    const text = JSON.stringify(piece.toString("latin1")).replaceAll(
      /[\x7f-\xff]/g,
      (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
    );
    return text.length > 4000 ? `${text.slice(0, 4000)}… (${piece.length} bytes)` : text;
  });
  const way = { none: "plain text", "after handshake": "TLS", "instead of handshake": "in place of TLS" }[tls];
  return `${kind}, ${way}, to the ${port} port, then ${ending}${reads ? "" : ", reading nothing"}:\n  ${shown.join("\n  ")}`;
}
