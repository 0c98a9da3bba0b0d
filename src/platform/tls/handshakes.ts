import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import type { TlsTelemetry } from "../telemetry/tls.ts";

/** The connections of a TLS server that are still in their handshake. */
export interface Handshakes {
  /** Closes them: nobody waits for an answer on them. */
  abandon(): void;
}

/**
 * Follows the handshakes of a server, and counts those that fail.
 * @param clientAuth where it is optional, Node takes wrong certificates, too, and they are refused here
 */
export function followHandshakes(
  protocol: string,
  server: Server,
  clientAuth: "required" | "optional",
  telemetry: TlsTelemetry,
): Handshakes {
  // By the client's address: of a TLS socket, nothing tells the socket beneath it.
  const handshakes = new Map<string, { socket: Socket; reason: string }>();
  const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

  server.prependListener("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    handshakes.set(peer, { socket, reason: "closed by the client, or its certificate was refused" });
    socket.once("close", () => {
      const unfinished = handshakes.get(peer);
      if (unfinished?.socket !== socket) return;
      handshakes.delete(peer);
      telemetry.handshakeFailed(protocol, unfinished.reason);
    });
  });
  server.prependListener("secureConnection", (socket: TLSSocket) => {
    handshakes.delete(peerOf(socket));
    if (clientAuth === "required" || socket.authorized || !socket.getPeerX509Certificate()) return;
    telemetry.handshakeFailed(protocol, String(socket.authorizationError));
    socket.destroy();
  });
  // An HTTPS server takes a failed handshake for a malformed request.
  server.removeAllListeners("tlsClientError");
  server.on("tlsClientError", (error: Error & { reason?: string }, socket: TLSSocket) => {
    const unfinished = handshakes.get(peerOf(socket));
    if (unfinished) unfinished.reason = error.reason ?? error.message;
    socket.destroy();
  });

  return {
    abandon: () => {
      for (const { socket } of handshakes.values()) socket.destroy();
    },
  };
}
