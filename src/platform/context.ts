import { randomUUID, type X509Certificate } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket, type CipherNameAndProtocol } from "node:tls";

/** Log of one request. Each line carries the request's ids. */
export type RequestLog = Record<"debug" | "info" | "warn" | "error", (fields: object, message: string) => void>;

/** Other end of the connection. */
export interface Peer {
  /** IP address. */
  address: string;
  port: number;
  /** Undefined on a plaintext connection. The protocol (ALPN) and the server name (SNI) are empty if there is none. */
  tls?: { version: string; cipher: string; protocol: string; serverName: string; certificate?: X509Certificate };
}

/** Facts of a request, the same on every protocol. It is the last argument of every domain function. */
export interface RequestContext {
  /** Aborts if nobody waits for the response: the client left, the deadline passed, or the drain cut the request off. */
  readonly signal: AbortSignal;
  /** Time at which the caller stops waiting, in milliseconds since the Unix epoch; Infinity without a deadline. */
  readonly deadline: number;
  /** Returns the time until the deadline, in milliseconds, by the monotonic clock; never negative. */
  timeLeftMs(): number;
  /** Id of the request, as in the response and in the log. */
  readonly requestId: string;
  /** Trace context to pass on to other services (https://www.w3.org/TR/trace-context/); undefined without a trace. */
  readonly traceparent: string | undefined;
  readonly peer: Peer;
  /** Headers of the request, by lower-case name. */
  readonly metadata: Readonly<IncomingHttpHeaders>;
  readonly log: RequestLog;
}

export interface ContextOptions {
  deadline?: number;
  record?: Partial<Pick<RequestContext, "requestId" | "traceparent" | "log">>;
  metadata?: IncomingHttpHeaders;
  socket?: Pick<Socket, "remoteAddress" | "remotePort">;
}

/** A context with the method that aborts its signal, for the owner of the request. */
export interface OwnedContext extends RequestContext {
  abort(): void;
}

const silent: RequestLog = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Creates the context of a request. Without options it is the context of work that no request started, such as a command's.
 * @example
 * await orders.get("42", createContext({ deadline: Date.now() + 1000 }));
 */
export function createContext(options: ContextOptions = {}): OwnedContext {
  return new Context(options);
}

/** A class with getters, because most requests ask for few of the values, and each costs an allocation. */
class Context implements OwnedContext {
  readonly deadline: number;
  readonly #options: ContextOptions;
  readonly #createdAt = { wallMs: Date.now(), monotonicMs: performance.now() };
  #requestId: string | undefined;
  #controller: AbortController | undefined;

  constructor(options: ContextOptions) {
    this.#options = options;
    this.deadline = options.deadline ?? Infinity;
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  abort(): void {
    (this.#controller ??= new AbortController()).abort();
  }

  timeLeftMs(): number {
    const { wallMs, monotonicMs } = this.#createdAt;
    return Math.max(0, this.deadline - wallMs - (performance.now() - monotonicMs));
  }

  get requestId(): string {
    return (this.#requestId ??= this.#options.record?.requestId ?? randomUUID());
  }

  get traceparent(): string | undefined {
    return this.#options.record?.traceparent;
  }

  get log(): RequestLog {
    return this.#options.record?.log ?? silent;
  }

  get metadata(): Readonly<IncomingHttpHeaders> {
    const headers = Object.entries(this.#options.metadata ?? {});
    // HTTP/2 has the parts of the request line among its headers.
    return Object.fromEntries(headers.filter(([name]) => !name.startsWith(":")));
  }

  get peer(): Peer {
    const { socket } = this.#options;
    const { remoteAddress: address = "", remotePort: port = 0 } = socket ?? {};
    return { address, port, ...(socket instanceof TLSSocket && { tls: tlsOf(socket) }) };
  }
}

function tlsOf(socket: TLSSocket): NonNullable<Peer["tls"]> {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
  return {
    version: socket.getProtocol() ?? "",
    // Null after the connection is closed.
    cipher: (socket.getCipher() as CipherNameAndProtocol | null)?.name ?? "",
    protocol: socket.alpnProtocol || "",
    serverName: typeof socket.servername === "string" ? socket.servername : "",
    ...(certificate && { certificate }),
  };
}
