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

/** A service under attack, with a well-behaved client. */
export interface Target {
  service: Service;
  client: WellBehaved;
}

/** The services under attack, and the findings. */
export interface Targets {
  plain: Target;
  secure: Target;
  findings: Findings;
  /** Sends a case to its service. */
  attack(attack: Case): Promise<Outcome>;
  /** Reports whether a service has ended or logged a fatal error. */
  isBroken: () => boolean;
  /** Number of logged requests by protocol and status, which shows how far the cases get. */
  statuses: Record<string, number>;
}

/** Time after its end in which a case is a candidate for the cause of a finding, in milliseconds. */
const CANDIDATE_MS = 100;

/** Starts the service twice, in plaintext and with TLS, each with a well-behaved client. */
export async function startTargets(options: { program: string | undefined; authority: Authority }): Promise<Targets> {
  const findings = createFindings();
  const statuses: Record<string, number> = {};
  let broken = false;

  const start = async (authority?: Authority): Promise<Target & { send: Targets["attack"] }> => {
    /** Time at which each recent case ended; Infinity for a case in progress. */
    const recent = new Map<number, number>();
    const candidates = (): number[] => {
      const since = performance.now() - CANDIDATE_MS;
      for (const [index, end] of recent) if (end < since) recent.delete(index);
      return [...recent.keys()];
    };
    // By the peer's address, as in the log.
    const cases = new Map<string, number>();
    const name = authority ? "TLS" : "plaintext";
    const onLine = ({ level, msg, ...line }: Line): void => {
      const index = cases.get(line.peer ?? "");
      if (line.status !== undefined && index !== undefined) {
        const status = `${line.protocol} ${line.status}`;
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
      if (level !== "error" && level !== "fatal") return;
      if (level === "fatal") broken = true;
      findings.add(`${name} logged ${level}: ${describe(msg, line)}`, index === undefined ? candidates() : [index]);
    };
    const onProblem = (what: string): void => findings.add(`${name} ${what}`, candidates());
    const service = await startService({
      program: options.program,
      ...(authority && { authority }),
      onLine,
      onProblem,
    });
    const client = behaveWell(service, (what) => {
      // The end of the service is a finding of its own.
      if (!broken && !service.hasEnded()) findings.add(`The well-behaved client: ${what}`, candidates());
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

/** Describes a line of the log without the fields that differ each time. */
function describe(msg: string, line: Omit<Line, "level" | "msg">): string {
  const { time: _time, peer: _peer, request_id: _id, duration_ms: _duration, path: _path, ...rest } = line;
  return `${msg} ${JSON.stringify(rest)}`;
}
