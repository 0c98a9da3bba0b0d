/** A part of the service that runs: it is started, and stopped later. */
export interface Component {
  name: string;
  /** Starts, and tells the address where it is reached. */
  start(): Promise<string>;
  /** Takes nothing new, and resolves when what is in flight has ended. */
  stop(): Promise<void>;
}

/** Components that were started. */
export interface Running {
  /** Where each one is reached, by name. */
  addresses: Record<string, string>;
  /** Stops all of them, at the same time. */
  stop(): Promise<void>;
}

/**
 * Starts components one after the other.
 * @throws {Error} what the first one to fail threw; those before it were stopped
 */
export async function start(components: Component[]): Promise<Running> {
  const addresses: Record<string, string> = {};
  const started: Component[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((component) => component.stop()));
  };
  try {
    for (const component of components) {
      addresses[component.name] = await component.start();
      started.push(component);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { addresses, stop };
}

/** Waits for a signal that asks the process to stop. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });
}
