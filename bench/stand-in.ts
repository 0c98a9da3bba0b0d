import { registerHooks } from "node:module";

/**
 * Replaces a module of the service by another one, which may import the original. For preloads.
 * @param original end of the module's URL
 */
export function standIn(original: string, replacement: URL): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context);
      if (context.parentURL === replacement.href || !resolved.url.endsWith(original)) return resolved;
      return { ...resolved, url: replacement.href };
    },
  });
}
