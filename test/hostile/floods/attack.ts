/** A way to harm a service, and what is to become of it. */
export interface Attack {
  name: string;
  protocol: "http" | "grpc";
  /** Settings of the service under which it does not take long. */
  flags?: string[];
  /**
   * Whether the attackers are to lose their connection. Where that is not needed, for what they do costs nothing, they get a refusal,
   * or a connection that serves nobody else.
   */
  disconnected: boolean;
  /** Attacks a port; resolves with what the peer saw. */
  run: (port: number) => Promise<string>;
}
