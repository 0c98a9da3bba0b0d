import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import type { TlsTelemetry } from "../telemetry/tls.ts";

/**
 * Tracks the handshakes of a server, and counts those that fail.
 * @param clientAuth if optional, Node accepts invalid certificates too, and they are rejected here
 * @returns closes the connections whose handshake is in progress: no request can be in flight on them
 */
export function trackHandshakes(
  protocol: string,
  server: Server,
  clientAuth: "required" | "optional",
  telemetry: TlsTelemetry,
): () => void {
  // By the client's address, because a TLS socket does not expose the socket beneath it.
  const handshakes = new Map<string, { socket: Socket; reason: string }>();
  const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

  server.prependListener("connection", (socket: Socket) => {
    const peer = peerOf(socket);
    handshakes.set(peer, { socket, reason: "closed by the client, or its certificate was rejected" });
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
  // An HTTPS server reports a failed handshake as a malformed request.
  server.removeAllListeners("tlsClientError");
  server.on("tlsClientError", (error: Error & { reason?: string }, socket: TLSSocket) => {
    const unfinished = handshakes.get(peerOf(socket));
    if (unfinished) unfinished.reason = error.reason ?? error.message;
    socket.destroy();
  });

  return () => {
    for (const { socket } of handshakes.values()) socket.destroy();
  };
}
