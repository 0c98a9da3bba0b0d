// Preloaded, it makes the service run without its telemetry: bench/silent-telemetry.ts stands in for it.
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    if (!resolved.url.endsWith("/src/telemetry/telemetry.ts")) return resolved;
    return { ...resolved, url: new URL("silent-telemetry.ts", import.meta.url).href };
  },
});
