import { registerHooks } from "node:module";

/**
 * Has a module of the service's replaced by another, which may still import the original: for files that are preloaded.
 * @param original the end of its URL
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
