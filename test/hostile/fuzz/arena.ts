import { attack } from "./attack.ts";
import type { Case } from "./cases.ts";
import { createFindings } from "./findings.ts";
import type { Findings } from "./findings.ts";
import { outcomeOf } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { startService } from "./service.ts";
import type { Line, Service } from "./service.ts";
import { behaveWell } from "./well-behaved.ts";
import type { WellBehaved } from "./well-behaved.ts";
import type { Authority } from "../../tls/certificates.ts";

/** A service that is attacked while somebody else uses it. */
export interface Attacked {
  service: Service;
  client: WellBehaved;
}

/** The services that are attacked, and what is found about them. */
export interface Arena {
  plain: Attacked;
  secure: Attacked;
  findings: Findings;
  /** Sends a case to the service that it is for. */
  attack(attack: Case): Promise<Outcome>;
  /** Whether a service will serve no more. */
  isBroken: () => boolean;
  /** How often each status was logged, by protocol: how deep the cases get. */
  statuses: Record<string, number>;
}

/** How long after its end a case may still be what broke something, in milliseconds. */
const SUSPICIOUS = 100;

/** Starts the service twice, in plain text and with TLS, each with a client that behaves well. */
export async function openArena(options: { program: string | undefined; authority: Authority }): Promise<Arena> {
  const findings = createFindings();
  const statuses: Record<string, number> = {};
  let broken = false;

  const start = async (authority?: Authority): Promise<Attacked & { send: Arena["attack"] }> => {
    /** When each of the last cases ended; Infinity while it has not. */
    const recent = new Map<number, number>();
    const suspects = (): number[] => {
      const since = performance.now() - SUSPICIOUS;
      for (const [index, end] of recent) if (end < since) recent.delete(index);
      return [...recent.keys()];
    };
    // By the address that it came from, as the log tells it.
    const cases = new Map<string, number>();
    const name = authority ? "TLS" : "plain text";
    const onLine = ({ level, msg, ...line }: Line): void => {
      const index = cases.get(line.peer ?? "");
      if (line.status !== undefined && index !== undefined) {
        const status = `${line.protocol} ${line.status}`;
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
      if (level !== "error" && level !== "fatal") return;
      if (level === "fatal") broken = true;
      findings.add(`${name} logged ${level}: ${describe(msg, line)}`, index === undefined ? suspects() : [index]);
    };
    const onTrouble = (what: string): void => findings.add(`${name} ${what}`, suspects());
    const service = await startService({
      program: options.program,
      ...(authority && { authority }),
      onLine,
      onTrouble,
    });
    const client = behaveWell(service, (what) => {
      // What has ended, or is about to, is a finding of its own.
      if (!broken && !service.hasEnded()) findings.add(`The well-behaved client: ${what}`, suspects());
    });
    const send = async (attacking: Case): Promise<Outcome> => {
      const { index, kind } = attacking;
      recent.set(index, Infinity);
      const seen = await attack(attacking, service, (port) => cases.set(`127.0.0.1:${port}`, index));
      recent.set(index, performance.now());
      const outcome = outcomeOf(attacking, seen);
      if (outcome.wrong !== undefined) findings.add(`${kind} on ${name}: ${outcome.wrong}`, [index]);
      return outcome;
    };
    return { service, client, send };
  };
  const [plain, secure] = await Promise.all([start(), start(options.authority)]);

  return {
    plain,
    secure,
    findings,
    statuses,
    isBroken: () => broken || plain.service.hasEnded() || secure.service.hasEnded(),
    attack: (attacking) => (attacking.tls === "none" ? plain : secure).send(attacking),
  };
}

/** What tells one line of the log from another: not when, not from where. */
function describe(msg: string, line: Omit<Line, "level" | "msg">): string {
  const { time: _time, peer: _peer, request_id: _id, duration_ms: _duration, path: _path, ...rest } = line;
  return `${msg} ${JSON.stringify(rest)}`;
}
