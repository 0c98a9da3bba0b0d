/** Ends a stream with an error. */
export type EndStream = (error: Error) => void;

/** The open streams that last until somebody ends them, by the connection they are on. They would stall its end. */
export interface EndlessStreams {
  /** The methods that have such streams, as HTTP/2 names them: `/package.Service/Method`. */
  paths: Set<string>;
  /**
   * Adds a stream; one that comes on a connection that is already closing is ended at once.
   * @param peer the address of the connection's client, as grpc-js tells it
   * @returns what takes the stream off again
   */
  add(peer: string, end: EndStream): () => void;
  /** Ends the streams on a connection that is closing. */
  end(peer: string): void;
  /** The connection is closed. */
  forget(peer: string): void;
}

/** @param reason what the streams end with */
export function createEndlessStreams(reason: () => Error): EndlessStreams {
  const streams = new Map<string, Set<EndStream>>();
  const closing = new Set<string>();
  return {
    paths: new Set(),
    add: (peer, end) => {
      const onPeer = streams.get(peer) ?? new Set();
      streams.set(peer, onPeer.add(end));
      if (closing.has(peer)) end(reason());
      return () => {
        onPeer.delete(end);
        if (onPeer.size === 0 && streams.get(peer) === onPeer) streams.delete(peer);
      };
    },
    end: (peer) => {
      closing.add(peer);
      for (const end of streams.get(peer) ?? []) end(reason());
    },
    forget: (peer) => closing.delete(peer),
  };
}
