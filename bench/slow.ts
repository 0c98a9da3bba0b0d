// Preloaded, it makes every greeting wait for something, as in a service with a database behind it: bench/slow-greeter.ts.
import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) => {
    const resolved = next(specifier, context);
    const own = context.parentURL?.endsWith("/bench/slow-greeter.ts");
    if (own || !resolved.url.endsWith("/src/greeter.ts")) return resolved;
    return { ...resolved, url: new URL("slow-greeter.ts", import.meta.url).href };
  },
});
