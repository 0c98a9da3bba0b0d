// Preloaded, it makes every call be looked at a moment later: test/hostile/late-calls.ts.
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    const own = context.parentURL?.endsWith("/test/hostile/late-calls.ts");
    if (own || !resolved.url.endsWith("/src/grpc/calls.ts")) return resolved;
    return { ...resolved, url: new URL("late-calls.ts", import.meta.url).href };
  },
});
