/** An attack, and its expected result. */
export interface Attack {
  name: string;
  protocol: "http" | "grpc";
  /** Flags of the service, such as shorter timeouts. */
  flags?: string[];
  /** Whether the service must disconnect the attackers. An attack that costs the service nothing may stay connected. */
  disconnected: boolean;
  /** Attacks a port. Resolves with a description of the peer's observations. */
  run: (port: number) => Promise<string>;
}
